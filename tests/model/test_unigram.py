"""Laws of the cutting of texts into pieces: it is that of the library ``tokenizers``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from r3mem_agents.model.checkpoint import BUNDLED
from r3mem_agents.model.pieces import END, SPECIAL, START, Pieces

FILE = BUNDLED / "r3mem-base-1" / "pieces.json"
WORDS = st.sampled_from(
    [*SPECIAL, "\u2581", "\0", "\1", "İ", "Σς", "ﬁ½", "e\u0301", "the dog's", "😀"]
)


@pytest.fixture(scope="module")
def library() -> Tokenizer:
    return Tokenizer.from_file(str(FILE))


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces.load(FILE)


@given(
    texts=st.lists(st.lists(WORDS | st.text(max_size=12), max_size=8).map("".join), max_size=5),
    most=st.integers(2, 40),
)
def test_texts_are_cut_as_the_library_cuts_them(
    library: Tokenizer, pieces: Pieces, texts: list[str], most: int
) -> None:
    cut = library.encode_batch_fast(texts, add_special_tokens=False)
    expected = [[START, *one.ids[: most - 2], END] for one in cut]
    assert pieces.encode(texts, most) == expected


@given(
    scores=st.dictionaries(st.text("ab\u2581", min_size=1, max_size=3), st.integers(-3, -1)),
    texts=st.lists(st.text("abc ", max_size=9), max_size=4),
)
def test_of_equal_cuts_it_takes_that_of_the_library(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, int], texts: list[str]
) -> None:
    path: Path = tmp_path_factory.mktemp("pieces") / "pieces.json"
    made = Pieces.of([(piece, float(score)) for piece, score in scores.items()])
    made.save(path)
    cut = Tokenizer.from_file(str(path)).encode_batch_fast(texts, add_special_tokens=False)
    assert made.encode(texts, 64) == [[START, *one.ids, END] for one in cut]
