"""``python -m benchmarks passages``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click
from rich.table import Table

from benchmarks.passages import measure as measuring
from benchmarks.results import identity, out_option, publish
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError


@click.command(
    "passages",
    epilog=examples(
        "python -m benchmarks passages --data documents/",
        "python -m benchmarks passages --data documents/ --limit 20000 --json",
    ),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="A folder with a folder of documents for each kind, such as pdf/ and wikipedia/.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=150_000,
    help="Bytes of text of a kind after which no other document of it is taken.",
)
@out_option
@model_option
@json_option
def passages(data: Path, limit: int, out_dir: Path, model: str | None, as_json: bool) -> None:
    """Weigh documents cut into passages, under the model and under LZMA."""
    found = measuring.find(data, limit)
    if not found:
        raise InvalidInputError(f"{data}: there is no folder in it")
    reversible = require_model(model)
    figures: dict[str, Any] = {}
    with progress(by_itself=False) as bar:
        for kind, documents in found.items():
            task = bar.add_task(kind, total=sum(len(one.passages) for one in documents))

            def advance(steps: int, task: Any = task) -> None:
                bar.update(task, advance=steps, refresh=True)

            figures[kind] = measuring.measure(reversible, documents, advance)
    publish(
        out_dir / "passages.json",
        {**identity(reversible), "limit": limit},
        figures,
        show=lambda: show(figures),
        as_json=as_json,
    )


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(title="Bytes per byte of text", title_justify="left")
    table.add_column("kind")
    for column in next(iter(figures.values()))["bytes"]:
        table.add_column(column, justify="right")
    for kind, one in figures.items():
        rates = (f"{size / one['text_bytes']:.3f}" for size in one["bytes"].values())
        table.add_row(kind, *rates)
    out().print(table)
