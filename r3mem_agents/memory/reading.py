"""Rows of a store into turns: a history's, or those that a lookup finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from r3mem_agents.errors import DamagedTurnError, ReadBackError, StaleTermsError
from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.lookup.likeness import gist_likeness
from r3mem_agents.lookup.ranking import Filters, Ranking, Winner, rank
from r3mem_agents.lookup.salience import salient
from r3mem_agents.lookup.weights import ALONE, WEIGHTS, Weights
from r3mem_agents.memory.comparing import Comparing
from r3mem_agents.memory.damage import ADVICE, NOT_EXPANDED, expanded, named, tell
from r3mem_agents.memory.explanation.asked_words import Heard
from r3mem_agents.memory.explanation.lookup import NO_QUESTION, NO_TURNS, explain_lookup
from r3mem_agents.memory.explanation.turns import Explainer
from r3mem_agents.memory.index_cache import INDEX_CACHE
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_parser import read
from r3mem_agents.memory.records import (
    as_read,
    damaged_turn,
    open_label,
    open_names,
    open_turn,
    term_hashes,
)
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.store import NewTurn, Scope, Store, TurnRow
from r3mem_agents.types import DamagedTurn, Explanation, Recollection, Recollections, Turn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens, ReversibleModel

CONTEXT_BATCH = 16
"""Turns that are read together to fill a context."""

MIN_LINE_TOKENS = 8
"""A context's line has at least so many tokens: its date alone takes them."""

EXPANDED_AT_ONCE = 256
"""Turns that are expanded together: bounds the memory that it takes."""


