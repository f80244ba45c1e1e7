"""Laws of the order of tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.classes import class_order

TEXTS = ["We met in Lisbon.", "We met in Porto.", "They ate at noon.", "They ate at night."] * 9


@settings(max_examples=20)
@given(
    texts=st.lists(st.lists(st.integers(0, 63), max_size=30), max_size=8),
    classes=st.sampled_from([1, 2, 8, 64]),
)
def test_every_token_has_one_place(texts: list[list[int]], classes: int) -> None:
    order = class_order(texts, 64, classes)
    assert sorted(order.tolist()) == list(range(64))


def test_tokens_with_like_neighbours_are_of_one_class() -> None:
    random = np.random.default_rng(0)
    low, high = random.permutation(64).reshape(2, 32)
    texts = [random.choice(part, 20).tolist() for part in (low, high) for _ in range(400)]
    order = class_order(texts, 64, 2)
    assert {frozenset(order[:32].tolist()), frozenset(order[32:].tolist())} == {
        frozenset(low.tolist()),
        frozenset(high.tolist()),
    }


def test_frequent_tokens_come_first_in_their_class() -> None:
    texts = [[token] * (8 - token) for token in range(8)]
    counts = np.array([8 - token for token in class_order(texts, 8, 2)])
    assert (np.diff(counts[:4]) < 0).all()
    assert (np.diff(counts[4:]) < 0).all()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_other_ids_change_no_text(text: str) -> None:
    ids, renamed = TOKENIZER.encode(text), REORDERED.encode(text)
    assert REORDERED.bytes_of(renamed) == TOKENIZER.bytes_of(ids)
    assert [ORDER[token] for token in renamed] == ids


@pytest.mark.parametrize(("vocabulary", "classes"), [(64, 6), (60, 8)])
def test_what_cannot_be_halved_is_refused(vocabulary: int, classes: int) -> None:
    with pytest.raises(InvalidInputError, match="cannot be halved"):
        class_order([[1, 2]], vocabulary, classes)


TOKENIZER = Tokenizer.train(TEXTS, 272)
ORDER = class_order(TOKENIZER.encode_batch(TEXTS), TOKENIZER.vocabulary, 16).tolist()
REORDERED = TOKENIZER.reordered(ORDER)
