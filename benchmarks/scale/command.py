"""``python -m benchmarks scale``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from rich.table import Table

from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError

if TYPE_CHECKING:
    from benchmarks.scale.measure import Load

MAX_VECTORS = 100_000
"""Above this the in-memory vector store is left out: a million vectors as lists take 12 GB."""


@click.command(
    "scale",
    epilog=examples(
        "python -m benchmarks scale --sizes 1000,10000",
        "python -m benchmarks scale --sizes 1000,10000,100000,1000000 --users 10000x100",
    ),
)
@click.option(
    "--sizes", default="1000,10000,100000", help="Turns of one user, with commas between."
)
@click.option("--users", help="Also many users in one file, as USERSxTURNS: 10000x100.")
@click.option(
    "--distinct",
    type=click.IntRange(min=1),
    default=2000,
    help="Turns that differ; the others repeat their texts.",
)
@seed_option
@out_option
@model_option
@json_option
def scale(
    sizes: str,
    users: str | None,
    distinct: int,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Time lookups among more and more turns, beside BM25 and vectors in memory.

    Turns are made of the demo's meetings. r3mem's file is written by one process and asked by
    another, so that opening it and the first lookup are seen as well.
    """
    from benchmarks.scale import plot
    from benchmarks.scale.measure import Load
    from benchmarks.synthetic import demo_texts
    from r3mem_agents.types import DEFAULT_MODEL

    reversible = require_model(model)
    stock = tuple(demo_texts())
    loads = [Load(count, 1, stock, distinct, seed) for count in _counts(sizes, ",")]
    many = None
    if users is not None:
        some, turns = _counts(users, "x", 2)
        many = Load(turns, some, stock, distinct, seed)
    rows = [_measure(load, model or DEFAULT_MODEL) for load in loads]
    figures: dict[str, Any] = {"one_user": rows}
    if many is not None:
        figures["many_users"] = _measure(many, model or DEFAULT_MODEL)
    config = {
        **identity(reversible),
        "source": "sentences of the demo's meetings, recombined",
        "distinct": distinct,
        "seed": seed,
    }
    publish(
        out_dir / "scale.json",
        config,
        figures,
        show=lambda: _show(figures),
        plot=lambda picture: plot.plot(picture, figures),
        as_json=as_json,
    )


def _counts(text: str, separator: str, number: int | None = None) -> list[int]:
    parts = text.split(separator)
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts) or (
        number is not None and len(parts) != number
    ):
        raise InvalidInputError(f"{text!r} is no list of counts with {separator!r} between them")
    return [int(part) for part in parts]


def _measure(load: Load, model: str) -> dict[str, Any]:
    from benchmarks.processes import run
    from benchmarks.scale import measure as measuring

    row: dict[str, Any] = {"turns": load.turns, "users": load.users}
    works: dict[str, list[Any]] = {"r3mem": [measuring.write, measuring.look_up]}
    if load.users == 1:
        works["bm25"] = [measuring.bm25]
        if load.turns <= MAX_VECTORS:
            works["minilm"] = [measuring.vectors]
    with tempfile.TemporaryDirectory() as folder, progress() as bar:
        task = measuring.Task(load, Path(folder) / "scale.db", model)
        for name, stages in works.items():
            title = f"{load.turns * load.users:,} turns, {name}"
            total = load.turns * load.users + measuring.LOOKUPS + (name == "r3mem")
            shown = bar.add_task(title, total=total)

            def advance(stage: str, count: int, title: str = title, shown: Any = shown) -> None:
                bar.update(shown, advance=count, description=f"{title}: {stage}")

            row[name] = {}
            for stage in stages:
                row[name] |= run(stage, task, advance, name, "measure fewer turns with --sizes")
    return row


def _show(figures: dict[str, Any]) -> None:
    table = Table(title="Lookups of 5 turns among many: ms, and MB", title_justify="left")
    table.add_column("system")
    for column in ("turns", "p50", "p95", "first", "open", "peak memory", "on disk"):
        table.add_column(column, justify="right", no_wrap=column == "turns")
    rows = [*figures["one_user"], *([figures["many_users"]] if "many_users" in figures else [])]
    for row in rows:
        held = f"{row['turns']:,}" if row["users"] == 1 else f"{row['users']:,} x {row['turns']:,}"
        for name in ("r3mem", "bm25", "minilm"):
            if (one := row.get(name)) is None:
                continue
            times, first = one["lookup_ms"], one.get("first_lookup_ms")
            peak, disk = one["peak_memory_bytes"], one.get("disk_bytes")
            table.add_row(
                name,
                held,
                _ms(times["p50"]) if times else "-",
                _ms(times["p95"]) if times else "-",
                _ms(first["p50"]) if first else "-",
                _ms(one["open_ms"]) if "open_ms" in one else "-",
                f"{peak / 1e6:,.0f}" if peak else "-",
                f"{disk / 1e6:,.1f}" if disk else "-",
                style="bold" if name == "r3mem" else "",
            )
    out().print(table)


def _ms(time: float) -> str:
    return f"{time:,.{1 if time < 100 else 0}f}"