class Reader:
    """Reads one scope.

    Where turns are damaged, the others are returned, and a warning names the damaged ones.
    """

    def __init__(
        self, store: Store, scope: Scope, obfuscator: Obfuscator, model: ReversibleModel
    ) -> None:
        self._store = store
        self._scope = scope
        self._obfuscator = obfuscator
        self._model = model

    def history(self, session: int | None) -> list[Turn]:
        """Every turn, or those of the session with this row id, in the order of writing.

        All are expanded anew: a whole history is read rarely, and to see that it is still there.
        """
        return self._open(self._store.history(self._scope, session), self._model.expand)

    def sessions(self) -> list[str]:
        """Names of the sessions."""
        labels = self._store.sessions(self._scope)
        names = [open_label(self._obfuscator, "session", label) for label in labels]
        whole = [name for name in names if name is not None]
        if lost := len(names) - len(whole):
            tell(f"the names of {lost} sessions are damaged and left out. To do: {ADVICE}")
        return whole

    def turns(self, ids: Sequence[int], *, strict: bool = False) -> list[Turn]:
        """Those of these turns that exist, in the order given.

        Raises:
            DamagedTurnError: One of them is damaged, if ``strict``.
        """
        rows = self._store.turns(self._scope, ids)
        found = [rows[turn] for turn in ids if turn in rows]
        return self._open(found, partial(TEXT_CACHE.expand, self._model), strict=strict)

    def try_out(self, turns: Sequence[Turn], rows: Sequence[NewTurn]) -> None:
        """Read turns from what is about to be written of them, as it will be read ever after.

        Raises:
            ReadBackError: One of them would come back as another one, or not at all.
        """
        written = [as_read(number, row) for number, row in enumerate(rows)]
        found, _ = self._read(written, self._model.expand)
        whole = {turn.id: turn for turn in found}
        for number, turn in enumerate(turns):
            if whole.get(number) != dataclasses.replace(turn, id=number):
                raise ReadBackError(
                    f"turn {number} of {len(turns)} ({turn.role}, session {turn.session!r}) does "
                    "not come back from what was about to be written, so nothing was written. "
                    "Something in this process or machine changes what the model computes: try "
                    "again in a fresh process, and please report what it takes to see this"
                )

    def keyed(self, session: str, keys: Sequence[str]) -> dict[str, int]:
        """Ids of the turns of a session that have one of these keys, by key."""
        if not keys:
            return {}
        masked = {self._obfuscator.mask(key): key for key in keys}
        digest = self._obfuscator.digest("session", session)
        found = self._store.keyed(self._scope, digest, list(masked))
        return {masked[key]: turn for key, turn in found.items() if key in masked}  # damage aside

    def recall(
        self,
        query: str,
        filters: Filters,
        level: str,
        k: int,
        now: datetime | None,
        neighbours: bool,
        explain: bool,
    ) -> Recollections:
        """Return what answers a question, best first; see ``CompressiveMemory.recall``."""
        weights = WEIGHTS if neighbours else ALONE
        if explain:
            return self.explained(query, filters, level, k, now, weights)
        batches = self.find(query, filters, level, k, k, now, weights)
        return Recollections(hit for batch in batches for hit in batch)

    def within(
        self, token_budget: int, query: str, filters: Filters, now: datetime | None
    ) -> Iterator[list[Recollection]]:
        """Yield what answers a question, best first, to fill a context of so many tokens."""
        most = max(1, token_budget // MIN_LINE_TOKENS)
        return self.find(query, filters, "turn", most, CONTEXT_BATCH, now)

    def find(
        self,
        query: str,
        filters: Filters,
        level: str,
        k: int,
        batch: int,
        now: datetime | None,
        weights: Weights = WEIGHTS,
    ) -> Iterator[list[Recollection]]:
        """What answers a question, best first.

        The turns are expanded batch by batch, as far as the caller reads.
        """
        ranking, rows = self.ranked(query, filters, level, k, now, weights)
        winners = ranking.winners if ranking else ()
        for start in range(0, len(winners), batch):
            some = winners[start : start + batch]
            turns = self._turns_of(some, rows)
            yield [_recollection(winner, turns[winner.id]) for winner in some if winner.id in turns]

    def explained(
        self,
        query: str,
        filters: Filters,
        level: str,
        k: int,
        now: datetime | None,
        weights: Weights = WEIGHTS,
    ) -> Recollections:
        """What answers a question, best first, with the reasons why; or why nothing does."""
        ranking, rows = self.ranked(query, filters, level, k, now, weights)
        if ranking is None:
            return Recollections((), NO_TURNS if query.strip() else NO_QUESTION)
        turns = self._turns_of(ranking.winners, rows)
        heard = Heard(ranking.turns, ranking.question, query, self._obfuscator)
        explainer = Explainer(ranking, heard, weights, now)
        return Recollections(
            (
                _recollection(winner, turns[winner.id], explainer.explain(winner))
                for winner in ranking.winners
                if winner.id in turns
            ),
            explain_lookup(ranking, heard, filters, now),
        )

    def _turns_of(
        self, winners: Sequence[Winner], rows: Mapping[int, TurnRow]
    ) -> dict[int | None, Turn]:
        found = self._open(
            [rows[winner.id] for winner in winners], partial(TEXT_CACHE.expand, self._model)
        )
        return {turn.id: turn for turn in found}

    def ranked(
        self,
        query: str,
        filters: Filters,
        level: str,
        k: int,
        now: datetime | None,
        weights: Weights = WEIGHTS,
    ) -> tuple[Ranking | None, Mapping[int, TurnRow]]:
        """What answers a question, best first and not expanded, with its rows by turn id.

        There is no ranking without a question, or without turns.
        """
        if not query.strip():
            return None, {}
        gist = self._model.questions([query])[0]
        compare = None
        if self._model.superseder is not None:
            compare = Comparing(self._model, self._texts)
        ranking: Ranking | None = None
        rows: Mapping[int, TurnRow] = {}
        # A turn may be forgotten, by any process, after it was ranked and before it is read. Then
        # the index is made anew and the question asked once more.
        for _ in range(2):
            turns = self._snapshot()
            if turns is None:
                return None, {}
            turns = turns.silence(filters.exclude)
            question = read(query, now, turns, self._obfuscator)
            likeness = gist_likeness(turns, gist)
            ranking = rank(turns, question, likeness, filters, level, k, weights, compare)
            rows = self._store.turns(self._scope, [winner.id for winner in ranking.winners])
            if len(rows) == len(ranking.winners):
                break
            INDEX_CACHE.drop(self._store, self._scope)
        assert ranking is not None
        there = [winner for winner in ranking.winners if winner.id in rows]
        return dataclasses.replace(ranking, winners=there), rows

    def salient(self, session: int, k: int) -> list[Turn]:
        """The few turns that say what the session with this row id was about."""
        turns = self._snapshot()
        if turns is None or session not in turns.sessions:  # forgotten since
            return []
        chosen = salient(turns, turns.sessions.index(session), k, 8 * self._model.gist_bytes)
        return self.turns(turns.ids[chosen].tolist())

    def renew_terms(self) -> None:
        """Make the terms of every turn anew, by the rules of this process.

        Those of damaged turns stay as they are.
        """
        done = False
        while not done:  # as long as another process adds turns meanwhile
            rows = self._store.history(self._scope, None)
            terms: dict[int, bytes | None] = dict.fromkeys(row.id for row in rows)
            for turn in self._open(rows, self._model.expand):
                assert turn.id is not None
                terms[turn.id] = term_hashes(self._obfuscator, turn.text)
            done = self._store.renew_terms(self._scope, terms)

    def _snapshot(self) -> Snapshot | None:
        while True:
            try:
                return INDEX_CACHE.snapshot(
                    self._store, self._scope, self._obfuscator, self._model.gist_bytes
                )
            except StaleTermsError:
                self.renew_terms()

    def _texts(self, ids: Sequence[int]) -> Mapping[int, str]:
        # Texts of those turns that are there and whole; damage is told of when they are returned.
        rows = list(self._store.turns(self._scope, ids).values())
        turns, _ = self._read(rows, partial(TEXT_CACHE.expand, self._model))
        return {turn.id: turn.text for turn in turns if turn.id is not None}

    def _open(
        self,
        rows: Sequence[TurnRow],
        expand: Callable[[Sequence[MemoryTokens]], list[str]],
        *,
        strict: bool = False,
    ) -> list[Turn]:
        turns, damaged = self._read(rows, expand)
        if damaged and strict:
            raise DamagedTurnError(named(damaged))
        if damaged:
            tell(named(damaged))
        return turns

    def _read(
        self, rows: Sequence[TurnRow], expand: Callable[[Sequence[MemoryTokens]], list[str]]
    ) -> tuple[list[Turn], list[DamagedTurn]]:
        from r3mem_agents.model import MemoryTokens  # loads torch, which the model has done already

        turns: list[Turn] = []
        damaged: list[DamagedTurn] = []
        for start in range(0, len(rows), EXPANDED_AT_ONCE):
            batch = rows[start : start + EXPANDED_AT_ONCE]
            opened = [(row, open_names(self._obfuscator, row)) for row in batch]
            intact = [(row, names) for row, names in opened if names is not None]
            damaged += [
                damaged_turn(self._obfuscator, row) for row, names in opened if names is None
            ]
            texts = expanded(expand, [MemoryTokens(row.code, row.gists) for row, _ in intact])
            for (row, names), text in zip(intact, texts, strict=True):
                if text is None:
                    damaged.append(damaged_turn(self._obfuscator, row, NOT_EXPANDED))
                else:
                    turns.append(open_turn(self._obfuscator, row, names, text))
        return turns, damaged


def _recollection(
    winner: Winner, turn: Turn, explanation: Explanation | None = None
) -> Recollection:
    assert turn.session is not None and turn.time is not None
    return Recollection(
        turn_id=winner.id,
        text=turn.text,
        score=winner.score,
        session=turn.session,
        role=turn.role,
        name=turn.name,
        time=turn.time,
        metadata=turn.metadata or {},
        key=turn.key,
        superseded_by=winner.superseded_by,
        explanation=explanation,
    )
