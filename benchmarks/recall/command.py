"""``python -m benchmarks recall``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from benchmarks.recall.systems.names import MINILM, NAMES
from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import err, examples, out, warn
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError


@click.command(
    "recall",
    epilog=examples(
        "python -m benchmarks recall --data locomo10.json",
        "python -m benchmarks recall --data chats.jsonl --systems r3mem,bm25 --ablate",
    ),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    show_default="the demo's meetings",
    help="Conversations with questions: *.jsonl(.zst), files of LoCoMo, LongMemEval or "
    "BEAM, or folders.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Conversations, the first ones; all if left out."
)
@click.option(
    "--systems",
    show_default="all that are installed",
    help=f"Systems with commas between: {', '.join(NAMES)}.",
)
@click.option(
    "--ablate", is_flag=True, help="Also rank with other evidence, to see what each level brings."
)
@click.option(
    "--encoder",
    type=click.Path(path_type=Path),
    show_default="all-MiniLM-L6-v2",
    help="Folder of a sentence encoder in the place of minilm's.",
)
@seed_option
@out_option
@model_option
@json_option
def recall(
    data: tuple[Path, ...],
    limit: int | None,
    systems: str | None,
    ablate: bool,
    encoder: Path | None,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Ask about conversations, and count the gold turns that come back.

    Every system remembers the same turns, in a process of its own. docs/recall.md describes the
    format of the data and what is measured.
    """
    from benchmarks.processes import run_each
    from benchmarks.recall import plot, report
    from benchmarks.recall.ablation import ABLATIONS
    from benchmarks.recall.figures.run import Run
    from benchmarks.recall.figures.summary import summarize
    from benchmarks.recall.measure import Task, measure
    from benchmarks.recall.plan import plan
    from benchmarks.recall.readers import files
    from benchmarks.recall.systems.choice import choose, missing
    from benchmarks.recall.systems.system import Options
    from r3mem_agents.cli.demo import meetings
    from r3mem_agents.types import DEFAULT_MODEL

    data = data or (meetings.FILE,)
    with err().status("reading the data"):
        dataset = files.read(data, limit)
    asks = plan(dataset.conversations, seed)
    if not any(ask.question.counted for ask in asks):
        raise InvalidInputError("the data holds no question with gold turns")
    choice = choose(systems, encoder)
    for note in (*choice.notes, *dataset.problems):
        warn(note)
    reversible = require_model(model)
    options = Options(model or DEFAULT_MODEL, encoder)
    untaught = missing(MINILM, encoder) if ablate else None
    if untaught is not None:
        warn(f"the gist's teacher is left out: {untaught}")
    ablated = tuple(
        name for name, one in ABLATIONS.items() if ablate and not (one.teacher and untaught)
    )
    tasks = [
        Task(name, dataset.conversations, tuple(asks), options, ablated) for name in choice.systems
    ]
    measured = run_each(measure, tasks, "measure fewer conversations with --limit")
    with err().status("summing up"):
        count = reversible.count_tokens
        figures = summarize(Run(dataset.conversations, asks, measured, seed), count)
    config: dict[str, Any] = {
        **identity(reversible),
        "data": files.digests(data),
        "limit": limit,
        "problems": list(dataset.problems),
        "encoder": encoder.name if encoder else "all-MiniLM-L6-v2",
        "token_counter": "the model's tokenizer",
        "seed": seed,
    }
    publish(
        out_dir / "recall.json",
        config,
        figures,
        show=lambda: report.show(out(), figures),
        plot=lambda picture: plot.plot(picture, figures),
        as_json=as_json,
    )
