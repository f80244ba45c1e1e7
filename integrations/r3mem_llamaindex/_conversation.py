"""A session of a memory as a host's messages, each stored once however often it is delivered.

A message of the host has no id. So a turn's key is the digest of its content and the number of
times that the session had it before: a history that is handed in again, by whichever object and
process, finds its own keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from llama_index.core.base.llms.types import ChatMessage

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import newest_first
from r3mem_llamaindex._delivered import DELIVERED, MemoryName, Said
from r3mem_llamaindex._messages import digest, to_message, to_turn, unmark

KEY = "r3mem_key"
"""Entry of ``additional_kwargs`` by which a host names a message that it may deliver again.

With the same content it is a retry, with other content an edit of what was stored.
"""

PROBED_AT_ONCE = 8
"""Keys that are looked up together for a free one."""


class Shown(NamedTuple):
    """A message of a window, when it was said, and its turn if it was stored."""

    message: ChatMessage
    time: datetime
    turn_id: int | None


class Draft(NamedTuple):
    """A message, the turn that it makes, and the digest of its content."""

    message: ChatMessage
    turn: Turn
    digest: str

    @property
    def named(self) -> bool:
        """True if the host named it, so that it may be delivered again with other content."""
        return self.message.additional_kwargs.get(KEY) is not None

    def key(self, times: int) -> str:
        """Key of the turn, if the session had its content so many times before."""
        if not self.named:
            return _key(self.digest, times)
        key: str = self.message.additional_kwargs[KEY]
        return key


def draft(message: ChatMessage, session: str, content: ChatMessage | None = None) -> Draft | None:
    """A message as it would be stored; ``None`` if it only holds what was recalled.

    Args:
        message: The host's object, by which it is known again.
        session: Where it is said.
        content: The part to store, if that is not all of the message.

    Raises:
        InvalidInputError: If the message cannot be stored.
    """
    own = unmark(content or message)
    if own is None:
        return None
    turn = to_turn(own, session)
    return Draft(message, turn, digest(turn))


class Conversation:
    """One session."""

    def __init__(
        self,
        memory: CompressiveMemory,
        whose: MemoryName,
        session: str,
        *,
        expires: timedelta | None = None,
    ) -> None:
        """Open a session.

        Args:
            memory: The memory.
            whose: Its name.
            session: The session.
            expires: How long a message lives after it is written.

        Raises:
            InvalidInputError: If it has no name.
        """
        if not session:
            raise InvalidInputError("session is empty; give it a name")
        self.memory = memory
        self.session = session
        self._whose = whose
        self._expires = expires

    def turn_ids(self) -> list[int]:
        """The turns of the session; none if nothing was said in it yet."""
        return self.memory.turn_ids(self.session)

    def newest_first(self, ids: Sequence[int]) -> Iterator[Shown]:
        """Turns as messages, from the last to the first, as far as the caller goes."""
        for turn in newest_first(self.memory, ids):
            # Made anew each time: hosts write into the messages that they are given.
            message = to_message(turn)
            turn_id = self._note(Draft(message, turn, digest(turn)), turn.id)
            yield Shown(message, turn.time, turn_id)

    def add(self, drafts: Sequence[Draft]) -> list[int]:
        """Store what is being said; returns the turn of each message.

        An object that was stored already is a retry if nothing else was said since; otherwise it is
        said again.
        """
        known = [self._turn_of(draft) for draft in drafts]
        retried: set[int] = set()
        if any(known):
            for id_ in reversed(self.turn_ids()):
                if id_ not in known:
                    break
                retried.add(id_)
        new = [draft for draft, id_ in zip(drafts, known, strict=True) if id_ not in retried]
        stored = iter(self._store(new))
        return [id_ if id_ in retried else next(stored) for id_ in known]

    def _store(self, drafts: Sequence[Draft]) -> list[int]:
        if not drafts:
            return []
        now = datetime.now(UTC)
        said: Counter[str] = Counter()
        keyed: list[Turn] = []
        for draft in drafts:
            if draft.digest not in said:
                said[draft.digest] = self._times_said(draft.digest)
            time = None if draft.named else now  # an edit keeps the time of what it edits
            keyed.append(self._keyed(draft, said[draft.digest], time))
            said[draft.digest] += 1
        ids: list[int] = []
        for draft, turn in zip(drafts, self.memory.remember_many(keyed), strict=True):
            if turn.time != now and not draft.named:
                # Another writer said the same at the same moment, and took the key.
                ids += self._store([draft])
            else:
                ids.append(self._note(draft, turn.id))
        return ids

    def _times_said(self, content: str) -> int:
        times = 0
        while True:
            keys = [_key(content, times + more) for more in range(PROBED_AT_ONCE if times else 1)]
            found = len(self.memory.turn_ids(self.session, keys=keys))
            times += found
            if found < len(keys):
                return times

    def hand_in(self, drafts: Sequence[Draft]) -> list[int]:
        """Find the turns of a history, and store those of its messages that are new.

        Returns:
            The turn of each message.
        """
        here = set(self.turn_ids())
        said: Counter[str] = Counter()
        known: list[int | None] = []
        missing: list[Turn] = []
        for draft in drafts:
            turn_id = self._turn_of(draft)
            known.append(turn_id if turn_id in here else None)
            if known[-1] is None:
                missing.append(self._keyed(draft, said[draft.digest]))
            said[draft.digest] += 1
        found = iter(self.memory.remember_many(missing))
        return [
            self._note(draft, next(found).id if turn_id is None else turn_id)
            for draft, turn_id in zip(drafts, known, strict=True)
        ]

    def _keyed(self, draft: Draft, times: int, time: datetime | None = None) -> Turn:
        # As it is stored, if the session had its content so many times before.
        return replace(draft.turn, key=draft.key(times), time=time, expires=self._expires)

    def _turn_of(self, draft: Draft) -> int | None:
        return DELIVERED.turn_of(draft.message, self._said(draft.digest))

    def _note(self, draft: Draft, turn_id: int) -> int:
        DELIVERED.note(draft.message, self._said(draft.digest), turn_id)
        return turn_id

    def _said(self, content: str) -> Said:
        return Said(self._whose, self.session, content)


def _key(content: str, times: int) -> str:
    return f"{content}.{times}" if times else content
