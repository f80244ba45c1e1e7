"""A database of which a log can be kept."""

from __future__ import annotations

from r3mem_agents.store import log
from r3mem_agents.store.bound import BoundDatabase
from r3mem_agents.store.log import LogRow
from r3mem_agents.store.records import Scope
from r3mem_agents.store.removing import to_be_scrubbed


class LoggedDatabase(BoundDatabase):
    """What a store works on, with a log of its changes where one is kept."""

    def keep_log(self, scope: Scope, door: bytes) -> None:
        """Keep a log from now on, if none is kept.

        Args:
            scope: Who asks for it.
            door: As of ``LogRow``.
        """
        with self._writing() as connection:
            if not log.is_kept(connection):
                log.begin(connection, scope[:2], door)

    def drop_log(self) -> None:
        """Keep no log any more, and remove every trace of it.

        Raises:
            StoreUnavailableError: If it is removed, but not yet every trace of it.
        """
        with self._writing() as connection:
            if log.is_kept(connection):
                log.drop(connection)
                to_be_scrubbed(connection)
        self._scrubbed("the log is removed", "it")

    def log(self, scope: Scope) -> tuple[list[LogRow], list[int]]:
        """The entries of a scope in the order of writing, and the rows of damaged ones."""
        with self._reading() as connection:
            found = [*log.entries(connection, scope[:2])]
        return (
            [entry for _, entry in found if entry is not None],
            [row for row, entry in found if entry is None],
        )
