"""Which turns are decoded to fill a context: those that may fit into what is left of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from r3mem_agents.memory.context import Budget

T = TypeVar("T")
R = TypeVar("R")

MAX_SHRINKING = 2
"""A line in a context has more than a half of its turn's tokens, as the model counts both: only
after a line break, which is indented, may there be fewer. Chosen."""


def fitting(
    turns: Iterable[T],
    segments: Callable[[T], int],
    segment_tokens: int,
    budget: Budget,
    decode: Callable[[Sequence[T]], Iterable[R]],
) -> Iterator[R | None]:
    """Yield decoded turns, as many as may fit together at a time.

    Args:
        turns: The turns, best first.
        segments: How many segments a turn has; 0 if that says nothing about the budget.
        segment_tokens: Tokens of a segment; the last one of a turn may have fewer.
        budget: What is left, which the caller changes between two turns.
        decode: Decodes some turns; damaged ones are left out.

    Yields:
        The turns; ``None`` for one that is too long.
    """
    waiting = deque(turns)
    while waiting:
        together: list[T] = []
        room = budget.left
        while waiting and (room > 0 or not together):
            turn = waiting.popleft()
            tokens = segment_tokens * segments(turn)
            if tokens - segment_tokens > MAX_SHRINKING * budget.left:
                yield None
            else:
                together.append(turn)
                room -= tokens
        yield from decode(together)
