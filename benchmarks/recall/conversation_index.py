"""Lookups on a conversation without a store, to rank under other weights and to fit them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall.conversations import SaidTurn
from r3mem_agents import ReversibleModel
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.ranking import Winner, rank
from r3mem_agents.lookup.similarity import gist_similarity
from r3mem_agents.lookup.weights import Weights
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_parser import parse
from r3mem_agents.memory.records import SpeakerName
from r3mem_agents.memory.scope_index import ScopeIndex, ScopeSnapshot
from r3mem_agents.memory.term_hashes import term_hashes
from r3mem_agents.store import IndexColumns, ScopeState, Terms
from r3mem_agents.timestamps import to_integers

T = TypeVar("T")

OBFUSCATOR = Obfuscator(b"benchmarks".ljust(32))
"""Hashes the terms of all conversations in the same way; nothing here is stored."""


class ConversationIndex:
    """The arrays that a memory of a conversation would search.

    Turns have the ids 1, 2, 3 ... in the order in which they were said.

    Args:
        model: Makes the gists; no codes are made, since nothing is decoded.
        turns: The conversation, each turn with its time.
    """

    def __init__(self, model: ReversibleModel, turns: Sequence[SaidTurn]) -> None:
        self._model = model
        self._turns = turns
        self._gists = model.gists([turn.text for turn in turns])
        self._terms = [term_hashes(OBFUSCATOR, turn.text) for turn in turns]

    def snapshot(self, count: int | None = None) -> ScopeSnapshot:
        """The turns, or the first ``count`` of them, as a lookup sees them."""
        turns = self._turns[:count]
        index = ScopeIndex(ScopeState(1, 0), OBFUSCATOR, self._model.gist_bytes)
        speakers = _numbers([SpeakerName(turn.role, turn.speaker) for turn in turns])
        sessions = _numbers([turn.session for turn in turns])
        rows = IndexColumns(
            ids=np.arange(1, len(turns) + 1),
            sessions=np.array([sessions[turn.session] for turn in turns]),
            speakers=np.array([speakers[SpeakerName(turn.role, turn.speaker)] for turn in turns]),
            times_us=np.array([to_integers(turn.time)[0] for turn in turns if turn.time]),
            gists=b"".join(self._gists[:count]),
            gist_sizes=np.array([len(gists) for gists in self._gists[:count]]),
            terms=Terms.of(self._terms[:count]),
        )
        index.add(rows, {number: name for name, number in speakers.items()})
        return index.snapshot(0)

    @cached_property
    def _all(self) -> ScopeSnapshot:
        return self.snapshot()

    def rank(
        self,
        query: str,
        k: int,
        weights: Weights,
        now: datetime,
        similarity: NDArray[np.float64] | None = None,
    ) -> list[Winner]:
        """Return what ``memory.recall(query, k, now=now)`` would under these weights.

        Turns are not compared, so none supersedes another.

        Args:
            query: The question.
            k: How many turns to return.
            weights: How evidence is fused.
            now: What dates in the question are relative to.
            similarity: Similarity of each turn to the question, ``(turns,)``, in place of that of
                their gists.
        """
        scope = self._all
        if similarity is None:
            similarity = gist_similarity(scope.turns, self._model.questions([query])[0])
        question = parsed(query, now, scope)
        return list(rank(scope.turns, question, similarity, k, weights=weights).winners)


def parsed(query: str, now: datetime | None, scope: ScopeSnapshot) -> Question:
    """Return a question parsed with these turns and their speakers."""
    return parse(query, now, scope, OBFUSCATOR).question


def _numbers(values: Sequence[T]) -> dict[T, int]:
    # Numbers of distinct values, in order of appearance.
    return {value: number for number, value in enumerate(dict.fromkeys(values))}
