"""The tables of the documents benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.documents.measure import LOOKED_UP
from benchmarks.recall.report import estimate
from benchmarks.recall.systems.names import OURS

Figures = Mapping[str, Any]


def show(console: Console, figures: Figures) -> None:
    """Print the tables."""
    sets = figures["sets"]
    for name, one in sets.items():
        console.print(
            f"{name}: {one['documents']:,} documents, {one['passages']:,} passages, "
            f"{one['questions']:,} questions with {one['gold_passages_per_question']:.1f} gold "
            "passages each",
            soft_wrap=True,
        )
    for metric in ("recall@5", "recall@10"):
        console.print(_found(figures, metric))
    console.print(_costs(figures))


def _found(figures: Figures, metric: str) -> Table:
    table = Table(title=f"Gold passages found: {metric}", title_justify="left")
    table.add_column("system")
    for column in ("all (95% interval)", *figures["sets"]):
        table.add_column(column, justify="right")
    rows = dict(figures["systems"])
    if "beside_talk" in figures:
        rows[f"{OURS}, beside talk"] = figures["beside_talk"]
    for name, row in rows.items():
        cells = [f"{row['by_set'][one][metric]['value']:.3f}" for one in figures["sets"]]
        style = "bold" if name == OURS else ""
        table.add_row(name, estimate(row["overall"][metric]), *cells, style=style)
    return table


def _costs(figures: Figures) -> Table:
    table = Table(title=f"What it takes: lookups of {LOOKED_UP} passages", title_justify="left")
    table.add_column("system")
    for column in ("p50", "p95", f"p50 / {OURS}'s", "write", "on disk"):
        table.add_column(column, justify="right")
    for name, row in figures["systems"].items():
        times = row["lookup_times_ours"]
        table.add_row(
            name,
            f"{row['lookup_ms']['p50']:.1f} ms",
            f"{row['lookup_ms']['p95']:.1f} ms",
            "-" if times is None else f"{times:.2f}",
            f"{row['write_s']:,.1f} s",
            f"{row['disk_bytes'] / 1e6:,.2f} MB",
        )
    return table
