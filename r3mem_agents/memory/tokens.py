"""Counting tokens for a prompt, without ever asking the network for a vocabulary."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from r3mem_agents.forking import Lock

TokenCounter = Callable[[str], int]

CACHE_VARIABLE = "TIKTOKEN_CACHE_DIR"

BYTES_PER_TOKEN = 4
"""Of English text, by OpenAI's rule of thumb."""


class _Vocabulary(NamedTuple):
    encoding: str
    file: str  # SHA-1 of the address that tiktoken fetches it from
    sha256: str  # as tiktoken_ext.openai_public has it


VOCABULARIES = (
    _Vocabulary(
        "o200k_base",
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    _Vocabulary(
        "cl100k_base",
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
)

_environment = Lock()


@cache
def tiktoken_counter() -> TokenCounter | None:
    """Count with tiktoken if it is installed and one of its files is at hand, whole."""
    if importlib.util.find_spec("tiktoken") is None:
        return None
    for folder in _cache_folders():
        for vocabulary in VOCABULARIES:
            file = folder / vocabulary.file
            # tiktoken would fetch a file that is missing or damaged, so it gets only whole ones.
            if file.is_file() and _sha256(file) == vocabulary.sha256:
                return _load(vocabulary.encoding, folder)
    return None


def count_tokens(text: str) -> int:
    """Count as tiktoken does, or by ``BYTES_PER_TOKEN`` if no file of it is at hand."""
    if count := tiktoken_counter():
        return count(text)
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN)


def _cache_folders() -> Iterator[Path]:
    if CACHE_VARIABLE in os.environ:
        yield Path(os.environ[CACHE_VARIABLE])
    else:
        yield Path(tempfile.gettempdir()) / "data-gym-cache"  # where tiktoken keeps its own
    spec = importlib.util.find_spec("llama_index")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "core" / "_static" / "tiktoken_cache"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _load(encoding: str, folder: Path) -> TokenCounter:
    import tiktoken  # optional

    with _environment:
        before = os.environ.get(CACHE_VARIABLE)
        os.environ[CACHE_VARIABLE] = str(folder)
        try:
            loaded = tiktoken.get_encoding(encoding)
        finally:
            if before is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = before
    return lambda text: len(loaded.encode(text, disallowed_special=()))
