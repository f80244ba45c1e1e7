"""Blocks come back as they were; what is no block is told from one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.store import blocks
from r3mem_agents.store.blocks import TERM_BYTES, Block, Columns, decode, decode_columns, encode
from r3mem_agents.store.counts import Counts, pack_counts, read_counts
from r3mem_agents.store.varints import read_varints, varints
from tests.store.rows import make_turn

ROWS = st.integers(0, 2**63 - 1)
TERMS = st.lists(
    st.sampled_from([b"\0\0\0", b"abc", b"abd", b"\xff\xff\xff"])
    | st.binary(min_size=TERM_BYTES, max_size=TERM_BYTES)
).map(lambda terms: b"".join(sorted(terms)))


@st.composite
def made(draw: st.DrawFn) -> Block:
    ids = sorted(draw(st.sets(ROWS, max_size=40)))
    sessions, speakers = ([draw(ROWS) for _ in ids] for _ in range(2))
    return Block(ids, sessions, speakers, [draw(TERMS) for _ in ids])


@given(block=made())
def test_blocks_come_back(block: Block) -> None:
    assert decode(encode(block)) == block


@given(block=made(), data=st.data())
def test_parts_make_the_whole(block: Block, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(block)))
    joined = block.part(range(cut))
    joined.extend(block.part(range(cut, len(block))))
    assert joined == block


@given(several=st.lists(made(), min_size=1, max_size=4), data=st.data())
def test_arrays_of_blocks_are_joined_and_parted_as_blocks_are(
    several: list[Block], data: st.DataObject
) -> None:
    joined = Columns.join([decode_columns(encode(block)) for block in several])
    whole = Block()
    for block in several:
        whole.extend(block)
    kept = data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    part = joined.part(np.array(kept, bool))
    expected = whole.part([place for place, wanted in enumerate(kept) if wanted])
    assert part.ids.tolist() == expected.ids
    assert part.sessions.tolist() == expected.sessions
    assert part.speakers.tolist() == expected.speakers
    assert part.terms.of_each(len(expected)) == expected.terms


@given(st.binary())
def test_what_is_no_block_is_refused_or_decoded(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return


@given(st.lists(ROWS))
def test_varints_come_back(values: list[int]) -> None:
    data = varints(values)
    assert read_varints(np.frombuffer(data, np.uint8)).tolist() == values
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
        return len(encode(Block([*range(100)], [1] * 100, [1] * 100, [terms] * 100)))

    assert size(b"abcdef") - size(b"abc") < 10 * blocks.TERM_BYTES
