from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from benchmarks import dialogues
from r3mem_agents.errors import InvalidInputError, NotFoundError


def _dialog(*texts: str) -> str:
    turns = [{"speaker": "A", "text": text} for text in texts]
    return json.dumps({"type": "dialog", "turns": turns}, ensure_ascii=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.jsonl").write_text(f"{_dialog('one', '', 'two')}\n{_dialog('three')}\n")
    other = '{"type": "text", "text": "prose"}\n'
    lines = _dialog("vier ü\u2028x") + "\n" + other
    packed = zstandard.ZstdCompressor().compress(lines.encode())
    (tmp_path / "a.jsonl.zst").write_bytes(packed)
    (tmp_path / "pairs.jsonl").write_text('{"type": "pair", "query": "q", "passage": "p"}\n')
    (tmp_path / "notes.txt").write_text("not data")
    return tmp_path


def test_files_are_found_in_folders_and_by_name(folder: Path) -> None:
    names = [path.name for path in dialogues.find_files([folder])]
    assert names == ["a.jsonl.zst", "b.jsonl", "pairs.jsonl"]
    assert dialogues.find_files([folder / "b.jsonl"]) == [folder / "b.jsonl"]


def test_turns_are_read_in_order_without_empty_ones(folder: Path) -> None:
    assert dialogues.read_turns(folder / "b.jsonl") == [
        dialogues.Said("b", "one"),
        dialogues.Said("b", "two"),
        dialogues.Said("b", "three"),
    ]
    assert [said.text for said in dialogues.read_turns(folder / "b.jsonl", limit=2)] == [
        "one",
        "two",
    ]
    assert dialogues.read_turns(folder / "a.jsonl.zst") == [dialogues.Said("a", "vier ü\u2028x")]
    assert dialogues.read_turns(folder / "pairs.jsonl") == []


def test_only_files_of_dialogues_are_kept(folder: Path) -> None:
    kept = dialogues.dialogue_files(dialogues.find_files([folder]))
    assert [path.name for path in kept] == ["a.jsonl.zst", "b.jsonl"]


def test_nothing_to_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no-such"):
        dialogues.find_files([tmp_path / "no-such"])
    with pytest.raises(NotFoundError, match="jsonl"):
        dialogues.find_files([tmp_path])


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{_dialog('fine')}\n{{'no json'}}\n")
    with pytest.raises(InvalidInputError, match="line 2"):
        dialogues.read_turns(path)


def test_samples_keep_to_their_budget_and_seed(tmp_path: Path) -> None:
    texts = [f"turn number {number:04d}" for number in range(500)]
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(_dialog(*texts) + "\n")
    files = dialogues.find_files([tmp_path])
    samples = dialogues.sample_bytes(files, 1000, seed=1)
    assert 1000 <= sum(map(len, samples)) < 1000 + 2 * len(texts[0])
    assert samples == dialogues.sample_bytes(files, 1000, seed=1)
    assert samples != dialogues.sample_bytes(files, 1000, seed=2)
    assert all(sample.decode() in texts for sample in samples)
