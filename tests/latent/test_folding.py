"""A state is bounded: older blocks are compressed again, document over paragraph over entity."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.latent import LatentMemory, Level
from r3mem_agents.latent.folding import FOLD, LEAST_CAPACITY, to_fold
from tests.latent.families import SEGMENT, TOKENS, memory_on

SEGMENTS = 40


def segment(i: int) -> str:
    return f"day {i}: it rained in Lisbon all of the time"[:SEGMENT]


@given(st.lists(st.sampled_from(Level), min_size=LEAST_CAPACITY, max_size=40))
def test_the_oldest_of_the_lowest_level_with_enough_are_folded(levels: list[Level]) -> None:
    places = to_fold(levels)
    assert len(places) == FOLD
    level = levels[places[0]]
    assert places == [place for place, found in enumerate(levels) if found is level][:FOLD]
    counts = Counter(levels)
    assert all(
        counts[lower] < FOLD
        for lower in Level
        if list(Level).index(lower) < list(Level).index(level)
    )


@pytest.fixture(scope="module", params=["llama", "mistral"])
def small(request: pytest.FixtureRequest) -> LatentMemory:
    """With a window that is shorter than a full state, too."""
    return memory_on(request.param, capacity=LEAST_CAPACITY)


def test_a_state_holds_all_of_a_history_within_its_bound(small: LatentMemory) -> None:
    state = None
    for i in range(SEGMENTS):
        state = small.compress(segment(i), state)
        assert len(state.blocks) <= small.capacity
        assert state.source_tokens == (i + 1) * SEGMENT
        assert state.tokens == TOKENS * len(state.blocks) <= TOKENS * small.capacity
        order = [list(Level).index(block.level) for block in state.blocks]
        assert order == sorted(order, reverse=True)  # what is older was compressed more often
        assert state.blocks[-1].level is Level.ENTITY
    assert state is not None
    assert {block.level for block in state.blocks} == set(Level)
    assert small.read(state, "It rained.").isfinite().all()


def test_folding_leaves_the_newest_segment_as_it_is(small: LatentMemory) -> None:
    state = None
    for i in range(LEAST_CAPACITY + 1):
        state = small.compress(segment(i), state)
    assert state is not None
    alone = small.compress(segment(LEAST_CAPACITY)).blocks[0]
    for got, wanted in zip(state.blocks[-1].layers, alone.layers, strict=True):
        assert all(map(torch.equal, got, wanted))


def test_a_state_that_is_added_to_is_not_changed(small: LatentMemory) -> None:
    state = small.compress("".join(segment(i) for i in range(LEAST_CAPACITY)))
    before = [block.layers[0][0].clone() for block in state.blocks]
    small.compress(segment(LEAST_CAPACITY), state)
    assert all(
        torch.equal(block.layers[0][0], kept)
        for block, kept in zip(state.blocks, before, strict=True)
    )


def test_a_folded_block_keeps_the_most_surprising_of_its_blocks(small: LatentMemory) -> None:
    full = small.compress("".join(segment(i) for i in range(LEAST_CAPACITY)))
    folded = small.compress(segment(LEAST_CAPACITY), full).blocks[0]
    assert folded.level is Level.PARAGRAPH
    were = sorted(
        (float(s) for block in full.blocks[:FOLD] for s in block.surprise[0]), reverse=True
    )
    assert sorted(folded.surprise[0].tolist(), reverse=True) == were[:TOKENS]


def test_a_bound_that_could_not_be_kept_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=f"must be {LEAST_CAPACITY} or more"):
        memory_on("llama", capacity=LEAST_CAPACITY - 1)
