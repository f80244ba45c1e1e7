"""``python -m benchmarks load``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click
from rich.table import Table

from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.types import DEFAULT_MODEL


@click.command(
    "load",
    epilog=examples(
        "python -m benchmarks load",
        "python -m benchmarks load --minutes 0.2 --clients 16 --workers 1",
    ),
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=5.0, help="How long, each."
)
@click.option("--clients", type=click.IntRange(min=1), default=64, help="Clients at once.")
@click.option("--users", type=click.IntRange(min=1), default=8, help="Users that they belong to.")
@click.option("--workers", type=click.IntRange(min=1), default=2, help="Processes of the server.")
@seed_option
@out_option
@model_option
@json_option
def load(
    minutes: float,
    clients: int,
    users: int,
    workers: int,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Let many clients write and read at once: what is lost, what is crossed, how long it takes.

    Once over HTTP to r3mem serve, and once in one process. Each client waits for its answer and
    asks again at once, so that all of them always wait for something.
    """
    from benchmarks.load import measure
    from benchmarks.load.clients import MIX
    from benchmarks.processes import run

    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, progress() as bar:
        for name, work in (("http", measure.over_http), ("in_process", measure.in_process)):
            task = measure.Task(
                Path(folder) / f"{name}.db",
                model or DEFAULT_MODEL,
                clients,
                users,
                60 * minutes,
                workers,
                seed,
            )
            shown = bar.add_task(name, total=-(-60 * minutes // 1) + clients)

            def advance(stage: str, count: int, name: str = name, shown: Any = shown) -> None:
                bar.update(shown, advance=count, description=f"{name}: {stage}")

            figures[name] = run(work, task, advance, name, "use fewer clients with --clients")
    config = {
        **identity(require_model(model)),
        "minutes": minutes,
        "clients": clients,
        "users": users,
        "workers": workers,
        "mix": MIX,
        "seed": seed,
    }
    publish(out_dir / "load.json", config, figures, show=lambda: _show(figures), as_json=as_json)


def _show(figures: Mapping[str, Any]) -> None:
    whole = Table(title="Load", title_justify="left")
    whole.add_column("")
    rows = ("requests", "requests_per_s", "acknowledged", "lost", "crossed")
    verbs = Table(title="Time of an answer: ms", title_justify="left")
    for column in ("verb", "where", "requests", "p50", "p95", "p99"):
        verbs.add_column(column, justify="left" if column in ("verb", "where") else "right")
    for name in figures:
        whole.add_column(name, justify="right")
    for row in rows:
        whole.add_row(row.replace("_", " "), *(f"{one[row]:,}" for one in figures.values()))
    whole.add_row("errors", *(f"{sum(one['errors'].values()):,}" for one in figures.values()))
    for verb in sorted({verb for one in figures.values() for verb in one["verbs"]}):
        for name, one in figures.items():
            if (times := one["verbs"].get(verb)) is not None:
                spread = (f"{times[rank]:,.1f}" for rank in ("p50", "p95", "p99"))
                verbs.add_row(verb, name, f"{times['requests']:,}", *spread)
    out().print(whole)
    out().print(verbs)
