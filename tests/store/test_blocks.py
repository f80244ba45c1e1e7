"""Blocks come back as they were; what is no block is told from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.store import blocks
from r3mem_agents.store.blocks import TERM_BYTES, Columns, Terms, decode, encode
from r3mem_agents.store.counts import Counts, pack_counts, read_counts
from r3mem_agents.store.varints import Varints, first_varint, varints
from tests.store.rows import make_turn

ROWS = st.integers(0, 2**63 - 1)
TERMS = st.lists(
    st.sampled_from([b"\0\0\0", b"abc", b"abd", b"\xff\xff\xff"])
    | st.binary(min_size=TERM_BYTES, max_size=TERM_BYTES)
).map(lambda terms: b"".join(sorted(terms)))


@dataclass(frozen=True)
class Line:
    """A turn, as a block holds it."""

    session: int
    speaker: int
    terms: bytes


LINES = st.builds(Line, ROWS, ROWS, TERMS)
MEMBERS = st.dictionaries(ROWS, LINES, max_size=40).map(lambda of: dict(sorted(of.items())))
"""Turns by their ids."""


def block_of(lines: Mapping[int, Line]) -> Columns:
    each = lines.values()
    return Columns.of(
        [*lines],
        [one.session for one in each],
        [one.speaker for one in each],
        [one.terms for one in each],
    )


def lines_of(block: Columns) -> dict[int, Line]:
    names = zip(block.sessions.tolist(), block.speakers.tolist(), strict=True)
    return {
        id_: Line(*rows, terms)
        for (id_, terms), rows in zip(block.said().items(), names, strict=True)
    }


@given(lines=MEMBERS)
def test_blocks_come_back(lines: dict[int, Line]) -> None:
    data = encode(block_of(lines))
    assert lines_of(decode(data)) == lines
    alone = decode(data, terms=False)
    assert lines_of(alone) == {id_: replace(one, terms=b"") for id_, one in lines.items()}


@given(lines=MEMBERS, data=st.data())
def test_any_part_and_any_change_of_blocks_is_as_if_written_so(
    lines: dict[int, Line], data: st.DataObject
) -> None:
    some = data.draw(st.sets(st.sampled_from([*lines]))) if lines else set()
    block = block_of(lines)
    part = block.part(np.isin(block.ids, [*some]))
    assert encode(part) == encode(block_of({id_: lines[id_] for id_ in lines if id_ in some}))
    others = data.draw(st.dictionaries(ROWS | st.sampled_from([*lines, 1]), LINES, max_size=5))
    changed = {
        id_: replace(others[id_], session=one.session) if id_ in others else one
        for id_, one in lines.items()
    }
    assert encode(block.replaced(block_of(others))) == encode(block_of(changed))


@given(lines=MEMBERS, size=st.integers(1, 30), data=st.data())
def test_blocks_that_were_cut_are_joined(
    lines: dict[int, Line], size: int, data: st.DataObject
) -> None:
    parts = [*block_of(lines).cut(size)]
    assert sum(map(len, parts)) == len(lines)
    assert all(
        part.size < size + part.part(np.arange(len(part)) == len(part) - 1).size for part in parts
    )
    if parts:
        assert encode(Columns.join(parts)) == encode(block_of(lines))


@given(each=st.lists(TERMS, max_size=10), data=st.data())
def test_a_term_is_taken_out_of_all_turns(each: list[bytes], data: st.DataObject) -> None:
    said = {
        int.from_bytes(one[place : place + 3]) for one in each for place in range(0, len(one), 3)
    }
    term = data.draw(st.sampled_from([*said, 7]))
    saying, rest = Terms.of(each).pop(term)
    counts = [
        [one[place : place + 3] for place in range(0, len(one), 3)].count(term.to_bytes(3))
        for one in each
    ]
    assert np.bincount(saying, minlength=len(each)).tolist() == counts
    left = [
        b"".join(
            one[place : place + 3]
            for place in range(0, len(one), 3)
            if one[place : place + 3] != term.to_bytes(3)
        )
        for one in each
    ]
    assert rest.of_each(len(each)) == left


@given(st.binary())
def test_what_is_no_block_is_refused_or_decoded(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return


@given(st.lists(ROWS))
def test_varints_come_back(values: list[int]) -> None:
    data = varints(values)
    read = Varints(np.frombuffer(data, np.uint8))
    assert len(read) == len(values)
    assert read.part(0, len(values)).tolist() == values
    assert read.part(1, len(values)).tolist() == values[1:]
    assert [first_varint(data)] == values[:1] if values else not data
    assert len(data) == sum(max(1, -(-value.bit_length() // 7)) for value in values)


@given(st.lists(st.integers(0, 2**40), min_size=5, max_size=5))
def test_counts_come_back(values: list[int]) -> None:
    turn = make_turn(**dict(zip(Counts._fields, values, strict=True)))
    assert read_counts(pack_counts(turn)) == Counts(*values)


@pytest.mark.parametrize("data", [None, 7, "text", bytes([1] * 6)])
def test_damaged_counts_are_told(data: object) -> None:
    assert read_counts(data) is None


def test_a_term_that_many_turns_have_is_written_once() -> None:
    def size(terms: bytes) -> int:
        return len(encode(block_of(dict.fromkeys(range(100), Line(1, 1, terms)))))

    assert size(b"abcdef") - size(b"abc") < 10 * blocks.TERM_BYTES
