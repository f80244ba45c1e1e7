"""``python -m benchmarks compare``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import rich_click as click

from benchmarks.compare import measure as measuring
from benchmarks.compare import report
from benchmarks.compare.plan import Inputs, Plan
from benchmarks.compare.workers import WITHOUT_VNNI, Build
from benchmarks.errors import BenchmarkError
from benchmarks.results import out_option, publish, seed_option
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option
from r3mem_agents.errors import NotFoundError


@click.command(
    "compare",
    epilog=examples("python -m benchmarks compare .venv-earlier/bin/python .venv-now/bin/python"),
)
@click.argument(
    "earlier", type=click.Path(path_type=Path), help="Python that has the earlier build."
)
@click.argument("now", type=click.Path(path_type=Path), help="Python that has the later build.")
@click.option(
    "--turns", type=click.IntRange(min=100), default=10_000, help="Turns that lookups are among."
)
@click.option(
    "--many",
    type=click.IntRange(min=100),
    default=100_000,
    help="Turns that the first lookup is among.",
)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=4, help="How often both measure, in turn."
)
@click.option(
    "--without-vnni", is_flag=True, help="Measure once more with nothing better than AVX2."
)
@seed_option
@out_option
@json_option
def compare(
    earlier: Path,
    now: Path,
    turns: int,
    many: int,
    rounds: int,
    without_vnni: bool,
    seed: int,
    out_dir: Path,
    as_json: bool,
) -> None:
    """Measure a build beside an earlier one, and lookups beside peers, in one run on Linux.

    Each build is installed in an environment of its own that has nothing else; it makes its own
    memories, with the model that it comes with.
    """
    builds = [Build("earlier", earlier), Build("now", now)]
    for build in builds:
        if not build.python.is_file():
            raise NotFoundError(f"there is no Python at {build.python}")
    if not Path("/proc/self/status").exists():
        raise BenchmarkError("peak memory is read from /proc: run this benchmark on Linux")
    plan = Plan(turns, many, rounds, seed=seed)
    modes = {"all_instructions": {}, **({"without_vnni": WITHOUT_VNNI} if without_vnni else {})}
    figures = measure(builds, plan, modes)
    ours = figures["builds"]["now"]
    config = {
        "model": ours["model"],
        "fingerprint": ours["fingerprint"],
        "source": "the demo's meetings, and their sentences recombined",
        "turns": plan.turns,
        "many": plan.many,
        "rounds": plan.rounds,
        "questions": plan.questions * plan.rounds,
        "batch": plan.batch,
        "seed": seed,
        "withheld": modes.get("without_vnni"),
    }
    publish(
        out_dir / "compare.json",
        config,
        figures,
        show=lambda: report.show(out(), figures),
        as_json=as_json,
    )


def measure(builds: list[Build], plan: Plan, modes: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the figures of two builds, with all instructions and with some withheld."""
    inputs = Inputs.of(plan)
    with progress(by_itself=False) as bar, tempfile.TemporaryDirectory() as folder:
        task = bar.add_task("comparing", total=measuring.steps(builds, plan, len(modes)))

        def advance() -> None:
            bar.update(task, advance=1, refresh=True)

        identities = {build.name: build.alone({}, "identity") for build in builds}
        sizes = {build.name: build.alone({}, "installed_bytes") for build in builds}
        measuring.fill(builds, plan, inputs, Path(folder), advance)
        return {
            "builds": identities,
            "installed_bytes": {**sizes, "ratio": round(sizes["now"] / sizes["earlier"], 4)},
            "modes": {
                mode: measuring.measure(builds, plan, inputs, Path(folder), withheld, advance)
                for mode, withheld in modes.items()
            },
        }
