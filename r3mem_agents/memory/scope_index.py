"""The index of one scope: the arrays that a lookup searches, and the speakers' names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.analysis.terms import ASKS
from r3mem_agents.lookup.index import Columns, Index
from r3mem_agents.lookup.snapshot import USER, WORD_BITS, Snapshot, Speaker
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import SpeakerName
from r3mem_agents.memory.term_hashes import hashed, hashed_words
from r3mem_agents.store import IndexColumns, ScopeState

Verdicts = OrderedDict[bytes, NDArray[np.int8]]

MAX_VERDICTS = 16
"""Conditions of which an index keeps what turns met, a byte a turn each; chosen."""


class ScopeSnapshot(NamedTuple):
    """Turns of a scope at one moment, and their speakers.

    Attributes:
        turns: The turns.
        names: Names of their speakers, by row id.
        verdicts: Which turns met conditions, by a hash of these; see ``Where``.
    """

    turns: Snapshot
    names: Mapping[int, SpeakerName]
    verdicts: Verdicts

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
        self._names: dict[int, SpeakerName] = {}
        self._verdicts = Verdicts()
        self._roles = {"user": USER}

    @property
    def last(self) -> int:
        """Greatest turn id in it, 0 if it is empty."""
        return self._index.last

    def __len__(self) -> int:
        return len(self._index)

    def unnamed(self, speakers: NDArray[np.int64]) -> set[int]:
        """Return those of some speakers, by row id, whose names are not known."""
        return {*speakers.tolist()} - self._names.keys()

    def add(self, rows: IndexColumns, names: Mapping[int, SpeakerName]) -> None:
        """Append rows.

        Args:
            rows: Rows with ids greater than those in the index.
            names: Names of the speakers in ``rows`` that were in none before, by row id.
        """
        self._index.add_speakers(self._speaker(row, name) for row, name in names.items())
        self._names.update(names)
        self._index.add(_columns(rows, self._gist_bytes, self._asks))

    def snapshot(self) -> ScopeSnapshot:
        """Return the current contents; what is added later to the others appears too."""
        return ScopeSnapshot(self._index.snapshot(), self._names, self._verdicts)

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
