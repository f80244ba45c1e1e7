"""From files to arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.corpus import (
    CorpusBuilder,
    data_files,
    load_corpus,
    records,
    save_corpus,
    texts_of,
)

DIALOG = {"type": "dialog", "turns": [{"speaker": "A", "text": "Hello there."}] * 3}
TEXT = {"type": "text", "text": "One paragraph. " * 40 + "\n\nAnother one."}
PAIR = {"type": "pair", "query": "Where?", "passage": "In Lisbon, by the river.", "group": "g"}


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    data = "\n".join(json.dumps(item) for item in items).encode()
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    return path


def test_plain_and_compressed_files_read_alike(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.jsonl", [DIALOG, TEXT, PAIR])
    packed = write(tmp_path / "b.jsonl.zst", [DIALOG, TEXT, PAIR])
    assert list(records(plain)) == list(records(packed)) == [DIALOG, TEXT, PAIR]
    assert data_files(tmp_path) == [plain, packed]
    assert texts_of(TEXT) == ["One paragraph. " * 40, "Another one."]


@pytest.mark.parametrize("line", ["{", "[]", '{"type": "song"}', '{"text": "no type"}', "3"])
def test_a_broken_line_is_named_by_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(DIALOG) + "\n" + line + "\n")
    with pytest.raises(InvalidInputError, match=r"a\.jsonl:2"):
        list(records(path))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no \\*.jsonl"):
        data_files(tmp_path)


def test_the_corpus_holds_every_token_and_survives_the_disk(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [DIALOG, TEXT, PAIR, PAIR | {"group": "h"}])
    tokenizer = Tokenizer.train(["Hello there, one paragraph in Lisbon"], 280)
    builder = CorpusBuilder(tokenizer, 64, 32)
    added = builder.add_file(path, 10**6)
    corpus = builder.build()
    texts = [text for record in records(path) for text in texts_of(record)]
    ids = [token for text in texts for token in tokenizer.encode(text)]
    assert corpus.segments.tokens.tolist() == ids
    assert added == len(ids) == corpus.counts.sum()
    assert corpus.segments.counts.max() == 64
    long_one = tokenizer.encode(texts[3])
    assert corpus.segments.continued.sum() == -(-len(long_one) // 64) - 1
    assert corpus.groups.tolist() == [0, 1]
    assert len(corpus.queries) == len(corpus.passages) == 2
    save_corpus(corpus, tmp_path / "c.npz")
    again = load_corpus(tmp_path / "c.npz")
    assert np.array_equal(again.segments.tokens, corpus.segments.tokens)
    assert np.array_equal(again.passages.starts, corpus.passages.starts)


def test_ragged_rows_are_zero_padded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [DIALOG])
    tokenizer = Tokenizer.train(["Hello there."], 280)
    builder = CorpusBuilder(tokenizer, 64, 32)
    builder.add_file(path, 10**6)
    ids = tokenizer.encode("Hello there.")
    padded = builder.build().segments.padded(np.array([2]), len(ids) + 3)
    assert padded.tolist() == [ids + [0, 0, 0]]
