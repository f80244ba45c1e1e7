"""``python -m benchmarks recall``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.recall.systems.names import MINILM, NAMES
from benchmarks.results import DEFAULT_OUT, OutOption, SeedOption, identity, publish
from r3mem_agents.cli.console import err, out, progress, warn
from r3mem_agents.cli.options import JsonOption, ModelOption, require_model
from r3mem_agents.errors import InvalidInputError

if TYPE_CHECKING:
    from benchmarks.recall.measure import Measured, Task


def recall(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="Conversations with questions: *.jsonl(.zst), files of LoCoMo, LongMemEval or "
            "BEAM, or folders.",
            show_default="the demo's meetings",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Conversations, the first ones; all if left out.")
    ] = None,
    systems: Annotated[
        str | None,
        typer.Option(
            help=f"Systems with commas between: {', '.join(NAMES)}.",
            show_default="all that are installed",
        ),
    ] = None,
    ablate: Annotated[
        bool,
        typer.Option(
            "--ablate", help="Also rank with other evidence, to see what each level brings."
        ),
    ] = False,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a sentence encoder in the place of minilm's.",
            show_default="all-MiniLM-L6-v2",
        ),
    ] = None,
    seed: SeedOption = 0,
    out_dir: OutOption = DEFAULT_OUT,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask about conversations, and count the gold turns that come back.

    Every system remembers the same turns, in a process of its own. docs/recall.md describes the
    format of the data and what is measured.
    """
    from benchmarks.recall import plot, report
    from benchmarks.recall.ablation import ABLATIONS
    from benchmarks.recall.figures.run import Run
    from benchmarks.recall.figures.summary import summarize
    from benchmarks.recall.measure import Task
    from benchmarks.recall.plan import plan
    from benchmarks.recall.readers import files
    from benchmarks.recall.systems.choice import choose, missing
    from benchmarks.recall.systems.system import Options
    from r3mem_agents.cli.demo import meetings
    from r3mem_agents.types import DEFAULT_MODEL

    data = data or [meetings.FILE]
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
    measured = _run(
        [
            Task(name, dataset.conversations, tuple(asks), options, ablated)
            for name in choice.systems
        ]
    )
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


def _run(tasks: list[Task]) -> dict[str, Measured]:
    from benchmarks.processes import run
    from benchmarks.recall.measure import measure

    measured = {}
    with progress() as bar:
        bars = {task.system: bar.add_task(task.system, total=task.steps) for task in tasks}
        for task in tasks:
            here = bars[task.system]

            def advance(stage: str, count: int, task: Task = task, here: Any = here) -> None:
                bar.update(here, advance=count, description=f"{task.system}: {stage}")

            hint = "measure fewer conversations with --limit"
            measured[task.system] = run(measure, task, advance, task.system, hint)
            bar.update(here, description=task.system)
    return measured
