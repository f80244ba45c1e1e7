"""The text of a demonstration, made from its JSON alone, so that the two say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from r3mem_agents.cli.console import shorten
from r3mem_agents.cli.demo.report import VECTOR_BYTES, VECTOR_DIMENSIONS
from r3mem_agents.cli.demo.run import RECALLED

SHOWN_CHARACTERS = 120


def show(console: Console, record: Mapping[str, Any]) -> None:
    """Print everything.

    Args:
        console: Console to print on.
        record: The record from ``report``, with ``database`` and ``picture``.
    """
    _show_summary(console, record)
    _show_storage(console, record)
    for number, answer in enumerate(record["shown"], 1):
        _show_answer(console, number, answer)
    _show_close(console, record)


def _show_summary(console: Console, record: Mapping[str, Any]) -> None:
    turns, exact, seconds = record["turns"], record["byte_exact_turns"], record["write_seconds"]
    console.print(f"\n[bold]{record['source']}[/bold]", soft_wrap=True)
    console.print(
        f"compressed {turns:,} turns ({decimal(record['text_bytes'])}) "
        f"in {seconds:.1f} s: {turns / seconds:,.0f} turns/s"
    )
    style = "bold green" if exact == turns else "bold red"
    console.print(
        f"expanded them again in {record['read_seconds']:.1f} s: "
        f"[{style}]{exact:,} of {turns:,} turns are the same to the byte[/{style}]\n"
    )


def _show_storage(console: Console, record: Mapping[str, Any]) -> None:
    stored = record["stored"]
    table = Table(title="What is stored", title_justify="left", title_style="bold")
    table.add_column("what")
    table.add_column("bytes", justify="right")
    table.add_column("of the text", justify="right")

    def row(label: str, size: int, style: str = "") -> None:
        share = size / max(stored["text_bytes"], 1)
        table.add_row(label, f"{size:,}", f"{share:.1%}", style=style)

    row("text (UTF-8)", stored["text_bytes"])
    table.add_section()
    row("memory tokens: bring the text back", stored["code_bytes"], "bold")
    row("gists: what a turn is about", stored["gist_bytes"])
    row("term index: keyed hashes of terms", stored["term_bytes"])
    row("whole database file, names and times too", stored["file_bytes"], "bold")
    table.add_section()
    row("a vector store, at least (computed) *", record["vector_store_bytes_computed"])
    console.print(table)
    console.print(
        f"* per turn {VECTOR_BYTES:,} bytes of vector ({VECTOR_DIMENSIONS} float32) and "
        "the text; identifiers and index come on top\n"
        f"{stored['bits_per_token']:.2f} bits per token; {stored['inferred_share']:.1%} of "
        f"{stored['tokens']:,} tokens are the model's first guess; fall-backs: "
        f"{stored['packed_segments']:,} segments packed, {stored['literal_segments']:,} literal\n",
        soft_wrap=True,
    )


def _show_answer(console: Console, number: int, answer: Mapping[str, Any]) -> None:
    console.print(
        Text.assemble(
            (f"Q{number}  {answer['question']}", "bold"),
            (f"  {answer['milliseconds']:.0f} ms", "cyan"),
        )
    )
    table = Table(box=None, show_header=False, padding=(0, 1))
    for hit in answer["hits"]:
        place = f"{hit['session']}, turn {hit['turn']} of {hit['turns']}"
        table.add_row(
            f"{hit['score']:.2f}",
            Text("●" if hit["gold"] else "○", style="bold green" if hit["gold"] else "dim"),
            Text.assemble(
                (hit["speaker"], "bold"),
                (f", {place}\n", "dim"),
                shorten(hit["text"], SHOWN_CHARACTERS),
            ),
        )
    console.print(table if answer["hits"] else "  nothing relevant")
    console.print()


def _show_close(console: Console, record: Mapping[str, Any]) -> None:
    console.print(
        f"● the data set marks the turn as answering the question: one or more of {RECALLED} "
        f"recalled turns do\n  for {record['questions_with_a_gold_turn']} of all "
        f"{record['questions']} questions; median {record['recall_ms_p50']:.0f} ms. "
        "The meetings carry no dates, hence meeting and turn.",
        soft_wrap=True,
    )
    if record["picture"]:
        console.print(f"picture: {record['picture']}", soft_wrap=True)
    db = record["database"]
    console.print(
        f"memory:  {db}; try: r3mem recall --db {db} --user demo 'your question'", soft_wrap=True
    )
