"""The index of one scope: the arrays that a lookup searches, and the speakers' names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.analysis.terms import ASKS
from r3mem_agents.lookup.choosing import chosen, chosen_of_both
from r3mem_agents.lookup.index import Columns, Index
from r3mem_agents.lookup.snapshot import DOCUMENT, USER, WORD_BITS, Snapshot, Speaker
from r3mem_agents.memory.marks import Marks, among
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import SpeakerName
from r3mem_agents.memory.term_hashes import hashed, hashed_words
from r3mem_agents.passages import ROLE
from r3mem_agents.store import IndexColumns, Mark, ScopeState

Verdicts = OrderedDict[bytes, NDArray[np.int8]]

MAX_VERDICTS = 16
"""Conditions of which an index keeps what turns met, a byte a turn each; chosen."""


class ScopeSnapshot(NamedTuple):
    """Turns of a scope at one moment, and their speakers.

    Attributes:
        turns: The turns.
        names: Names of their speakers, by row id.
        verdicts: Which turns met conditions, by a hash of these; see ``Where``.
        pinned: Ids of the pinned ones among them, ascending.
        texts: Ids of the earlier texts that stand in the places of turns, by the ids of these.
    """

    turns: Snapshot
    names: Mapping[int, SpeakerName]
    verdicts: Verdicts
    pinned: Sequence[int] = ()
    texts: Mapping[int, int] = {}

    def speaker(self, number: int) -> SpeakerName:
        """Return the name of a speaker, by its number in ``turns``."""
        return self.names[self.turns.speakers[number].row]

    def labels(self, speakers: Iterable[int]) -> list[str]:
        """Return what speakers are called, by their numbers, each label once."""
        return list(dict.fromkeys(self.speaker(number).label for number in sorted(speakers)))

    def without(self, ids: Collection[int]) -> ScopeSnapshot:
        """Return the same, but exclude the turns with some ids."""
        return self._replace(turns=self.turns.without(ids))

    def keep(self, conditions: bytes, verdicts: NDArray[np.int8]) -> None:
        """Keep which turns met conditions, for as long as the index of the turns is kept."""
        self.verdicts.pop(conditions, None)
        self.verdicts[conditions] = verdicts
        if len(self.verdicts) > MAX_VERDICTS:
            self.verdicts.popitem(last=False)


class ScopeIndex:
    """The index of a scope, kept up to date by adding rows of a store.

    Args:
        state: State of the rows.
        obfuscator: Hashes terms as those of the rows are hashed.
        gist_bytes: Number of bytes in a gist.
    """

    def __init__(self, state: ScopeState, obfuscator: Obfuscator, gist_bytes: int) -> None:
        self.state = state
        self._obfuscator = obfuscator
        self._gist_bytes = gist_bytes
        self._asks = hashed(obfuscator, ASKS)
        self._index = Index(8 * gist_bytes)
        self._earlier = Index(8 * gist_bytes)
        self._marks = Marks()
        self._known: tuple[object, Snapshot, dict[int, int], Verdicts] | None = None
        self._names: dict[int, SpeakerName] = {}
        self._verdicts = Verdicts()
        self._roles = {"user": USER, ROLE: DOCUMENT}

    @property
    def last(self) -> int:
        """Greatest turn id in it, 0 if it is empty."""
        return max(self._index.last, self._earlier.last)

    def __len__(self) -> int:
        return len(self._index) + len(self._earlier)

    def mark(self, state: ScopeState, marks: Mapping[int, Mark]) -> None:
        """Take note of marks, before the rows of their turns are added.

        Args:
            state: State that they belong to.
            marks: By turn id: all, if those of the state are not known already, else new ones.
        """
        if state != self.state:
            self._marks = Marks()
        self.state = state
        self._marks.update(marks)

    def unnamed(self, speakers: NDArray[np.int64]) -> set[int]:
        """Return those of some speakers, by row id, whose names are not known."""
        return {*speakers.tolist()} - self._names.keys()

    def add(self, rows: IndexColumns, names: Mapping[int, SpeakerName]) -> None:
        """Append rows.

        Args:
            rows: Rows with ids greater than those in the index.
            names: Names of the speakers in ``rows`` that were in none before, by row id.
        """
        speakers = [self._speaker(row, name) for row, name in names.items()]
        self._names.update(names)
        self._index.add_speakers(speakers)
        self._earlier.add_speakers(speakers)
        earlier = self._marks.are_earlier(rows.ids)
        if earlier.any():
            self._earlier.add(_columns(rows.part(earlier), self._gist_bytes, self._asks))
        self._index.add(_columns(rows.part(~earlier), self._gist_bytes, self._asks))

    def snapshot(self, now_us: int, as_of_us: int | None = None) -> ScopeSnapshot:
        """Return what is there at a time; what is added later to all but the turns appears too.

        Args:
            now_us: The time, until which turns may have expired.
            as_of_us: Only what was known then: turns said until then, with the texts that they had,
                as far as those were kept.
        """
        turns, texts, verdicts = self._index.snapshot(), dict[int, int](), self._verdicts
        expired = self._marks.expired(now_us)
        if expired or as_of_us is not None:
            # More turns expire as time goes by, so their number tells which they are.
            moment = (self.state, self.last, len(expired), as_of_us)
            if self._known is None or self._known[0] != moment:
                self._known = moment, *self._known_then(turns, expired, as_of_us), Verdicts()
            _, turns, texts, verdicts = self._known
        pinned = self._marks.pinned and self._marks.pinned.intersection(turns.ids.tolist())
        return ScopeSnapshot(turns, self._names, verdicts, sorted(pinned), texts)

    def _known_then(
        self, turns: Snapshot, expired: Sequence[int], as_of_us: int | None
    ) -> tuple[Snapshot, dict[int, int]]:
        # Without what has expired, and as it was at a time; with the earlier texts by their turns.
        there = ~among(turns.ids, expired)
        if as_of_us is None:
            return chosen(turns, np.flatnonzero(there)), {}
        held, earlier = self._marks.held(as_of_us), self._earlier.snapshot()
        known = {*earlier.ids.tolist()}
        # What a turn said then may be damaged and in no index: no other text stands for it.
        there &= ~among(turns.ids, [turn for turn, text in held.items() if text not in known])
        places = np.flatnonzero(there & (turns.time_us <= as_of_us))
        texts = {turn: held[turn] for turn in turns.ids[places].tolist() if turn in held}
        if not texts:
            return chosen(turns, places), {}
        own = places.copy()
        edited = np.searchsorted(turns.ids[places], [*texts])
        own[edited] = len(turns.ids) + np.searchsorted(earlier.ids, [*texts.values()])
        return chosen_of_both(turns, earlier, own, places), texts

    def _speaker(self, row: int, name: SpeakerName) -> Speaker:
        role = self._roles.setdefault(name.role, len(self._roles))
        words = hashed_words(self._obfuscator, name.name or "")
        return Speaker(row, role, tuple(spelling for word in words for spelling in word))


def _columns(rows: IndexColumns, gist_bytes: int, asks: int) -> Columns:
    gists = np.frombuffer(rows.gists, np.uint8).reshape(-1, gist_bytes)
    words = -(-8 * gist_bytes // WORD_BITS)
    if padding := words * WORD_BITS // 8 - gist_bytes:
        gists = np.pad(gists, ((0, 0), (0, padding)))
    asking, terms = rows.terms.pop(asks)
    return Columns(
        ids=rows.ids,
        sessions=rows.sessions,
        speakers=rows.speakers,
        times_us=rows.times_us,
        gists=gists.view(np.uint64),
        gist_counts=rows.gist_sizes // gist_bytes,
        terms=terms.distinct,
        times=terms.counts,
        places=terms.places,
        asks=np.bincount(asking, minlength=len(rows.ids)) > 0,
    )
