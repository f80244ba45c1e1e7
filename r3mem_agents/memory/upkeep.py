"""The verbs that count and look after what a file holds."""

from __future__ import annotations

import os

from r3mem_agents.memory.damage import ADVICE, tell
from r3mem_agents.memory.opening import OpenedMemory
from r3mem_agents.memory.records import open_owner
from r3mem_agents.memory.verifying import verify
from r3mem_agents.types import MemoryStats, UserStats, Verification


class KeptMemory(OpenedMemory):
    """The verbs of upkeep; see ``CompressiveMemory``."""

    def stats(self) -> MemoryStats:
        """Count what this user's memory with this agent holds, and what it costs."""
        totals = self._store.totals(self._scope)
        return MemoryStats(
            turns=totals.turns,
            sessions=totals.sessions,
            tokens=totals.tokens,
            text_bytes=totals.text_bytes,
            code_bytes=totals.code_bytes,
            gist_bytes=totals.gist_bytes,
            term_bytes=totals.term_bytes,
            file_bytes=self._store.file_bytes(),
            bits_per_token=8 * totals.code_bytes / totals.tokens if totals.tokens else 0.0,
            inferred_share=totals.inferred / totals.tokens if totals.tokens else 0.0,
            packed_segments=totals.packed,
            literal_segments=totals.literal,
        )

    def users(self) -> list[UserStats]:
        """Return who has turns in this file, and how many, in the order in which they came.

        It is the one verb that names other users than this memory's; so show its result to whoever
        may read the whole file.
        """
        found: list[UserStats] = []
        for scope, turns, sessions in self._store.owned():
            names = open_owner(self._obfuscator, scope)
            if names is None:
                tell(f"{turns} turns are left out: their user's name is damaged. To do: {ADVICE}")
                continue
            user, agent = names
            found.append(UserStats(user=user, agent=agent, turns=turns, sessions=sessions))
        return found

    def verify(self) -> Verification:
        """Read every turn of the file, of all users, and compare it with what was written.

        Checked are the pages and indexes of the database, that every row refers to one that is
        there, a checksum over each turn with its names, time, metadata and memory tokens, the text
        that these expand to, and its terms. It takes as long as to read everything.

        Returns:
            What is damaged, turn by turn, and what else is wrong; ``ok`` if nothing is.
        """
        return verify(self._store, self._obfuscator, self.model)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a copy of the whole file, of all users, as of one moment.

        The memory may be in use meanwhile, by other processes too. The copy is compact: nothing of
        what was forgotten or replaced is in it. A failed attempt leaves no file.

        Args:
            path: Of the copy; no file may be there yet.

        Raises:
            InvalidInputError: If ``path`` is none, or a file is there.
            StoreUnavailableError: If the copy cannot be written.
            StoreCorruptError: If the file is damaged.
        """
        self._store.backup(path)
