"""Which memory a command works on: the options of all such commands, in one place."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from r3mem_agents.cli.console import warn
from r3mem_agents.cli.options import (
    DEFAULT_DB,
    agent_option,
    db_option,
    load_model,
    model_option,
    user_option,
)
from r3mem_agents.errors import NotFoundError
from r3mem_agents.types import IN_MEMORY, NOBODY

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory

MAX_LISTED = 5
"""Names that a note lists, before it counts the others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose memory, in which file, and the model that reads it.

    Attributes:
        db: Path or sqlite:/// URL.
        user: User of the scope.
        agent: Agent of the scope.
        model: Checkpoint name or folder; ``None`` leaves the choice to the memory.
    """

    db: str = DEFAULT_DB
    user: str = NOBODY
    agent: str = "default"
    model: str | None = None

    def open(
        self, *, session: str = "default", must_exist: bool = True, door: str = "cli"
    ) -> CompressiveMemory:
        """Open the memory.

        Args:
            session: Session that new turns belong to.
            must_exist: Refuse a path where no file is, rather than make an empty memory there.
            door: What changes come through, as a log says.

        Raises:
            NotFoundError: There is no file at ``db``.
        """
        if must_exist:
            check_exists(self.db)
        spare_threads()
        from r3mem_agents import CompressiveMemory

        return CompressiveMemory(
            self.db,
            user=self.user,
            agent=self.agent,
            session=session,
            model=load_model(self.model),
            door=door,
        )

    def read(self) -> CompressiveMemory:
        """Open a memory that should hold something; if not, say whose turns the file has."""
        memory = self.open()
        if not memory.sessions():
            self._tell_whose(memory)
        return memory

    def _tell_whose(self, memory: CompressiveMemory) -> None:
        users = memory.users()
        agents = [one.agent for one in users if one.user == self.user]
        if agents:
            warn(
                f"agent {self.agent!r} remembers nothing of user {self.user!r} in {self.db}, but "
                f"{_listed(agents)} does; name one with --agent or R3MEM_AGENT"
            )
        elif users:
            others = _listed(one.user for one in users)
            warn(
                f"user {self.user!r} has no turns in {self.db}, but {others} has; name one with "
                "--user or R3MEM_USER"
            )


def spare_threads() -> None:
    """Let NumPy's OpenBLAS, once it is loaded, start no threads.

    It starts one a core, which spin for longer than a lookup takes; no product here is large enough
    for them.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def check_exists(db: str) -> None:
    """Refuse a path where no file is.

    Raises:
        NotFoundError: There is none.
    """
    path = db.removeprefix("sqlite:///")
    if "://" not in path and "?" not in path and path != IN_MEMORY and not Path(path).exists():
        raise NotFoundError(
            f"no memory at {db}; make one with: r3mem remember --db {db} 'some text', "
            "or name another file with --db or R3MEM_DB"
        )


def _listed(names: Iterable[str]) -> str:
    some = [*dict.fromkeys(names)]
    more = [f"{len(some) - MAX_LISTED} more"] if len(some) > MAX_LISTED else []
    return ", ".join([*map(repr, some[:MAX_LISTED]), *more])


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a place, and the place that they name as ``place``."""

    @db_option
    @user_option
    @agent_option
    @model_option
    @functools.wraps(command)
    def run(db: str, user: str, agent: str, model: str | None, **values: Any) -> None:
        command(place=Place(db, user, agent, model), **values)

    return run
