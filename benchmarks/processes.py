"""Work in separate processes, so that memory and time are those of one system alone."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, Protocol, TypeVar

from benchmarks.errors import BenchmarkError
from r3mem_agents.cli.console import progress

Task = TypeVar("Task")
Result = TypeVar("Result")


class OfSystem(Protocol):
    """The work of one system."""

    @property
    def system(self) -> str:
        """Its name."""

    @property
    def steps(self) -> int:
        """How many steps its work takes."""


Work = TypeVar("Work", bound=OfSystem)

Advance = Callable[[str, int], None]
"""Called with the name of a stage and the number of steps just done."""

Steps = SimpleQueue[tuple[str, int]]

POLL_S = 0.1

_steps: Steps | None = None  # the way back to the parent, in the child


def run_each(
    work: Callable[[Work, Advance], Result], tasks: Iterable[Work], hint: str
) -> dict[str, Result]:
    """Run a function for each system in a new process, one after the other, under progress bars.

    Args:
        work: A function of a module, which the new processes import.
        tasks: Its arguments.
        hint: Advice in the message of an error.

    Returns:
        What it returned, by system.

    Raises:
        BenchmarkError: If a process died.
    """
    done = {}
    with progress() as bar:
        bars = [(task, bar.add_task(task.system, total=task.steps)) for task in tasks]
        for task, here in bars:

            def advance(stage: str, count: int, name: str = task.system, bar_: Any = here) -> None:
                bar.update(bar_, advance=count, description=f"{name}: {stage}")

            done[task.system] = run(work, task, advance, task.system, hint)
            bar.update(here, description=task.system)
    return done


def run(
    work: Callable[[Task, Advance], Result], task: Task, advance: Advance, name: str, hint: str
) -> Result:
    """Run a function in a new process.

    Args:
        work: A function of a module, which the new process imports.
        task: Its argument.
        advance: Called with the progress, in this process.
        name: Name of the system measured, for the message of an error.
        hint: Advice in that message.

    Raises:
        BenchmarkError: If the process died.
    """
    context = multiprocessing.get_context("spawn")
    steps: Steps = context.SimpleQueue()
    with ProcessPoolExecutor(
        1, mp_context=context, initializer=_connect, initargs=(steps,)
    ) as pool:
        future = pool.submit(_work, work, task)
        while not wait_for([future], timeout=POLL_S).done:
            _pass_on(steps, advance)
        _pass_on(steps, advance)
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise BenchmarkError(
                f"the process that measured {name} was ended from outside; most likely it ran out "
                f"of memory: {hint}"
            ) from error


def peak_bytes() -> int | None:
    """Return the peak resident memory of this process.

    On Linux ``getrusage`` includes the process that it was started from, so the kernel's own
    high-water mark is read instead. ``None`` where neither is available.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for entry in status.read_text(encoding="utf-8").splitlines():
            if entry.startswith("VmHWM:"):
                return 1024 * int(entry.split()[1])
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _pass_on(steps: Steps, advance: Advance) -> None:
    while not steps.empty():
        advance(*steps.get())


def _connect(steps: Steps) -> None:
    global _steps
    _steps = steps
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's worker does not notice that its parent was killed, and would keep working for nobody.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(work: Callable[[Task, Advance], Result], task: Task) -> Result:
    steps = _steps
    assert steps is not None
    return work(task, lambda stage, count: steps.put((stage, count)))
