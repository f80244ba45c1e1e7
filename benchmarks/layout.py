"""``python -m benchmarks layout``: where the bytes of a memory's file go."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import rich_click as click
from rich.table import Table

from benchmarks.errors import BenchmarkError
from benchmarks.results import out_option, publish
from r3mem_agents.cli.console import examples, out
from r3mem_agents.cli.options import json_option
from r3mem_agents.store import Store, Totals, check_there


@click.command("layout", epilog=examples("python -m benchmarks layout alice.db"))
@click.argument(
    "file", type=click.Path(path_type=Path), help="File of a memory; it is left as it is."
)
@out_option
@json_option
def layout(
    file: Path,
    out_dir: Path,
    as_json: bool,
) -> None:
    """Count the bytes of a memory's file: table by table, and what a turn takes."""
    figures = measure(file)
    publish(
        out_dir / "layout.json",
        {"file": file.name},
        figures,
        show=lambda: _show(figures),
        as_json=as_json,
    )


def measure(file: Path) -> dict[str, Any]:
    """Return the bytes of a copy of a file, in this version's format.

    Raises:
        NotFoundError: If there is no file.
        BenchmarkError: If SQLite was built without ``dbstat``.
    """
    check_there(file)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(file, folder))
        with closing(Store(copy)) as store:
            sums = [store.totals(owned.scope) for owned in store.owned()]
        totals = Totals(*map(sum, zip(*sums, strict=True)))
        with closing(sqlite3.connect(copy)) as connection:
            [page] = connection.execute("PRAGMA page_size").fetchone()
            return _figures(totals, _trees(connection), copy.stat().st_size, page)


def _trees(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Every table and index, largest first: bytes of its pages, and what is in them."""
    query = (
        "SELECT name, sum(pgsize), sum(payload), sum(unused), sum(ncell) FROM dbstat"
        " GROUP BY name ORDER BY sum(pgsize) DESC, name"
    )
    try:
        rows = connection.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        raise BenchmarkError(f"this Python's SQLite has no dbstat table: {error}") from error
    names = ("bytes", "payload", "unused", "cells")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _figures(
    totals: Totals, trees: dict[str, dict[str, int]], size: int, page: int
) -> dict[str, Any]:
    parts = {
        "hard memory tokens": totals.code_bytes,
        "gists": totals.gist_bytes,
        "terms": totals.term_bytes,
    }
    parts["all else"] = size - sum(parts.values())
    return {
        "turns": totals.turns,
        "text_bytes": totals.text_bytes,
        "file_bytes": size,
        "page_bytes": page,
        "of_the_text": _share(size, totals),
        "tables": {
            name: tree | {"of_the_text": _share(tree["bytes"], totals)}
            for name, tree in trees.items()
        },
        "parts": {
            name: {
                "bytes": value,
                "a_turn": round(value / max(totals.turns, 1), 2),
                "of_the_text": _share(value, totals),
            }
            for name, value in parts.items()
        },
    }


def _share(size: int, totals: Totals) -> float:
    return round(size / max(totals.text_bytes, 1), 4)


def _show(figures: dict[str, Any]) -> None:
    out().print(
        f"{figures['turns']:,} turns, {figures['text_bytes']:,} bytes of text in a file of "
        f"{figures['file_bytes']:,} bytes: [bold]{figures['of_the_text']:.3f} of the text[/]"
    )
    tables = Table("table or index", "bytes", "payload", "unused", "rows", "of the text")
    for name, one in figures["tables"].items():
        counts = (f"{one[key]:,}" for key in ("bytes", "payload", "unused", "cells"))
        tables.add_row(name, *counts, f"{one['of_the_text']:.3f}")
    parts = Table("part", "bytes", "a turn", "of the text")
    for name, one in figures["parts"].items():
        parts.add_row(
            name, f"{one['bytes']:,}", f"{one['a_turn']:.1f}", f"{one['of_the_text']:.3f}"
        )
    for table in (tables, parts):
        for column in table.columns[1:]:
            column.justify = "right"
        out().print(table)
