"""Each system in a process of its own, so that memory and time are its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue

from r3mem_agents.bench.recall.measure import Advance, Measured, Task, measure
from r3mem_agents.errors import BenchmarkError

Steps = SimpleQueue[tuple[str, int]]

POLL_S = 0.1

_steps: Steps | None = None  # the way back to the parent, in the child


def run(task: Task, advance: Advance) -> Measured:
    """Run a task in a new process.

    Args:
        task: What to do.
        advance: Told about the steps, in this process.

    Raises:
        BenchmarkError: The process died.
    """
    context = multiprocessing.get_context("spawn")
    steps: Steps = context.SimpleQueue()
    with ProcessPoolExecutor(
        1, mp_context=context, initializer=_connect, initargs=(steps,)
    ) as pool:
        future = pool.submit(_work, task)
        while not wait_for([future], timeout=POLL_S).done:
            _pass_on(steps, advance)
        _pass_on(steps, advance)
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise BenchmarkError(
                f"the process that measured {task.system} was ended from outside; most likely it "
                "ran out of memory: measure fewer conversations with --limit"
            ) from error


def _pass_on(steps: Steps, advance: Advance) -> None:
    while not steps.empty():
        advance(*steps.get())


def _connect(steps: Steps) -> None:
    global _steps
    _steps = steps
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's worker does not notice that its parent was killed, and would work on for nobody.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(task: Task) -> Measured:
    steps = _steps
    assert steps is not None
    return measure(task, lambda stage, count: steps.put((stage, count)))
