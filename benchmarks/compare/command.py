"""``python -m benchmarks compare``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.compare import measure as measuring
from benchmarks.compare import report
from benchmarks.compare.plan import Inputs, Plan
from benchmarks.compare.workers import WITHOUT_VNNI, Build
from benchmarks.errors import BenchmarkError
from benchmarks.results import DEFAULT_OUT, OutOption, SeedOption, publish
from r3mem_agents.cli.console import out, progress
from r3mem_agents.cli.options import JsonOption
from r3mem_agents.errors import NotFoundError


def compare(
    earlier: Annotated[Path, typer.Argument(help="Python that has the earlier build.")],
    now: Annotated[Path, typer.Argument(help="Python that has the later build.")],
    turns: Annotated[int, typer.Option(min=100, help="Turns that lookups are among.")] = 10_000,
    many: Annotated[
        int, typer.Option(min=100, help="Turns that the first lookup is among.")
    ] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often both measure, in turn.")] = 4,
    without_vnni: Annotated[
        bool,
        typer.Option("--without-vnni", help="Measure once more with nothing better than AVX2."),
    ] = False,
    seed: SeedOption = 0,
    out_dir: OutOption = DEFAULT_OUT,
    as_json: JsonOption = False,
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
