"""The table of the speed benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table


def show(console: Console, figures: Mapping[str, Any], turns: int) -> None:
    """Print the table for a memory with a number of turns."""
    table = Table(title=f"Speed and size, {turns:,} turns", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    one = figures["write_one_ms"]
    table.add_row("write one turn, p50 / p95", f"{one['p50']:.1f} / {one['p95']:.1f} ms")
    table.add_row("write in batches", f"{figures['write_batch_turns_per_s'] or 0:,.0f} turns/s")
    for count, times in figures["recall_ms"].items():
        label = f"recall of 5 at {int(count):,} turns, p50 / p95"
        table.add_row(label, f"{times['p50']:.1f} / {times['p95']:.1f} ms")
    for count, times in figures["recall_again_ms"].items():
        label = f"the same once more at {int(count):,} turns"
        table.add_row(label, f"{times['p50']:.1f} / {times['p95']:.1f} ms")
    table.add_row("expand", f"{figures['expand_tokens_per_s'] or 0:,.0f} tokens/s")
    table.add_row("file to text", f"{figures['file_to_text']}")
    table.add_row("memory tokens to text", f"{figures['code_to_text']}")
    table.add_row("import r3mem_agents", f"{figures['import_s_median']} s")
    wheel = figures["wheel_bytes"]
    table.add_row("wheel", "not built" if wheel is None else decimal(wheel))
    console.print(table)
