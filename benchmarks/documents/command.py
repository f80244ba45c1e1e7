"""``python -m benchmarks documents``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from benchmarks.recall.systems.names import MEM0, NAMES
from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import err, examples, out, warn
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError

HERE = Path(__file__).parent
SQLITE = HERE / "sets" / "sqlite"
TALK = HERE.parent / "recall" / "sets" / "facts-en.jsonl"

OTHERS = tuple(name for name in NAMES if name != MEM0)
"""mem0 without a language model ranks as ``minilm`` does, more slowly."""


@click.command(
    "documents",
    epilog=examples(
        "python -m benchmarks documents",
        "python -m benchmarks documents --data sets/perl --data sets/python --systems r3mem,bm25",
    ),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    show_default="the project's own set, of SQLite's manual",
    help="Folders of documents and questions, a memory each (benchmarks/documents/README.md).",
)
@click.option(
    "--systems",
    show_default="all that are installed",
    help=f"Systems with commas between: {', '.join(OTHERS)}.",
)
@click.option(
    "--talk",
    type=click.Path(path_type=Path),
    default=TALK,
    show_default="facts-en.jsonl of the recall benchmark",
    help="Conversations that r3mem remembers beside the documents in a second round.",
)
@seed_option
@out_option
@model_option
@json_option
def documents(
    data: tuple[Path, ...],
    systems: str | None,
    talk: Path,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Ask about documents, and count the gold passages that come back.

    Every system gets the same passages, those of whole documents, in a process of its own.
    docs/documents.md has the results.
    """
    from benchmarks.dialogues import digest
    from benchmarks.documents import report
    from benchmarks.documents.figures import summarize
    from benchmarks.documents.measure import Task, measure
    from benchmarks.documents.sets import files_of, read
    from benchmarks.processes import run_each
    from benchmarks.recall.readers import files
    from benchmarks.recall.systems.choice import choose
    from benchmarks.recall.systems.system import Options
    from r3mem_agents.types import DEFAULT_MODEL

    data = data or (SQLITE,)
    with err().status("reading the data"):
        sets = {one.name: one for one in map(read, data)}
        conversations = files.read([talk]).conversations
    if len(sets) < len(data):
        raise InvalidInputError("two folders of --data have the same name")
    choice = choose(systems)
    chosen = [name for name in choice.systems if systems or name != MEM0]
    problems = [problem for one in sets.values() for problem in one.problems]
    for note in (*choice.notes, *problems):
        warn(note)
    reversible = require_model(model)
    options = Options(model or DEFAULT_MODEL, None)
    tasks = [Task(name, sets, conversations, options, seed) for name in chosen]
    measured = run_each(measure, tasks, "measure fewer sets")
    with err().status("summing up"):
        figures = summarize(sets, measured, seed)
    config: dict[str, Any] = {
        **identity(reversible),
        "data": {
            path.relative_to(folder.parent).as_posix(): digest(path)
            for folder in data
            for path in files_of([folder])
        },
        "talk": files.digests([talk]),
        "problems": problems,
        "seed": seed,
    }
    publish(
        out_dir / "documents.json",
        config,
        figures,
        show=lambda: report.show(out(), figures),
        as_json=as_json,
    )
