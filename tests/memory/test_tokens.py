"""Counting with tiktoken's vocabulary files, which are read where they lie or not at all."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiktoken

from r3mem_agents.memory import tokens
from r3mem_agents.prompts import count_tokens
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

LLAMA_INDEX = importlib.util.find_spec("llama_index")
assert LLAMA_INDEX is not None and LLAMA_INDEX.submodule_search_locations is not None

CARRIED = Path(LLAMA_INDEX.submodule_search_locations[0]) / "core/_static/tiktoken_cache"
"""The vocabularies that llama-index-core carries."""

COUNTS = {  # in tokens of o200k_base
    "": 0,
    "Hello, world!": 4,
    "My dog is called Biscuit.": 7,
    "<|endoftext|>": 7,
    "<|fim_prefix|> and <|endofprompt|>": 14,
    "Größe, 東京, 👩‍👩‍👧 and a\x00b": 17,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for vocabularies, the only one there is."""
    folder = tmp_path / "vocabularies"
    folder.mkdir()
    monkeypatch.setenv(tokens.CACHE_VARIABLE, str(folder))
    hide_llama_index(monkeypatch)
    tokens.tiktoken_counter.cache_clear()
    yield folder
    tokens.tiktoken_counter.cache_clear()


def hide_llama_index(monkeypatch: pytest.MonkeyPatch, behind: Path | None = None) -> None:
    """Make ``llama_index`` unknown, or found in the folder ``behind``."""
    found = behind and SimpleNamespace(submodule_search_locations=[str(behind)])
    find_spec = importlib.util.find_spec

    def find(name: str) -> Any:
        return found if name == "llama_index" else find_spec(name)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def test_the_vocabulary_that_llama_index_carries_is_counted_with(tmp_path: Path) -> None:
    # In a process of its own: nothing of LlamaIndex is loaded, no socket is opened, and nothing is
    # written, neither beside the vocabularies nor where tiktoken keeps its own.
    code = f"""
import socket, sys
def refuse(*_, **__):
    raise AssertionError("tried to reach the network")
socket.socket.connect = socket.getaddrinfo = refuse
from r3mem_agents.memory.tokens import tiktoken_counter
count = tiktoken_counter()
print({{text: count(text) for text in {list(COUNTS)!r}}} == {COUNTS!r})
print([name for name in sys.modules if name.startswith("llama_index")])
"""
    before = {file: file.stat().st_mtime_ns for file in [CARRIED, *CARRIED.iterdir()]}
    environment = {
        name: value for name, value in os.environ.items() if name != tokens.CACHE_VARIABLE
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n[]\n"
    assert {file: file.stat().st_mtime_ns for file in [CARRIED, *CARRIED.iterdir()]} == before
    assert not list(tmp_path.iterdir())


def test_counts_are_those_of_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tried to reach the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv(tokens.CACHE_VARIABLE, str(CARRIED))
    tokens.tiktoken_counter.cache_clear()
    count = tokens.tiktoken_counter()
    assert count is not None
    encoding = tiktoken.get_encoding("o200k_base")
    for text, counted in COUNTS.items():
        assert count(text) == len(encoding.encode_ordinary(text)) == counted
        assert count_tokens(text) == counted


def test_without_a_vocabulary_at_hand_the_model_counts(
    folder: Path, open_memory: OpenMemory
) -> None:
    assert tokens.tiktoken_counter() is None
    assert [count_tokens(text) for text in ("", "a", "1234", "12345", "東京", "\ud83d")] == [
        0,
        1,
        1,
        2,
        2,
        1,
    ]
    memory = open_memory(model=FakeModel())
    memory.remember("user", "Biscuit the dog.")
    line = memory.context("Biscuit")
    assert memory.context("Biscuit", memory.model.count_tokens(line)) == line
    assert memory.context("Biscuit", memory.model.count_tokens(line) - 1) != line


def test_a_damaged_vocabulary_is_left_alone(folder: Path) -> None:
    for vocabulary in tokens.VOCABULARIES:
        (folder / vocabulary.file).write_bytes(b"cut off")
    assert tokens.tiktoken_counter() is None
    assert len(list(folder.iterdir())) == len(tokens.VOCABULARIES)


@pytest.mark.parametrize("place", ["variable", "llama_index"])
def test_a_vocabulary_at_hand_is_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    where = folder
    if place == "llama_index":
        where = tmp_path / "site" / "core" / "_static" / "tiktoken_cache"
        where.mkdir(parents=True)
        hide_llama_index(monkeypatch, behind=tmp_path / "site")
    content = b"a whole vocabulary"
    [first, *_] = tokens.VOCABULARIES
    (where / first.file).write_bytes(content)
    whole = first._replace(sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(tokens, "VOCABULARIES", (whole,))
    seen: list[str] = []

    class Words:
        def encode(self, text: str, disallowed_special: object) -> list[str]:
            assert disallowed_special == ()
            return text.split()

    def get_encoding(name: str) -> Words:
        seen.append(f"{name} in {os.environ[tokens.CACHE_VARIABLE]}")
        return Words()

    monkeypatch.setattr(tiktoken, "get_encoding", get_encoding)
    before = os.environ[tokens.CACHE_VARIABLE]
    count = tokens.tiktoken_counter()
    assert count is not None and count("three short words") == 3
    assert seen == [f"o200k_base in {where}"]
    assert os.environ[tokens.CACHE_VARIABLE] == before
