"""Blocks and indexes depend on the turns alone, not on how they came or in which parts they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents.store import IndexColumns, Label, NewTurn, Scope, Store, indexing, membership
from r3mem_agents.store.blocks import Columns, encode
from r3mem_agents.store.membership import read_blocks
from r3mem_agents.store.writing import find_scope
from r3mem_agents.types import IN_MEMORY
from tests.store.rows import MODEL, SCOPE, make_turn

OTHER = Scope(b"another user", b"agent", b"hidden other")

NAMES = st.integers(0, 2).map(lambda number: Label(b"%d" % number, b"hidden"))
TURNS = st.builds(
    make_turn,
    session=NAMES,
    speaker=NAMES,
    time_us=st.integers(-(10**15), 10**16),
    gists=st.binary(max_size=3),
    terms=st.lists(st.sampled_from([b"abc", b"abd", b"\0\0\0"])).map(sorted).map(b"".join),
)
BATCHES = st.lists(TURNS, min_size=1, max_size=5)


@contextmanager
def sized(size: int, young: int, at_once: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(membership, "MAX_SIZE", size)
        patch.setattr(membership, "YOUNG", young)
        patch.setattr(indexing, "TURNS_AT_ONCE", at_once)
        yield


SIZES = st.tuples(st.integers(2, 40), st.integers(1, 5), st.integers(1, 9))


def blocks_of(store: Store, scope: Scope = SCOPE) -> list[Columns]:
    with store._connections.reading() as connection:
        state = find_scope(connection, scope)
        return [] if state is None else [*read_blocks(connection, state.id, state.rules)]


def index_of(store: Store, scope: Scope = SCOPE) -> list[Any]:
    """Each turn as an index holds it."""
    parts = [part.rows for part in store.index_rows(scope, None, 0)]
    return [turn for rows in parts for turn in each_of(rows)]


def each_of(rows: IndexColumns) -> Iterator[Any]:
    ends = np.cumsum(rows.gist_sizes).tolist()
    columns = (rows.ids, rows.sessions, rows.speakers, rows.times_us)
    plain = zip(*(column.tolist() for column in columns), strict=True)
    terms = rows.terms.of_each(len(rows.ids))
    for turn, start, end, said in zip(plain, [0, *ends], ends, terms, strict=False):
        yield *turn, rows.gists[start:end], said


@settings(max_examples=40)
@given(history=st.lists(BATCHES, max_size=8), sizes=SIZES, data=st.data())
def test_any_history_gives_the_blocks_of_what_is_left(
    history: list[list[NewTurn]], sizes: tuple[int, int, int], data: st.DataObject
) -> None:
    left: dict[int, NewTurn] = {}
    store = Store(IN_MEMORY, b"")
    store.bind_model(MODEL)
    with sized(*sizes):
        for new in history:
            some = st.sets(st.sampled_from([*left]), max_size=3) if left else st.just(set())
            doomed = data.draw(some)
            edited = data.draw(some) - doomed
            edits = {
                id_: data.draw(TURNS)._replace(session=left[id_].session) for id_ in sorted(edited)
            }
            ids = store.add(SCOPE, new, edits=edits, doomed=sorted(doomed))
            left = {id_: turn for id_, turn in left.items() if id_ not in doomed}
            left |= edits | dict(zip(ids, new, strict=True))
            store.add(OTHER, [make_turn()])
        found = index_of(store)
        blocks = blocks_of(store)
        store.renew_terms(SCOPE, dict.fromkeys(left))
        assert index_of(store) == found
        again = blocks_of(store)
    assert [(row[0], row[3], *row[4:]) for row in found] == [
        (id_, turn.time_us, turn.gists, turn.terms) for id_, turn in left.items()
    ]
    if left:
        assert encode(Columns.join(blocks)) == encode(Columns.join(again))
    store.close()


def no(*_: object) -> None:
    return None


@settings(max_examples=40)
@given(
    history=st.lists(st.tuples(st.booleans(), BATCHES), max_size=8),
    gaps=st.sampled_from([0, 3]),
    encoder=st.sampled_from([MODEL.encoder, "other encoder"]),
)
def test_an_index_is_the_same_read_together_or_one_by_one(
    history: list[tuple[bool, list[NewTurn]]], gaps: int, encoder: str
) -> None:
    store = Store(IN_MEMORY, b"")
    for number, (mine, new) in enumerate(history):
        store.bind_model(MODEL._replace(encoder=encoder) if number % 3 == 1 else MODEL)
        store.add(SCOPE if mine else OTHER, new)
    store.bind_model(MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "MAX_GAPS", gaps)
        together = index_of(store)
        patch.setattr(indexing, "_concatenated", no)
        assert index_of(store) == together
    gists = [
        turn.gists if encoder == MODEL.encoder or number % 3 != 1 else b""
        for number, (mine, new) in enumerate(history)
        for turn in new
        if mine
    ]
    assert [row[4] for row in together] == gists
    store.close()


def test_turns_that_come_one_by_one_lie_in_few_blocks() -> None:
    store = Store(IN_MEMORY, b"")
    store.bind_model(MODEL)
    with sized(600, 4, 4096):
        for _ in range(1000):
            store.add(SCOPE, [make_turn()])
        sizes = [block.size for block in blocks_of(store)]
    whole = sum(sizes)
    assert whole == 3 * 1000
    assert max(sizes) <= 600
    assert len(sizes) < 2 * whole / 600 + 3 * membership.FAN
    store.close()
