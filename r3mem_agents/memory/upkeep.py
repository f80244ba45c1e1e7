"""The verbs about the file of a memory: what it holds, whether it is sound, a copy of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from r3mem_agents.concurrency import in_thread
from r3mem_agents.memory.counting import memory_stats, session_stats, user_stats
from r3mem_agents.memory.log import keep_log, read_log
from r3mem_agents.memory.opening import BaseMemory
from r3mem_agents.memory.verifying import verify

if TYPE_CHECKING:
    from r3mem_agents.types import LogEntry, MemoryStats, SessionStats, UserStats, Verification


class Upkeep(BaseMemory):
    """A memory that looks after its file; its other verbs are those of ``CompressiveMemory``."""

    def stats(self) -> MemoryStats:
        """Count what this user's memory with this agent holds, and what it costs."""
        return memory_stats(self._handle)

    def session_stats(self) -> list[SessionStats]:
        """Count the turns of each session, and say from when to when it was, without reading them.

        They come in the order in which they began.
        """
        return session_stats(self._handle)

    def users(self) -> list[UserStats]:
        """Return who has turns in this file, and how many, in the order in which they came.

        Only this verb names other users: show its result only to those who may read the whole file.
        """
        return user_stats(self._handle)

    def verify(self) -> Verification:
        """Compare the whole file, of all users, with what was written, turn by turn.

        This checks the pages and indexes of the database, that rows refer to rows that exist, and
        of each turn a checksum, its text and its terms. It takes as long as reading every turn.
        """
        return verify(self._handle.store, self._handle.obfuscator, self.model)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a copy of the whole file, of all users, as it is at one moment.

        The memory may be in use meanwhile, by other processes too. The copy is compact: nothing of
        what was forgotten or replaced is in it. A failed attempt leaves no file.

        Args:
            path: Path of the copy, where no file may be yet.

        Raises:
            InvalidInputError: If ``path`` is none, or a file is there.
            StoreError: If the copy cannot be written, or the file is damaged.
        """
        self._handle.store.backup(path)

    def keep_log(self, on: bool) -> None:
        """Keep a log of who changes what and when in this file, of all users, or remove it.

        It has no word of a turn, nor names of sessions or speakers, keys or metadata, and stays
        when turns are forgotten: that is its purpose. It is off until it is asked for.

        Args:
            on: Keep one from now on; or else keep none any more, and remove what there is, so that
                no byte of it is left in the file.

        Raises:
            StoreError: If that cannot be written, or bytes of it are left for now.
        """
        keep_log(self._handle, on)

    def log(self) -> list[LogEntry]:
        """Return what the log says of this user with this agent, in order; ``[]`` without one."""
        return read_log(self._handle)

    akeep_log = in_thread(keep_log)
    alog = in_thread(log)
    asession_stats = in_thread(session_stats)
    astats = in_thread(stats)
    ausers = in_thread(users)
    averify = in_thread(verify)
    abackup = in_thread(backup)
