"""``r3mem demo``: a real conversation into memory tokens and back, with lookups and a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from r3mem_agents.cli.console import (
    bytes_text,
    emit_json,
    err,
    examples,
    out,
    progress,
    shorten,
    warn,
)
from r3mem_agents.cli.options import JsonOption, ModelOption, require_model
from r3mem_agents.demo import meetings, picture, run
from r3mem_agents.errors import InvalidInputError, MissingExtraError
from r3mem_agents.types import MemoryStats

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel

commands = typer.Typer()

DEFAULT_DEMO_DB = Path("r3mem-demo.db")
SHOWN_CHARACTERS = 120


@commands.command(
    "demo",
    rich_help_panel="See it work",
    epilog=examples(
        "r3mem demo",
        "r3mem demo --db /tmp/meetings.db --json",
    ),
)
def demo(
    db: Annotated[
        Path, typer.Option("--db", help="Where to put the memory; its picture goes beside it.")
    ] = DEFAULT_DEMO_DB,
    turns: Annotated[
        int | None,
        typer.Option(
            "--turns", min=4, help="Only the first turns of each meeting, so many in all."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file named by --db.")] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remember four real meetings, check every byte, ask questions, draw the memory."""
    loaded = meetings.load(turns)
    console = err() if as_json else out()
    reversible = require_model(model)
    _clear(db, force)
    from r3mem_agents import CompressiveMemory

    scales = run.Scales(reversible)
    weighing = cast("ReversibleModel", scales)
    with CompressiveMemory(str(db), user="demo", model=weighing) as memory:
        with progress() as bar:
            task = bar.add_task("compressing the meetings", total=len(loaded.turns))
            written = run.ingest(memory, loaded, lambda n: bar.advance(task, n))
            task = bar.add_task("expanding every turn", total=len(loaded.turns))
            read = run.check(memory, loaded, lambda n: bar.advance(task, n))
            task = bar.add_task("asking questions", total=len(loaded.questions))
            answers = run.ask(memory, loaded, lambda n: bar.advance(task, n))
        stats = memory.stats()
    shown = [answer for answer in answers if answer.question.shown]
    drawn = _draw(db.with_suffix(".png"), reversible, scales.costs(loaded.turns), shown)
    if as_json:
        record = run.report(loaded, written, read, answers, stats)
        emit_json({**record, "model": reversible.name, "database": str(db), "picture": drawn})
    else:
        _show_summary(console, loaded, written, read)
        _show_storage(console, stats)
        for number, answer in enumerate(shown, 1):
            _show_answer(console, number, answer)
        _show_close(console, answers, db, drawn)
    if read.exact != read.turns:
        raise typer.Exit(1)


def _clear(db: Path, force: bool) -> None:
    """Remove the database of an earlier run; any other file only if told to."""
    if db.exists() and db != DEFAULT_DEMO_DB and not force:
        raise InvalidInputError(f"{db} exists; add --force to replace it")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{db}{suffix}").unlink(missing_ok=True)


def _draw(
    path: Path, model: ReversibleModel, costs: list[run.TurnCost], shown: list[run.Answer]
) -> str | None:
    """Draw the picture; ``None`` if matplotlib is missing."""
    try:
        picture.draw(
            path,
            costs,
            shown,
            packed_bits=math.ceil(math.log2(len(model.static_counts))),
            static_bits=_static_bits(model, [cost.turn.text for cost in costs]),
        )
    except MissingExtraError as error:
        warn(f"no picture: {error}")
        return None
    return str(path)


def _static_bits(model: ReversibleModel, texts: list[str]) -> float:
    """Bits per token of an ideal static entropy coder on texts."""
    from r3mem_agents.bench.peers import static_costs

    costs = static_costs(model.static_counts)
    ids = [token for text in texts for token in model.tokenizer.encode(text)]
    return float(costs[ids].mean())


def _show_summary(
    console: Console, loaded: meetings.Meetings, written: run.Ingestion, read: run.Check
) -> None:
    console.print(f"\n[bold]{loaded.source}[/bold]", soft_wrap=True)
    console.print(
        f"compressed {written.turns:,} turns ({bytes_text(written.text_bytes)}) "
        f"in {written.seconds:.1f} s: {written.turns / written.seconds:,.0f} turns/s"
    )
    style = "bold green" if read.exact == read.turns else "bold red"
    console.print(
        f"expanded them again in {read.seconds:.1f} s: "
        f"[{style}]{read.exact:,} of {read.turns:,} turns are the same to the byte[/{style}]\n"
    )


def _show_storage(console: Console, stats: MemoryStats) -> None:
    table = Table(title="What is stored", title_justify="left", title_style="bold")
    table.add_column("what")
    table.add_column("bytes", justify="right")
    table.add_column("of the text", justify="right")

    def row(label: str, size: int, style: str = "") -> None:
        share = size / max(stats.text_bytes, 1)
        table.add_row(label, f"{size:,}", f"{share:.1%}", style=style)

    row("text (UTF-8)", stats.text_bytes)
    table.add_section()
    row("memory tokens: bring the text back", stats.code_bytes, "bold")
    row("gists: what a turn is about", stats.gist_bytes)
    row("entity index: keyed hashes of terms", stats.entity_bytes)
    row("whole database file, names and times too", stats.file_bytes, "bold")
    table.add_section()
    row("a vector store, at least (computed) *", run.vector_store_bytes(stats))
    console.print(table)
    console.print(
        f"* per turn {run.VECTOR_BYTES:,} bytes of vector ({run.VECTOR_DIMENSIONS} float32) and "
        "the text; identifiers and index come on top\n"
        f"{stats.bits_per_token:.2f} bits per token; {stats.inferred_share:.1%} of "
        f"{stats.tokens:,} tokens are the model's first guess; fall-backs: "
        f"{stats.packed_segments:,} segments packed, {stats.literal_segments:,} literal\n",
        soft_wrap=True,
    )


def _show_answer(console: Console, number: int, answer: run.Answer) -> None:
    console.print(
        Text.assemble(
            (f"Q{number}  {answer.question.text}", "bold"),
            (f"  {answer.milliseconds:.0f} ms", "cyan"),
        )
    )
    table = Table(box=None, show_header=False, padding=(0, 1))
    for hit in answer.hits:
        facts = hit.metadata
        place = f"meeting {facts['meeting']}, turn {facts['turn']} of {facts['turns']}"
        gold = answer.is_gold(hit)
        table.add_row(
            f"{hit.score:.2f}",
            Text("●" if gold else "○", style="bold green" if gold else "dim"),
            Text.assemble(
                (hit.name or hit.role, "bold"),
                (f", {place}\n", "dim"),
                shorten(hit.text, SHOWN_CHARACTERS),
            ),
        )
    console.print(table if answer.hits else "  nothing relevant")
    console.print()


def _show_close(console: Console, answers: list[run.Answer], db: Path, drawn: str | None) -> None:
    found = sum(answer.found for answer in answers)
    median = sorted(answer.milliseconds for answer in answers)[len(answers) // 2]
    console.print(
        f"● the data set marks the turn as answering the question: one or more of {run.RECALLED} "
        f"recalled turns do\n  for {found} of all {len(answers)} questions; median "
        f"{median:.0f} ms. The meetings carry no dates, hence meeting and turn.",
        soft_wrap=True,
    )
    if drawn:
        console.print(f"picture: {drawn}", soft_wrap=True)
    console.print(
        f"memory:  {db}; try: r3mem recall --db {db} --user demo 'your question'", soft_wrap=True
    )
