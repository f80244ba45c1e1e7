"""The tables of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def show(console: Console, figures: Mapping[str, Any]) -> None:
    """Print the builds beside each other, for all instructions and for those left."""
    for mode, found in figures["modes"].items():
        products = found["products"]
        table = Table(title=mode.replace("_", " "), title_justify="left")
        table.add_column("what")
        for name, kernel in products.items():
            table.add_column(f"{name} ({kernel})", justify="right")
        table.add_column("ratio", justify="right")
        for what, row in [("installed_bytes", figures["installed_bytes"]), *found.items()]:
            if what != "products":
                cells = (amount(what, _median(row[name])) for name in products)
                table.add_row(what.replace("_", " "), *cells, f"{row['ratio']:.3g}")
        console.print(table)
        console.print(f"in the demo's meetings: {beside(found)}")


def beside(found: Mapping[str, Any]) -> str:
    """The peers' lookups in one line."""
    rows = found["meetings_ms"]
    others = [name for name in rows if name not in (*found["products"], "ratio")]
    return ", ".join(f"{name} {amount('ms', rows[name]['median'])}" for name in others)


def amount(what: str, value: float) -> str:
    """A figure with the unit that its name ends in."""
    if what.endswith("bytes"):
        return f"{value / 1e6:,.1f} MB"
    if what.endswith("per_s"):
        return f"{value:,.0f} /s"
    return f"{value:,.2f} {what.rpartition('_')[2]}"


def _median(row: Any) -> float:
    return float(row["median"]) if isinstance(row, Mapping) else float(row)
