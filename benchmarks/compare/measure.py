"""Lets both builds and the peers measure the same in turn, and sums up."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compare.plan import Inputs, Plan
from benchmarks.compare.workers import Build, Worker, peers

Samples = dict[str, list[float]]
"""Measurements of one round, by what was measured."""

Advance = Callable[[], None]

TURNS, MANY, MEETINGS = "turns.db", "many.db", "meetings.db"


@dataclass(frozen=True, slots=True)
class Case:
    """One build in one round.

    Attributes:
        build: The build.
        worker: A process that has it.
        withheld: Variables of the environment of such processes.
        folder: Folder of the build's memories.
        number: The round.
        plan: How much to measure.
        inputs: What it is measured on.
    """

    build: Build
    worker: Worker
    withheld: Mapping[str, str]
    folder: Path
    number: int
    plan: Plan
    inputs: Inputs

    def path(self, name: str) -> str:
        """Path of one of the build's memories."""
        return str(self.folder / name)

    def mine(self, all_rounds: Sequence[Any]) -> list[Any]:
        """The part of a sequence that belongs to this round."""
        return list(all_rounds[self.number :: self.plan.rounds])


def expand(case: Case) -> Samples:
    """Expand a batch of turns."""
    turns = case.mine(case.inputs.turns)[: case.plan.batch]
    found = case.worker.ask("expand", texts=[turn["text"] for turn in turns])
    return {
        f"expand_{unit}_per_s": [1000 * found[unit] / found["ms"]] for unit in ("tokens", "bytes")
    }


def look_up(case: Case) -> Samples:
    """Look up among turns."""
    asked = case.mine(case.inputs.questions)
    found = case.worker.ask("look_up", path=case.path(TURNS), questions=asked)
    return {"recall_ms": found["first"], "recall_again_ms": found["again"]}


def look_up_meetings(case: Case) -> Samples:
    """Look up in the demo's meetings."""
    asked = case.mine(case.inputs.meeting_questions)
    found = case.worker.ask("look_up", path=case.path(MEETINGS), questions=asked)
    return {"meetings_ms": found["first"], "meetings_again_ms": found["again"]}


def write(case: Case) -> Samples:
    """Write turns one by one, and as a batch."""
    turns, path = case.mine(case.inputs.turns), case.path(f"written-{case.number}.db")
    single, batch = turns[: case.plan.single], turns[-case.plan.batch :]
    one_ms = case.worker.ask("write_each", path=path, turns=single)
    batch_ms = case.worker.ask("write_batch", path=path, turns=batch)
    return {"write_one_ms": one_ms, "write_turns_per_s": [1000 * len(batch) / batch_ms]}


def shell(case: Case) -> Samples:
    """Look up from the shell."""
    asked = case.mine(case.inputs.questions)[0]
    seconds = case.build.shell(case.withheld, "recall", "--db", case.path(TURNS), asked)
    return {"shell_cpu_s": [seconds]}


def first_lookup(case: Case) -> Samples:
    """Open a memory of many turns in a new process, and look up."""
    asked = case.mine(case.inputs.questions)[0]
    request = {"path": case.path(MANY), "question": asked}
    return {"first_lookup_ms": [case.build.alone(case.withheld, "open_and_ask", **request)]}


def peak(case: Case) -> Samples:
    """Look up in a new process, and read how much memory it took."""
    request = {"path": case.path(TURNS), "questions": case.mine(case.inputs.questions)}
    return {"peak_bytes": [case.build.alone(case.withheld, "peak_bytes", **request)]}


STAGES = (expand, look_up, look_up_meetings, write, shell, first_lookup, peak)


def steps(builds: Sequence[Build], plan: Plan, modes: int) -> int:
    """How often ``measure`` and ``fill`` report progress."""
    return len(builds) * 3 + modes * (plan.rounds * (len(STAGES) * len(builds) + 1) + 1)


def fill(
    builds: Sequence[Build], plan: Plan, inputs: Inputs, folder: Path, advance: Advance
) -> None:
    """Let each build make memories of its own, all at once: this is not timed."""

    def fill_one(build: Build) -> None:
        mine = folder / build.name
        mine.mkdir()
        with build.worker({}) as worker:
            for name, turns, count in (
                (MEETINGS, inputs.meetings, len(inputs.meetings)),
                (TURNS, inputs.turns, plan.turns),
                (MANY, inputs.turns, plan.many),
            ):
                worker.ask("fill", path=str(mine / name), turns=turns, count=count)
                advance()

    with ThreadPoolExecutor(len(builds)) as pool:
        list(pool.map(fill_one, builds))


def measure(
    builds: Sequence[Build],
    plan: Plan,
    inputs: Inputs,
    folder: Path,
    withheld: Mapping[str, str],
    advance: Advance,
) -> dict[str, Any]:
    """Measure in rounds, in each of which the builds take turns at every stage.

    Args:
        builds: The builds, with their memories in ``folder``.
        plan: How much to measure.
        inputs: What to measure it on.
        folder: Where ``fill`` made memories.
        withheld: Variables of the environment of all that is measured.
        advance: Progress.
    """
    rounds: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        workers = {build.name: stack.enter_context(build.worker(withheld)) for build in builds}
        products = {name: worker.ask("products") for name, worker in workers.items()}
        others = stack.enter_context(peers(withheld))
        texts = [turn["text"] for turn in inputs.meetings]
        others.ask("hold", texts=texts, path=str(folder / f"fts5-{len(withheld)}.db"))
        advance()
        for number in range(plan.rounds):
            for stage in STAGES:
                for build in builds if number % 2 == 0 else reversed(builds):
                    worker, mine = workers[build.name], folder / build.name
                    case = Case(build, worker, withheld, mine, number, plan, inputs)
                    for what, samples in stage(case).items():
                        rounds[what][build.name].append(samples)
                    advance()
            asked = inputs.meeting_questions[number :: plan.rounds]
            for name, samples in others.ask("look_up", questions=asked).items():
                rounds["meetings_ms"][name].append(samples)
            advance()
    figures = {what: summary(by_system, what) for what, by_system in rounds.items()}
    return {"products": products, **figures}


def summary(by_system: Mapping[str, list[list[float]]], what: str) -> dict[str, Any]:
    """Sum up the rounds of one measurement.

    Args:
        by_system: Samples by system and round; the first two systems are the builds.
        what: What was measured; rates end in ``_per_s`` and are better if they are higher.

    Returns:
        For each system the median of all samples and the best median of a round, and the later
        build's median as a multiple of the earlier one's.
    """
    best = max if what.endswith("_per_s") else min
    found: dict[str, Any] = {
        name: {
            "median": _short(statistics.median(sample for one in rounds for sample in one)),
            "best": _short(best(map(statistics.median, rounds))),
        }
        for name, rounds in by_system.items()
    }
    earlier, now = (found[name]["median"] for name in list(found)[:2])
    return {**found, "ratio": _short(now / earlier)}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
