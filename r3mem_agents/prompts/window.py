"""The newest turns of a conversation, as a host's prompt shows them beside what is recalled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.types import StoredTurn

Item = TypeVar("Item")

FIRST_READ = 16
"""Turns that are expanded at first; each further read takes twice as many."""

INSTRUCTIONS = ("system", "developer")
REPLIES = ("tool", "function")


def newest_first(memory: CompressiveMemory, ids: Sequence[int]) -> Iterator[StoredTurn]:
    """Read turns from the last of the ids to the first, as far as the caller goes.

    Args:
        memory: The memory that holds them.
        ids: As ``turn_ids`` has them; those that it does not hold any more are passed over.
    """
    end, count = len(ids), FIRST_READ
    while end > 0:
        start = max(0, end - count)
        yield from reversed(memory.fetch(turn_ids=ids[start:end]))
        end, count = start, 2 * count


def fit_window(
    messages: Iterable[Item],
    token_budget: int,
    cost: Callable[[Item], int],
    role: Callable[[Item], str],
) -> list[Item]:
    """Take the newest messages that fit, as chat models want them.

    The first one is a user's, instructions apart, and a tool's result follows the call: what stands
    before the first user's message is left out, if there is one.

    Args:
        messages: The newest first, read only as far as they fit.
        token_budget: Maximum number of tokens; the last user's message and what follows it is kept
            even so.
        cost: Tokens of a message.
        role: Role of a message.

    Returns:
        The messages, oldest first.
    """
    taken: list[Item] = []
    spent = fitting = 0
    asked = False
    for item in messages:
        spent += cost(item)
        if spent > token_budget and asked:
            break
        taken.append(item)
        asked = asked or role(item) == "user"
        if spent <= token_budget or len(taken) == 1:
            fitting = len(taken)
    if not asked:
        taken = taken[:fitting]
    taken.reverse()
    first = next((place for place, item in enumerate(taken) if role(item) == "user"), 0)
    window = [item for item in taken[:first] if role(item) in INSTRUCTIONS]
    for item in taken[first:]:
        before = role(window[-1]) if window else "user"
        if role(item) not in REPLIES or before not in ("user", *INSTRUCTIONS):
            window.append(item)
    return window
