"""What a memory holds: a file that is open, bound to a user, an agent and a session."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from r3mem_agents.analysis.rules import rules
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.models import choose_model, findable, load_model
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import scope_of
from r3mem_agents.store import Store
from r3mem_agents.types import IN_MEMORY
from r3mem_agents.validation import check_name, check_scope

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

M = TypeVar("M")

PYTHON = "python"
"""The door of a memory that was opened without one."""


class OpenFile:
    """A file that is open, with the model of its turns; shared by all handles on it.

    Attributes:
        store: The rows of the file.
        obfuscator: Hides what is in the rows, by the secret of the file.
        model: Compresses texts and expands memory tokens.
        read_only: Whether nothing is written to it.
        model_path: Where the model can be loaded from, in any working directory; ``None`` for a
            model that was given as an object, or not at all.
        close: Closes the file; a second call does nothing.
    """

    def __init__(
        self,
        path_or_url: str | os.PathLike[str],
        model: ReversibleModel | str | os.PathLike[str] | None,
        read_only: bool = False,
    ) -> None:
        """Open a file, or make a new one.

        Args:
            path_or_url: Path of the file, ``":memory:"``, or a sqlite:/// URL.
            model: A model, a path to load one from, or ``None``.
            read_only: Write nothing to the file, nor make one.

        Raises:
            StoreError: If the file cannot be opened, is damaged, or is no memory.
            ModelError: If the model cannot be loaded, or the file was written with another one.
        """
        wanted = None if model is None else load_model(model)  # before a file is made for it
        self.store = Store(path_or_url, rules(), read_only=read_only)
        self.read_only = read_only
        # Closes what nobody closed: Python 3.13 warns of connections that are merely dropped.
        self.close = weakref.finalize(self, self.store.close)
        self.model_path = findable(model)
        try:
            self.model = choose_model(self.store, wanted)
        except BaseException:
            self.close()
            raise
        self.obfuscator = Obfuscator(self.store.secret)


class Handle:
    """An open file, bound to the names of one memory.

    Attributes:
        file: The open file.
        user: Name of the user.
        agent: Name of the agent.
        session: Session of turns that name none.
        door: What changes come through, for a log.
        hidden_door: The same, as a log has it.
        location: Opens the file again.
        read_only: Whether nothing is written to it.
        store: The rows of the file.
        obfuscator: Hides what is in the rows.
        model: Compresses texts and expands memory tokens.
        scope: The user and the agent, as the store knows them.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | OpenFile,
        user: str,
        agent: str,
        session: str,
        model: ReversibleModel | str | os.PathLike[str] | None,
        read_only: bool = False,
        door: str = PYTHON,
    ) -> None:
        """Bind a file to names.

        Args:
            file: A file that is open, or the path or URL of one to open.
            user: Name of the user.
            agent: Name of the agent.
            session: Session of turns that name none.
            model: The model to open the file with; an open file has one.
            read_only: Write nothing to the file; one that is open stays as it is.
            door: What changes come through, for a log.

        Raises:
            InvalidInputError: If a name has a wrong type or is blank.
            StoreError: If the file cannot be opened, is damaged, is no memory, or was closed.
            ModelError: If the model cannot be loaded, or the file was written with another one.
        """
        check_scope(user, agent, session)
        self.door = check_name(door, "door")
        self._opened_here = not isinstance(file, OpenFile)
        self.file = file if isinstance(file, OpenFile) else OpenFile(file, model, read_only)
        self.user, self.agent, self.session = user, agent, session
        self.store, self.obfuscator = self.file.store, self.file.obfuscator
        self.model, self.location = self.file.model, self.store.location
        self.read_only = self.file.read_only
        self.store.ready()
        self.scope = scope_of(self.obfuscator, user, agent)
        self.hidden_door = self.obfuscator.hide(door)

    def __repr__(self) -> str:
        names = "".join(f", {what}={name!r}" for what, name in self.names().items())
        reads = ", read_only=True" if self.read_only else ""
        return f"{self.location!r}{names}, model={self.model.name!r}{reads}"

    def names(
        self, user: str | None = None, agent: str | None = None, session: str | None = None
    ) -> dict[str, Any]:
        """Return the names of this handle as keyword arguments, with those given in their place."""
        return {
            "user": self.user if user is None else user,
            "agent": self.agent if agent is None else agent,
            "session": self.session if session is None else session,
        }

    def keyed(self, session: str, keys: Sequence[str]) -> dict[str, int]:
        """Return the ids of those turns of a session that have one of these keys, by key."""
        masked = {self.obfuscator.mask(key): key for key in keys}
        digest = self.obfuscator.digest("session", session)
        found = self.store.keyed(self.scope, digest, list(masked))
        return {masked[key]: turn for key, turn in found.items() if key in masked}  # damage aside

    def reopening(self, memory: Callable[..., M]) -> Callable[[], M]:
        """Return what opens a memory on the same file and names, and can be pickled.

        Args:
            memory: Class of the memory.

        Raises:
            InvalidInputError: If there is no file.
        """
        if self.location == IN_MEMORY:
            raise InvalidInputError(
                "a memory without a file cannot be pickled; open it on one: "
                "CompressiveMemory('alice.db')"
            )
        names = self.names() | {"door": self.door, "read_only": self.read_only}
        return partial(memory, self.location, model=self.file.model_path, **names)

    def close(self) -> None:
        """Close the file, if this handle opened it."""
        if self._opened_here:
            self.file.close()
