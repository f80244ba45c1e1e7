"""From a question to the turns that answer it: parsed, ranked, decoded, explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from r3mem_agents.errors import StaleTermsError
from r3mem_agents.lookup.ranking import Winner, rank
from r3mem_agents.lookup.salience import salient
from r3mem_agents.lookup.similarity import gist_similarity
from r3mem_agents.lookup.superseding import Compare
from r3mem_agents.lookup.weights import ALONE, WEIGHTS, Weights
from r3mem_agents.memory.comparison import Comparison
from r3mem_agents.memory.context import Budget
from r3mem_agents.memory.explanation.lookup import NO_QUESTION, NO_TURNS, explain_lookup
from r3mem_agents.memory.explanation.said_words import SaidWords
from r3mem_agents.memory.explanation.turns import Explainer
from r3mem_agents.memory.filling import fitting
from r3mem_agents.memory.filters import Filters
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.index_cache import INDEX_CACHE
from r3mem_agents.memory.lookups import Lookup
from r3mem_agents.memory.query_parser import parse
from r3mem_agents.memory.reading import Reader
from r3mem_agents.memory.records import open_names
from r3mem_agents.memory.scope_index import ScopeSnapshot
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.store import TurnRow
from r3mem_agents.timestamps import to_integers
from r3mem_agents.types import Explanation, Recollection, Recollections, StoredTurn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

CONTEXT_BATCH = 16
"""Number of turns, best first, of which some must fit into a context, or it takes no more."""

MIN_LINE_TOKENS = 8
"""Fewest tokens of a line in a context: its date alone takes them."""


class _Request(NamedTuple):
    # What is looked up, and how.
    query: str
    filters: Filters
    level: str
    k: int
    now: datetime | None
    as_of: datetime | None
    weights: Weights


class Retriever:
    """Looks up turns of one scope."""

    def __init__(self, handle: Handle) -> None:
        self._store, self._scope = handle.store, handle.scope
        self._obfuscator, self._model = handle.obfuscator, handle.model
        self._reader = Reader(handle)
        self._expand = partial(TEXT_CACHE.expand, handle.model)

    def recall(
        self,
        query: str,
        filters: Filters,
        level: str,
        k: int,
        now: datetime | None,
        as_of: datetime | None,
        neighbours: bool,
        explain: bool,
    ) -> Recollections:
        """Return what answers a question, best first; see ``CompressiveMemory.recall``."""
        weights = WEIGHTS if neighbours else ALONE
        request = _Request(query, filters, level, k, now or as_of, as_of, weights)
        if explain:
            return self._explained(request)
        lookup, rows = self._look_up(request)
        return Recollections(self._open(rows, lookup.ranking.winners) if lookup else ())

    def within(
        self,
        budget: Budget,
        query: str,
        filters: Filters,
        now: datetime | None,
        as_of: datetime | None,
        *,
        known: bool,
    ) -> Iterator[Iterator[Recollection | None]]:
        """Yield pinned turns, then what answers a question, best first, to fill a context with.

        It comes in batches. Only what may fit is decoded. For a turn that is too long ``None`` is
        yielded.

        Args:
            budget: The tokens of the context, and then, what is left of them.
            query: The question.
            filters: Which turns are left out.
            now: The time that dates in the question are relative to.
            as_of: Only what was known then.
            known: Whether the context's tokens are those of the model, so that it is known without
                decoding about how many a turn has.
        """
        most = max(1, budget.left // MIN_LINE_TOKENS)
        pinned, rows = self._pinned(filters, as_of)
        request = _Request(query, filters, "turn", most, now or as_of, as_of, WEIGHTS)
        lookup, found = self._look_up(request)
        rows |= found
        answers = lookup.ranking.winners if lookup else ()
        winners = [*{winner.id: winner for winner in [*pinned, *answers]}.values()]
        gist_bytes = self._model.gist_bytes

        def segments(winner: Winner) -> int:
            return len(rows[winner.id].gists) // gist_bytes if known else 0

        opened = partial(self._open, rows)
        first = len(pinned) + CONTEXT_BATCH  # so that an answer is tried if no pinned turn fits
        starts = range(first, len(winners), CONTEXT_BATCH)
        for start, end in pairwise([0, first, *(start + CONTEXT_BATCH for start in starts)]):
            some = winners[start:end]
            yield fitting(some, segments, self._model.segment_tokens, budget, opened)

    def pinned(self, filters: Filters, as_of: datetime | None) -> list[StoredTurn]:
        """Return the pinned turns that pass, in the order of writing.

        Args:
            filters: Which turns are left out.
            as_of: Only what was known then.
        """
        winners, rows = self._pinned(filters, as_of)
        return list(self._turns(winners, rows).values())

    def _explained(self, request: _Request) -> Recollections:
        # Best first, with the reasons; or why nothing answers.
        lookup, rows = self._look_up(request)
        if lookup is None:
            return Recollections((), NO_TURNS if request.query.strip() else NO_QUESTION)
        winners = lookup.ranking.winners
        turns = self._turns(winners, rows)
        said = SaidWords(lookup.scope.turns, lookup.asked)
        explainer = Explainer(lookup, said)
        return Recollections(
            (
                _recollection(winner, turns[winner.id], explainer.explain(winner))
                for winner in winners
                if winner.id in turns
            ),
            explain_lookup(lookup, said),
        )

    def _look_up(self, request: _Request) -> tuple[Lookup | None, Mapping[int, TurnRow]]:
        # The lookup, or ``None`` without a question or without turns; and rows by turn id, those of
        # the winners among them. Nothing is expanded that need not be compared.
        self._store.ready()
        query, filters, level, k, now, as_of, weights = request
        if not query.strip():
            return None, {}
        gist = self._model.questions([query])[0]
        lookup: Lookup | None = None
        rows: dict[int, TurnRow] = {}
        # A turn may be forgotten, by any process, after it was ranked and before it is read. Then
        # the index is made anew and the question asked once more.
        for _ in range(2):
            scope, rows = self._snapshot(as_of), {}
            if scope is None:
                return None, {}
            scope = scope.without(filters.exclude)
            asked = parse(query, now, scope, self._obfuscator)
            ranking = rank(
                scope.turns,
                asked.question,
                gist_similarity(scope.turns, gist),
                k,
                passed=partial(filters.passed, scope),
                min_score=filters.min_score or 0.0,
                by_session=level == "session",
                weights=weights,
                compare=self._compare(scope, rows),
            )
            lookup = Lookup(asked, scope, filters, weights, now, ranking)
            self._fetch(rows, [winner.id for winner in ranking.winners], scope)
            if all(winner.id in rows for winner in ranking.winners):
                return lookup, rows
            INDEX_CACHE.drop(self._store, self._scope)
        assert lookup is not None
        there = [winner for winner in lookup.ranking.winners if winner.id in rows]
        ranking = dataclasses.replace(lookup.ranking, winners=there)
        return dataclasses.replace(lookup, ranking=ranking), rows

    def salient(self, session: int, k: int) -> list[StoredTurn]:
        """Return the few turns that say what the session with this row id was about."""
        scope = self._snapshot()
        if scope is None or session not in scope.turns.sessions:  # forgotten since
            return []
        turns = scope.turns
        chosen = salient(turns, turns.sessions.index(session), k, turns.gist_bits)
        return self._reader.turns(turns.ids[chosen].tolist())

    def _pinned(
        self, filters: Filters, as_of: datetime | None
    ) -> tuple[list[Winner], dict[int, TurnRow]]:
        # Pinned turns in the order of writing, which no question has to find; and their rows.
        scope, rows = self._snapshot(as_of), dict[int, TurnRow]()
        if scope is None or not scope.pinned:
            return [], rows
        places = filters.passed(scope, np.searchsorted(scope.turns.ids, scope.pinned))
        ids = scope.turns.ids[places].tolist()
        self._fetch(rows, ids, scope)
        return [Winner(turn, 0.0, {}) for turn in ids if turn in rows], rows

    def _compare(self, scope: ScopeSnapshot, rows: dict[int, TurnRow]) -> Compare | None:
        if self._model.superseder is None:
            return None
        return Comparison(self._model, scope.turns.ids, partial(self._tokens, rows, scope))

    def _open(self, rows: Mapping[int, TurnRow], winners: Sequence[Winner]) -> list[Recollection]:
        turns = self._turns(winners, rows)
        return [_recollection(winner, turns[winner.id]) for winner in winners if winner.id in turns]

    def _turns(
        self, winners: Sequence[Winner], rows: Mapping[int, TurnRow]
    ) -> dict[int, StoredTurn]:
        found = self._reader.open([rows[winner.id] for winner in winners], self._expand)
        return {turn.id: turn for turn in found}

    def _snapshot(self, as_of: datetime | None = None) -> ScopeSnapshot | None:
        as_of_us = None if as_of is None else to_integers(as_of)[0]
        while True:
            try:
                return INDEX_CACHE.snapshot(
                    self._store, self._scope, self._obfuscator, self._model.gist_bytes, as_of_us
                )
            except StaleTermsError:
                self._reader.renew_terms()

    def _fetch(self, rows: dict[int, TurnRow], ids: Sequence[int], scope: ScopeSnapshot) -> None:
        # The rows of turns, if they exist and are not there already, with the texts that they had.
        if not (missing := [turn for turn in ids if turn not in rows]):
            return
        texts = {turn: scope.texts[turn] for turn in missing if turn in scope.texts}
        found = self._store.turns(self._scope, [*missing, *texts.values()], earlier=True)
        for turn in missing:
            own, text = found.get(turn), found.get(texts.get(turn, turn))
            if own is not None and text is not None:
                rows[turn] = text.as_text_of(own)

    def _tokens(
        self, rows: dict[int, TurnRow], scope: ScopeSnapshot, ids: Sequence[int]
    ) -> Mapping[int, MemoryTokens]:
        # Memory tokens of those turns that are there and intact.
        from r3mem_agents.model import MemoryTokens

        self._fetch(rows, ids, scope)
        return {
            turn: MemoryTokens(rows[turn].code, rows[turn].gists)
            for turn in ids
            if turn in rows and open_names(self._obfuscator, rows[turn]) is not None
        }


def _recollection(
    winner: Winner, turn: StoredTurn, explanation: Explanation | None = None
) -> Recollection:
    return Recollection(
        turn=turn,
        score=winner.score,
        superseded_by=winner.superseded_by,
        explanation=explanation,
    )
