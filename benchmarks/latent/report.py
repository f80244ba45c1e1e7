"""The tables of the benchmark of memory tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def show_reading(console: Console, figures: Mapping[str, Any]) -> None:
    """Print what texts cost after each history, and what histories cost."""
    for source, found in figures["reading"].items():
        console.print(_reading(source, found))
    cost = figures["costs"]
    console.print(
        f"{cost['history_tokens']:,} tokens as {cost['memory_tokens']}: compressed in "
        f"{cost['compress_s']:.2f} s, then read in {cost['read_after_memory_s']:.2f} s instead of "
        f"{cost['read_after_history_s']:.2f} s"
    )


def show_questions(console: Console, figures: Mapping[str, Any]) -> None:
    """Print what answers came to."""
    for source, found in figures["passages"].items():
        console.print(_ways(source, found["ways"]))
    found = figures["conversations"]
    console.print(_ways(f"conversations, {found['budget']} tokens", found["ways"]))


def _reading(source: str, found: Mapping[str, Any]) -> Table:
    table = Table(
        title=f"{source}: nats a token, {found['windows']} texts, {found['tokens']:,} tokens",
        title_justify="left",
    )
    names = ("none", "same", "half", "memory", "full", "raw", "beside")
    for column in ("history", "segment", *names, "share", "beside"):
        table.add_column(column, justify="right")
    for cell in found["cells"]:
        table.add_row(
            str(cell["history"]),
            str(cell["segment"]),
            *(f"{cell['nats'][name]:.3f}" if name in cell["nats"] else "-" for name in names),
            f"{cell['share']:.2f}",
            f"{cell['share_beside']:.2f}",
        )
    return table


def _ways(title: str, ways: Mapping[str, Mapping[str, float]]) -> Table:
    questions = next(iter(ways.values()))["questions"]
    table = Table(title=f"{title}: {questions} questions", title_justify="left")
    table.add_column("known")
    for column in ("exact match", "F1", "nats", "prompt tokens"):
        table.add_column(column, justify="right")
    for way, found in ways.items():
        table.add_row(
            way.replace("_", " "),
            f"{found['exact']:.3f}",
            f"{found['f1']:.3f}",
            f"{found['nats']:.3f}",
            f"{found['prompt_tokens']:,.0f}",
        )
    return table
