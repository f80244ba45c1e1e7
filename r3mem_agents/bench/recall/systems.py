"""What is compared: one small protocol, and the systems that are known."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from r3mem_agents.bench.recall.data import SaidTurn
from r3mem_agents.errors import InvalidInputError, MissingExtraError

OURS = "r3mem"
BM25 = "bm25"
VECTORS = "minilm"
BOTH = "bm25+minilm"
MEM0 = "mem0"

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

Hit = tuple[str, float]
"""A turn's id and its score, higher is better."""


class System(Protocol):
    """Something that remembers turns of several users and finds them again."""

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Remember all turns of one user; called once per user."""

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """The best ``k`` turns of this user, best first; fewer if fewer are found."""

    def cool(self) -> None:
        """Put away what would answer a question sooner the second time; before timed lookups."""
        return

    def disk_bytes(self) -> int:
        """Bytes of what is on disk when the system is closed."""

    def close(self) -> None:
        """Let go of files."""


@dataclass(frozen=True, slots=True)
class Options:
    """What systems are opened with.

    Attributes:
        model: Checkpoint of r3mem, a name or a folder.
        encoder: Folder of the sentence encoder, of peers and of the gist's teacher; ``None`` takes
            the one from its package.
    """

    model: str
    encoder: Path | None


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


def line(turn: SaidTurn) -> str:
    """A turn as the peers get it: with its speaker, which they find more with than without."""
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
