"""The newest turns of a conversation, as a host's prompt shows them beside what is recalled."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from r3mem_agents.types import Turn

if TYPE_CHECKING:
    from r3mem_agents.memory.memory import CompressiveMemory

Item = TypeVar("Item")

FIRST_READ = 16
"""Turns that are expanded at first; each further read takes twice as many."""

MOST_TURNS = 1000
"""Turns of a memory to keep, the newest ones; chosen to hold any window."""

MOST_MEMORIES = 100
"""Memories to keep turns of, those read last; chosen: with MOST_TURNS short turns each, 50 MB."""

INSTRUCTIONS = ("system", "developer")
REPLIES = ("tool", "function")


class RecentTurns:
    """Turns of a memory, expanded once however often they are asked for.

    An agent reads its window several times per answer; it would be expanded each time. What was
    expanded is shared by all objects of the process, as a server opens memories anew for each
    request. Objects may be shared between threads.
    """

    def __init__(self, memory: CompressiveMemory) -> None:
        """Read turns of a memory."""
        self.memory = memory
        self._kept = _SHELVES.shelf(memory)

    def keep(self, turns: Iterable[Turn]) -> None:
        """Keep turns that were just stored."""
        self._kept.put(turns)

    def newest_first(self, ids: Sequence[int]) -> Iterator[Turn]:
        """Read turns from the last of the ids to the first, as far as the caller goes.

        Args:
            ids: As the memory holds them now; those that it does not hold are passed over.
        """
        end, count = len(ids), FIRST_READ
        while end > 0:
            start = max(0, end - count)
            found = self._read(ids[start:end])
            for id_ in reversed(ids[start:end]):
                if id_ in found:
                    yield found[id_]
            end, count = start, 2 * count

    def _read(self, ids: Sequence[int]) -> dict[int, Turn]:
        found = self._kept.get(ids)
        missing = [id_ for id_ in ids if id_ not in found]
        if missing:
            read = self.memory.fetch(turn_ids=missing)
            self.keep(read)
            found |= {turn.id: turn for turn in read if turn.id is not None}
        return found


class _Shelf:
    """The newest turns of one memory."""

    def __init__(self) -> None:
        self._turns: dict[int, Turn] = {}
        self._lock = threading.Lock()

    def put(self, turns: Iterable[Turn]) -> None:
        with self._lock:
            self._turns |= {turn.id: turn for turn in turns if turn.id is not None}
            for id_ in sorted(self._turns)[:-MOST_TURNS]:
                del self._turns[id_]

    def get(self, ids: Iterable[int]) -> dict[int, Turn]:
        with self._lock:
            return {id_: self._turns[id_] for id_ in ids if id_ in self._turns}


class _Shelves:
    """The memories that were read last."""

    def __init__(self) -> None:
        self._shelves: OrderedDict[Hashable, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def shelf(self, memory: CompressiveMemory) -> _Shelf:
        whose = (memory.location, memory.identity)  # a copy of a file has the same identity
        with self._lock:
            shelf = self._shelves.setdefault(whose, _Shelf())
            self._shelves.move_to_end(whose)
            while len(self._shelves) > MOST_MEMORIES:
                self._shelves.popitem(last=False)
            return shelf


_SHELVES = _Shelves()


def fit_window(
    newest_first: Iterable[Item],
    token_budget: int,
    cost: Callable[[Item], int],
    role: Callable[[Item], str],
) -> list[Item]:
    """Take the newest messages that fit, as chat models want them.

    The first one is a user's, instructions apart, and a tool's result follows the call: what stands
    before the first user's message is left out, if there is one.

    Args:
        newest_first: Messages, read only as far as they fit.
        token_budget: Most tokens; the last user's message and what follows it is kept even so.
        cost: Tokens of a message.
        role: Role of a message.

    Returns:
        The messages, oldest first.
    """
    taken: list[Item] = []
    spent = fitting = 0
    asked = False
    for item in newest_first:
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
