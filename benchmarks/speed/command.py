"""``python -m benchmarks speed``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from benchmarks import dialogues, synthetic
from benchmarks.results import identity, out_option, publish, seed_option
from benchmarks.speed import measure as measuring
from benchmarks.speed import report
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.native.library import library


@click.command(
    "speed",
    epilog=examples(
        "python -m benchmarks speed --quick",
        "python -m benchmarks speed --turns 100000 --data dialogues/ --json",
    ),
)
@click.option("--turns", type=click.IntRange(min=100), default=10_000, help="Turns in the memory.")
@click.option("--quick", is_flag=True, help="500 turns, a tenth of the rest.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Draw turns from these dialogues instead of the demo's.",
)
@seed_option
@out_option
@model_option
@json_option
def speed(
    turns: int,
    quick: bool,
    data: tuple[Path, ...],
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Time writes, lookups and expansion, and weigh the file.

    Turns are drawn from --data as they are; by default one to three sentences of the demo's
    meetings are put together and numbered.
    """
    plan = measuring.Plan.of(turns, quick, seed)
    files = dialogues.find_files(data) if data else []
    stock = (
        [said.text for path in files for said in dialogues.read_turns(path)]
        if files
        else synthetic.demo_texts()
    )
    if not stock:
        raise InvalidInputError("the data holds no dialogue turns")
    made = synthetic.make_turns(stock, plan.turns, seed, combine=not files)
    reversible = require_model(model)
    with progress(by_itself=False) as bar:
        tasks = {name: bar.add_task(name, total=total) for name, total in plan.steps.items()}

        def advance(stage: str, steps: int) -> None:
            bar.update(tasks[stage], advance=steps, refresh=True)

        figures = measuring.measure(reversible, made, plan, advance)
    figures["wheel_bytes"] = measuring.wheel_bytes(Path("dist"))
    config: dict[str, object] = {
        **identity(reversible),
        "kernel": library().kernel,
        "turns": plan.turns,
        "single_writes": plan.single_writes,
        "lookups": plan.lookups,
        "source": [path.name for path in files] or "sentences of the demo's meetings, recombined",
        "seed": seed,
    }
    publish(
        out_dir / "speed.json",
        config,
        figures,
        show=lambda: report.show(out(), figures, plan.turns),
        as_json=as_json,
    )
