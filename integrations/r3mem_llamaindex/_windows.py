"""The messages that a block has seen of each session's window, to tell new ones from old.

``Memory`` makes new objects of its window each time it is read, without ids. But a window only
loses messages at its front and gains them at its end, unless a host sets another one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Self

from r3mem_llamaindex._conversation import Conversation, Draft


class Windows:
    """Digest and turn of every message of the windows; copies and pickles begin anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[tuple[str, int]]] = {}

    def read(self, conversation: Conversation, drafts: Sequence[Draft]) -> list[int]:
        """Store what is new in a window; returns the turns that it shows.

        A new message of the user's at its end may be the input of the read, which nobody put: it
        waits until something follows it.
        """
        with self._lock:
            seen = self._known(conversation)
            names = [draft.digest for draft in drafts]
            shared = 0 if seen is None else _overlap([name for name, _ in seen], names)
            if len(names) > shared and drafts[-1].turn.role == "user":
                drafts, names = drafts[:-1], names[:-1]
                if not names:
                    return []
            if seen is None or (seen and not shared):  # a process or a window that began anew
                ids = conversation.hand_in(drafts)
            else:
                old = [id_ for _, id_ in seen[len(seen) - shared :]]
                ids = old + conversation.add(drafts[shared:])
            self._seen[conversation.session] = list(zip(names, ids, strict=True))
            return ids

    def leave(self, conversation: Conversation, drafts: Sequence[Draft]) -> None:
        """Store what is new of messages that leave the front of a window, or were never in it."""
        with self._lock:
            seen = self._known(conversation)
            if seen is None:
                conversation.hand_in(drafts)
                return
            names = [draft.digest for draft in drafts]
            before = [name for name, _ in seen]
            front = min(len(before), len(names))
            if before[:front] == names[:front]:
                conversation.add(drafts[front:])
                self._seen[conversation.session] = seen[front:]
            else:
                shared = _overlap(before, names)
                ids = conversation.add(drafts[shared:])
                seen.extend(zip(names[shared:], ids, strict=True))

    def _known(self, conversation: Conversation) -> list[tuple[str, int]] | None:
        # None if another process may have seen more of the session.
        seen = self._seen.get(conversation.session)
        if seen is None and not conversation.turn_ids():
            seen = self._seen[conversation.session] = []
        return seen

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return type(self)()

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def __eq__(self, other: object) -> bool:  # what was seen is no part of what a block is
        return isinstance(other, Windows)

    def __hash__(self) -> int:
        return hash(Windows)


def _overlap(before: Sequence[str], now: Sequence[str]) -> int:
    # The most messages that end what was seen before and begin what is seen now.
    longest = min(len(before), len(now))
    return next(
        (n for n in range(longest, 0, -1) if before[len(before) - n :] == now[:n]),
        0,
    )
