"""The newest turns of a conversation, as a host's prompt shows them beside what is recalled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.types import StoredTurn

Item = TypeVar("Item")

FIRST_READ = 16
"""Turns that are expanded at first; each further read takes twice as many."""

TURNS_PER_MESSAGE = 4
"""Maximum number of turns that are read for each message to be found; chosen: a question, a call,
its result and an answer, of which clients resend the first and the last."""

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


def shown_turns(
    memory: CompressiveMemory, said: Iterable[tuple[str, str]], known: Collection[int] = ()
) -> set[int]:
    """Ids of the newest turns of a session that a prompt shows as messages already.

    Hosts that resend a history name no ids in it: a message is known by its role and text.

    Args:
        memory: Bound to the session.
        said: Role and text of each message.
        known: Ids of turns that other messages are known to show.
    """
    left = Counter((role, text.strip()) for role, text in said)
    ids = [id_ for id_ in memory.turn_ids(memory.session) if id_ not in known]
    found: set[int] = set()
    for one in newest_first(memory, ids[-TURNS_PER_MESSAGE * left.total() :] if left else ()):
        if not left.total():
            break
        if left[one.role, one.text.strip()] > 0:
            left[one.role, one.text.strip()] -= 1
            found.add(one.id)
    return found


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
