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
    Corpus,
    CorpusBuilder,
    data_files,
    read_texts,
    records,
    texts_of,
)

DIALOG = {"type": "dialog", "turns": [{"speaker": "A", "text": "Hello there."}] * 3}
TEXT = {"type": "text", "text": "One paragraph. " * 40 + "\n\nAnother one."}
LINES = {"type": "text", "text": "Eins.\nZwei.", "independent_lines": True, "lang": "de"}
PAIR = {"type": "pair", "query": "Where?", "passage": "In Lisbon, by the river."}


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    data = "\n".join(json.dumps(item) for item in items).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    return path


def test_plain_and_compressed_files_read_alike_in_folders_too(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.jsonl", [DIALOG, TEXT, PAIR])
    packed = write(tmp_path / "multi" / "b.jsonl.zst", [DIALOG, TEXT, PAIR])
    assert list(records(plain)) == list(records(packed)) == [DIALOG, TEXT, PAIR]
    assert data_files(tmp_path) == [plain, packed]


def test_texts_are_turns_paragraphs_or_lines_and_pairs_have_none() -> None:
    assert texts_of(DIALOG) == ["Hello there."] * 3
    assert texts_of(TEXT) == ["One paragraph. " * 40, "Another one."]
    assert texts_of(LINES) == ["Eins.", "Zwei."]
    assert texts_of(PAIR) == []


def test_a_file_is_read_as_far_as_it_may(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [PAIR, *[DIALOG] * 10])
    read = [text for _, texts in read_texts(path, 1e-4) for text in texts]
    assert len(read) == 9, "the first record that passes 100 characters is the last one"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"3",
        b'{"type": "song"}',
        b'{"text": "no type"}',
        b'{"type": "text"}',
        b'{"type": "text", "text": 3}',
        b'{"type": "text", "text": "half an emoji \\ud83d"}',
        b'{"type": "text", "text": "not UTF-8: \xff"}',
        b'{"type": "pair", "query": "Where?"}',
        b'{"type": "dialog", "turns": "talk"}',
        b'{"type": "dialog", "turns": ["Rain."]}',
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst"])
def test_a_broken_line_is_named_by_number(tmp_path: Path, line: bytes, name: str) -> None:
    path, data = tmp_path / name, json.dumps(DIALOG).encode() + b"\n" + line + b"\n"
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    with pytest.raises(InvalidInputError, match=rf"{name}:2"):
        list(records(path))


def test_a_file_that_cannot_be_unpacked_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(b"no archive at all")
    with pytest.raises(InvalidInputError, match=r"a\.jsonl\.zst: not unpacked"):
        list(records(path))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no \\*.jsonl"):
        data_files(tmp_path)


def test_pairs_alone_are_nothing_to_expand(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no dialog and no text"):
        CorpusBuilder(Tokenizer.train(["Hello"], 260), 64).build()


def test_the_corpus_holds_every_token_and_survives_the_disk(tmp_path: Path) -> None:
    tokenizer = Tokenizer.train(["Hello there, one paragraph in Lisbon"], 280)
    builder = CorpusBuilder(tokenizer, 64)
    builder.add("en", texts_of(TEXT))
    builder.add("de", texts_of(LINES))
    corpus = builder.build()
    texts = texts_of(TEXT) + texts_of(LINES)
    encoded = [tokenizer.encode(text) for text in texts]
    assert corpus.segments.ids.tolist() == [token for ids in encoded for token in ids]
    assert corpus.token_counts(tokenizer.vocabulary).sum() == sum(map(len, encoded))
    assert corpus.segments.counts.max() == 64
    assert corpus.continued.sum() == -(-len(encoded[0]) // 64) - 1
    assert corpus.languages == ["en", "de"]
    assert corpus.language.sum() == 2, "the two lines"
    corpus.save(tmp_path / "c.npz")
    again = Corpus.load(tmp_path / "c.npz")
    assert np.array_equal(again.segments.ids, corpus.segments.ids)
    assert np.array_equal(again.segments.starts, corpus.segments.starts)
    assert again.languages == corpus.languages


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"turns": []}, "list of turns"),
        ({"turns": "talk"}, "list of turns"),
        ({"turns": [{"text": " "}]}, "a text"),
        ({"turns": ["Rain."]}, "a text"),
        ({"questions": [{"gold": [0]}]}, "a query"),
        ({"questions": [{"query": "Rain?", "gold": [2]}]}, "places in turns"),
        ({"questions": [{"query": "Rain?", "gold": 0}]}, "places in turns"),
        ({"updates": [[1, 0]]}, "older and a newer"),
        ({"updates": [[0, 2]]}, "older and a newer"),
        ({"alike": [[-1, 1]]}, "older and a newer"),
        ({"alike": [0]}, "older and a newer"),
    ],
)
def test_a_memory_that_is_none_is_refused_by_its_line(
    fields: dict[str, Any], says: str, tmp_path: Path
) -> None:
    whole = {"type": "memory", "turns": [{"text": "Rain."}, {"text": "Now sun."}]}
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (whole, whole | fields)))
    with pytest.raises(InvalidInputError, match=says) as error:
        list(records(path))
    assert "a.jsonl:2" in str(error.value)
