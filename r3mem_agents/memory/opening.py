"""A memory as a handle on a file: opened, bound to names, shared, copied, pickled, closed."""

from __future__ import annotations

import os
import weakref
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from r3mem_agents.analysis.rules import rules
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory import validation as check
from r3mem_agents.memory.models import choose_model, findable
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.reading import Reader
from r3mem_agents.memory.records import scope_of
from r3mem_agents.memory.writing import Writer
from r3mem_agents.store import Store
from r3mem_agents.types import IN_MEMORY, NOBODY

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel


class OpenedMemory:
    """What all verbs work on; see ``CompressiveMemory``.

    Attributes:
        location: Opens the same memory again: an absolute path, the URL that was given, or
            ``":memory:"``, which is gone once it is closed.
        user: Whose memory it is.
        agent: Which agent's memory it is.
        session: Session of turns that name none.
        model: What compresses and expands.
    """

    def __init__(
        self,
        path_or_url: str | os.PathLike[str],
        *,
        user: str = NOBODY,
        agent: str = "default",
        session: str = "default",
        model: ReversibleModel | str | os.PathLike[str] | None = None,
    ) -> None:
        """Open a memory, or begin a new one.

        Args:
            path_or_url: Path of a file, ``":memory:"``, or an SQLAlchemy URL of an SQLite database.
            user: Whose memory; nothing crosses a user.
            agent: Which agent's memory; memories of different agents are apart.
            session: Session of turns that name none.
            model: A model, or a path to load one from; ``None`` takes the model that the file was
                written with, or the bundled one.

        Raises:
            InvalidInputError: If one of these has a wrong type or is empty.
            StoreError: If the file cannot be opened, is damaged, or is no memory.
            ModelError: If the model cannot be loaded, or the file was written with another one.
        """
        check.check_scope(user, agent, session)
        self._store = Store(path_or_url, rules())
        self._opener: Self | None = None  # the handle that opened the file, if it is not this one
        self.location = self._store.location
        # Closes what nobody closed; Python 3.13 warns of connections that are just dropped.
        self._closing = weakref.finalize(self, self._store.close)
        self._model_path = findable(model)
        try:
            self.model = choose_model(self._store, model)
        except BaseException:
            self._closing()
            raise
        self._obfuscator = Obfuscator(self._store.secret)
        self._bind(user, agent, session)

    def _bind(self, user: str, agent: str, session: str) -> None:
        self.user, self.agent, self.session = user, agent, session
        self._scope = scope_of(self._obfuscator, user, agent)
        self._reader = Reader(self._store, self._scope, self._obfuscator, self.model)
        self._writer = Writer(self._store, self._scope, self._obfuscator, self.model, self._reader)

    def scoped(
        self, *, user: str | None = None, agent: str | None = None, session: str | None = None
    ) -> Self:
        """The same file and model for another user, agent or session, at once.

        Args:
            user: Whose memory; ``None`` means this one's.
            agent: Which agent's.
            session: Session of turns that name none.

        Returns:
            A memory that shares the file with this one. The file stays open until the one that
            opened it is closed: closing this one, or leaving its ``with``, closes nothing.

        Raises:
            InvalidInputError: If a name has a wrong type or is empty.
        """
        names = (
            self.user if user is None else user,
            self.agent if agent is None else agent,
            self.session if session is None else session,
        )
        check.check_scope(*names)
        other = object.__new__(type(self))
        vars(other).update(vars(self), _opener=self._opener or self)  # whose end closes the file
        other._bind(*names)
        return other

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.location == IN_MEMORY:
            raise InvalidInputError(
                "a memory without a file cannot be pickled; open it on one: "
                "CompressiveMemory('alice.db')"
            )
        names = {"user": self.user, "agent": self.agent, "session": self.session}
        return partial(type(self), self.location, model=self._model_path, **names), ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, if this handle opened it; what was stored stays.

        All handles that ``scoped`` made of it are closed with it. Closing one of those does
        nothing, nor does a second call.
        """
        if self._opener is None:
            self._closing()
