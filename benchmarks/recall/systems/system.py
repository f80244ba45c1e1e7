"""The protocol of the systems that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from benchmarks.recall.conversations import SaidTurn

Hit = tuple[str, float]
"""A turn's id and its score, higher is better."""


class System(Protocol):
    """A system that remembers turns of several users and finds them again."""

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Remember all turns of one user; called once per user."""

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """The best ``k`` turns of this user, best first; fewer if fewer are found."""

    def ask_at(self, time: datetime | None) -> None:
        """Take the next questions as asked at this time; ``None``: after a user's last turn."""
        return

    def cool(self) -> None:
        """Empty caches that would speed up repeated questions; called before timed lookups."""
        return

    def disk_bytes(self) -> int:
        """Bytes of what is on disk when the system is closed."""

    def close(self) -> None:
        """Release files."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options to open systems with.

    Attributes:
        model: Checkpoint of r3mem, a name or a folder.
        encoder: Folder of a sentence encoder in the place of all-MiniLM-L6-v2, for peers and as
            the gist's teacher; ``None`` takes that from its package.
    """

    model: str
    encoder: Path | None


def line(turn: SaidTurn) -> str:
    """A turn as the peers get it: with its speaker, which they find more with than without."""
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
