"""Which systems are known, which of them can run here, and how each is opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

from r3mem_agents.bench.recall.systems import BM25, BOTH, MEM0, OURS, VECTORS, Options, System
from r3mem_agents.errors import InvalidInputError, MissingExtraError

NEEDS: dict[str, tuple[tuple[str, str], ...]] = {
    OURS: (),
    BM25: (("bm25s", "bm25s"),),
    VECTORS: (("langchain_core", "langchain-core"), ("transformers", "transformers")),
    BOTH: (
        ("bm25s", "bm25s"),
        ("langchain_core", "langchain-core"),
        ("transformers", "transformers"),
    ),
    MEM0: (("mem0", "mem0ai"), ("transformers", "transformers")),
}
"""The systems, and per system the modules that it needs with the packages they come in."""


class Choice(NamedTuple):
    """Systems to measure, and why others are left out."""

    systems: list[str]
    notes: list[str]


def choose(wanted: str | None) -> Choice:
    """The systems to measure.

    Args:
        wanted: Names with commas between them; ``None`` means all that are installed.

    Raises:
        InvalidInputError: A name is not known.
        MissingExtraError: A system was asked for by name and is not installed.
    """
    if wanted is None:
        absent = {name: error for name in NEEDS if (error := missing(name)) is not None}
        notes = [f"{name} is left out: {error}" for name, error in absent.items()]
        return Choice([name for name in NEEDS if name not in absent], notes)
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",")))
    for name in names:
        if name not in NEEDS:
            raise InvalidInputError(f"no system {name!r}; there are {', '.join(NEEDS)}")
        if (error := missing(name)) is not None:
            raise error
    return Choice(names, [])


def missing(name: str) -> MissingExtraError | None:
    """What a system lacks, as an error that says how to get it; ``None`` if it can run."""
    for module, package in NEEDS[name]:
        if importlib.util.find_spec(module) is None:
            if name == MEM0:
                return MissingExtraError(package, "mem0")
            return MissingExtraError(package, "bench")
    return None


def open_system(name: str, folder: Path, options: Options) -> System:
    """Open an empty system that keeps its files in a folder.

    What it needs is imported here, so that no system weighs on another.
    """
    if name == OURS:
        from r3mem_agents.bench.recall.ours import Ours

        return Ours(folder, options.model, options.encoder)
    if name == BM25:
        from r3mem_agents.bench.recall.bm25 import BM25Index

        return BM25Index(folder)
    from r3mem_agents.bench.recall.encoder import Encoder, bundled

    encoder = Encoder(options.encoder or bundled())
    if name == MEM0:
        from r3mem_agents.bench.recall.mem0 import Mem0

        return Mem0(folder, encoder)
    from r3mem_agents.bench.recall.vectors import VectorStore

    if name == VECTORS:
        return VectorStore(folder, encoder)
    from r3mem_agents.bench.recall.bm25 import BM25Index
    from r3mem_agents.bench.recall.fusion import Sum

    return Sum(BM25Index(folder / "bm25"), VectorStore(folder / "vectors", encoder))
