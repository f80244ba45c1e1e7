"""Operations that tasks ask for at the same time, done as one batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from langgraph.store.base import Op, Result

from r3mem_agents.errors import InvalidInputError

Batch = Callable[[list[Op]], list[Result]]


class _Asked(NamedTuple):
    ops: Sequence[Op]
    results: asyncio.Future[list[Result]]


@dataclass(slots=True)
class _Queue:
    asked: list[_Asked] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Gathering:
    """Gathers what is asked for in one tick of an event loop, and while a batch is running.

    Batches of a loop run one after the other, in a thread. What a task asked for that was cancelled
    before its batch began is not done.
    """

    def __init__(self) -> None:
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Gathering, ()  # a copy gathers its own

    async def run(self, batch: Batch, ops: Sequence[Op]) -> list[Result]:
        """Do operations in a batch, perhaps with those of others.

        Raises:
            InvalidInputError: If one of these operations is at fault; those of others are done.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            queue = self._queues.setdefault(loop, _Queue())
        asked = _Asked(ops, loop.create_future())
        queue.asked.append(asked)
        if queue.task is None or queue.task.done():
            queue.task = loop.create_task(_empty(queue, batch))
            queue.task.add_done_callback(partial(_let_go, queue))
        return await asked.results


async def _empty(queue: _Queue, batch: Batch) -> None:
    while queue.asked:
        taken, queue.asked = queue.asked, []
        try:
            await _do(batch, taken)
        finally:
            _cancel(taken)


def _let_go(queue: _Queue, task: asyncio.Task[None]) -> None:
    # Something is left to a task that is done only if it was cancelled, perhaps before it began.
    if queue.task is task:
        _cancel(queue.asked)
        queue.task, queue.asked = None, []


def _cancel(asked: Sequence[_Asked]) -> None:
    for one in asked:
        one.results.cancel()  # does nothing to those that are done


async def _do(batch: Batch, taken: Sequence[_Asked]) -> None:
    taken = [one for one in taken if not one.results.done()]
    if not taken:
        return
    try:
        results = await asyncio.to_thread(batch, [op for one in taken for op in one.ops])
    except Exception as error:
        if isinstance(error, InvalidInputError) and len(taken) > 1:
            # Nothing was written: one of them is at fault, and the others are not.
            half = len(taken) // 2
            await _do(batch, taken[:half])
            await _do(batch, taken[half:])
            return
        for one in taken:
            if not one.results.done():
                one.results.set_exception(error)
        return
    rest = iter(results)
    for one in taken:
        mine = [next(rest) for _ in one.ops]
        if not one.results.done():
            one.results.set_result(mine)
