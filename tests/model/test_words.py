"""Laws of the list of words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.words import Words, padded, words_of

LISTED = Words(["dog", "don't", "café", "42"])


def test_forms_of_a_word_are_one_word() -> None:
    assert LISTED.ids("DOG dog, Don\u2019t! (cafe\u0301) \uff14\uff12") == [1, 1, 2, 3, 4]


def test_words_that_are_not_listed_are_left_out() -> None:
    assert LISTED.ids("a dog_house of 42 dogs") == [1, 4]
    assert Words(()).ids("a dog") == []


@given(st.lists(st.text(), max_size=6))
def test_frequent_words_come_first_and_survive_the_disk(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    words = Words.train(texts, 3)
    assert len(words) <= 3
    path = tmp_path_factory.getbasetemp() / "words.txt"
    words.save(path)
    again = Words.load(path)
    assert again.fingerprint == words.fingerprint
    for text in texts:
        assert again.ids(text) == words.ids(text)
        assert len(words.ids(text)) <= len(words_of(text))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no usable list of words at .*words\.txt"):
        Words.load(tmp_path / "words.txt")


def test_rows_are_filled_up_and_cut() -> None:
    assert padded([[1, 2, 3], []]).tolist() == [[1, 2, 3], [0, 0, 0]]
    assert padded([[1, 2, 3], [4]], 2).tolist() == [[1, 2], [4, 0]]
    assert padded([]).shape == (0, 0)
