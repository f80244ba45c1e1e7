"""Bytes of documents as passages and whole, under the model and under LZMA."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from r3mem_agents import CompressiveMemory
from r3mem_agents.documents import Document, find_documents, store_documents
from r3mem_agents.model.memory_tokens import is_literal, pack_literal

if TYPE_CHECKING:
    from r3mem_agents import MemoryTokens, ReversibleModel

Advance = Callable[[int], None]

FRAMING_BYTES = 5
"""Of a stream: mark, hash, length and modes, which an explanation leaves out."""


def find(folder: Path, limit: int) -> dict[str, list[Document]]:
    """Read the documents of each kind, in the order of their names, until there is text enough.

    Args:
        folder: A folder of documents for each kind, which is called like it.
        limit: Bytes of text of a kind after which no other document is taken.
    """
    found: dict[str, list[Document]] = {}
    for kind in sorted(one for one in folder.iterdir() if one.is_dir()):
        taken, size = found.setdefault(kind.name, []), 0
        for document in find_documents(kind).documents:
            if size < limit:
                taken.append(document)
                size += len(document.text.encode())
    return found


def measure(
    model: ReversibleModel, documents: Sequence[Document], advance: Advance
) -> dict[str, Any]:
    """Weigh the documents of one kind.

    Args:
        model: The model.
        documents: The documents.
        advance: Is told how many passages are done.
    """
    texts = [passage.text for document in documents for passage in document.passages]
    wholes = [document.text for document in documents]
    size = sum(len(text.encode()) for text in wholes)
    stored = model.compress(texts)
    streams = _streams(model, texts, stored)
    literal = [len(pack_literal(text.encode())) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        with CompressiveMemory(Path(folder, "memory.db"), model=model) as memory:
            start, before = time.process_time(), 0

            def show(done: int, _: int) -> None:
                nonlocal before
                advance(done - before)
                before = done

            store_documents(memory, documents, progress=show)
            seconds = time.process_time() - start
            exact = "".join(turn.text for turn in memory.history()) == "".join(wholes)
            stats = memory.stats()
        disk = Path(folder, "memory.db").stat().st_size
    turn = model.compress(wholes)
    return {
        "documents": len(documents),
        "passages": len(texts),
        "text_bytes": size,
        "byte_exact": exact,
        "bytes": {
            "model": sum(streams),
            "lzma": sum(literal),
            "stored": sum(len(one.code) for one in stored),
            "whole as one turn": sum(len(one.code) for one in turn),
            "whole lzma": sum(len(pack_literal(text.encode())) for text in wholes),
            "gists": stats.gist_bytes,
            "terms": stats.term_bytes,
            "file": disk,
        },
        "passages_as_lzma": sum(is_literal(one.code) for one in stored),
        "documents_as_lzma": sum(is_literal(one.code) for one in turn),
        "store_cpu_s": seconds,
    }


def _streams(
    model: ReversibleModel, texts: Sequence[str], stored: Sequence[MemoryTokens]
) -> list[int]:
    """Bytes of each text by the passes alone, also where LZMA was smaller."""
    other = [text for text, one in zip(texts, stored, strict=True) if is_literal(one.code)]
    explained = iter(model.explain(other))
    return [
        FRAMING_BYTES + round(float(next(explained).bits.sum()) / 8)
        if is_literal(one.code)
        else len(one.code)
        for one in stored
    ]
