"""A memory named in public fields and opened when it is first used.

A host writes its objects as JSON, pickles and copies them. What is open (a connection, weights,
locks) can do none of that, so it stays behind a link that only this process knows.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import uuid4
from weakref import WeakValueDictionary

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from r3mem_agents.prompts import RecallFrom, check_options, recall_sessions
from r3mem_agents.types import IN_MEMORY, NOBODY
from r3mem_llamaindex._conversation import Conversation
from r3mem_llamaindex._delivered import MemoryName
from r3mem_llamaindex._messages import SPOKEN

DEFAULT_STORE = "r3mem.db"
"""Where the ``r3mem`` command keeps its memory as well."""

Name = Annotated[str, Field(min_length=1)]
"""Never empty: an id that a host failed to fill in would be somebody."""

_opening = threading.Lock()
_in_memory: WeakValueDictionary[MemoryName, CompressiveMemory] = WeakValueDictionary()


class _Link:
    """An open memory, shared by copies and left behind by pickles."""

    def __init__(self) -> None:
        self.name: MemoryName | None = None
        self.memory: CompressiveMemory | None = None

    def attach(self, name: MemoryName, memory: CompressiveMemory) -> CompressiveMemory:
        self.name, self.memory = name, memory
        return memory

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[_Link], tuple[()]]:
        return type(self), ()

    def __eq__(self, other: object) -> bool:  # objects are equal if they name the same memory
        return isinstance(other, _Link)

    def __hash__(self) -> int:
        return hash(_Link)


class Connected(BaseModel):
    """Names a memory of one user and agent.

    Attributes:
        store: A path, or a sqlite:/// URL; a path is made absolute, so that another process finds
            the same file. ``":memory:"`` lives as long as this object and its copies.
        user: The user; nothing crosses from one user to another. ``"default"`` is nobody in
            particular.
        agent: The agent.
        model: Folder of the checkpoint; ``None`` takes the one that the file was written with, or
            the bundled one.
    """

    model_config = ConfigDict(extra="forbid")  # a mistyped user must not be another one

    store: Name = Field(default=DEFAULT_STORE, validate_default=True)
    user: Name = NOBODY
    agent: Name = "default"
    model: Name | None = None

    _link: _Link = PrivateAttr(default_factory=_Link)

    @model_validator(mode="before")
    @classmethod
    def _without_class_name(cls, data: Any) -> Any:
        # The host's components write it, and not all of its ways to read them take it out.
        return {k: v for k, v in data.items() if k != "class_name"} if type(data) is dict else data

    @field_validator("store", "model", mode="before")
    @classmethod
    def _plain_path(cls, value: object) -> object:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("store")
    @classmethod
    def _findable(cls, value: str) -> str:
        return value if "://" in value or value.startswith(IN_MEMORY) else os.path.abspath(value)

    def model_post_init(self, context: Any, /) -> None:
        """Give a memory without a file a name, by which copies of this object find it."""
        super().model_post_init(context)
        if self.store == IN_MEMORY:
            self._share(
                CompressiveMemory(IN_MEMORY, user=self.user, agent=self.agent, model=self.model)
            )

    @classmethod
    def from_memory(cls, memory: CompressiveMemory, **fields: Any) -> Self:
        """Build one on a memory that is open already.

        Args:
            memory: Its file is taken over, and its user, agent and session where no others are
                given. A checkpoint is not: give the folder of one that is not bundled as ``model``,
                so that other processes find it.
            **fields: The other fields of this class. The file is the memory's: no ``store``.

        Raises:
            InvalidInputError: If a ``store`` is given too.
        """
        if "store" in fields:
            raise InvalidInputError("from_memory takes the file of its memory; leave out store")
        named = {"user": memory.user, "agent": memory.agent}
        if "session" in cls.model_fields:
            named["session"] = memory.session
        named |= fields
        in_memory = memory.location == IN_MEMORY
        store = f"{IN_MEMORY}{uuid4().hex}" if in_memory else memory.location
        connected = cls(store=store, **named)
        own = memory
        if (connected.user, connected.agent) != (memory.user, memory.agent):
            own = memory.scoped(user=connected.user, agent=connected.agent)
        if in_memory:
            connected._share(own)
        else:
            connected._link.attach(connected._name, own)
        return connected

    @property
    def memory(self) -> CompressiveMemory:
        """The memory: recall, forget, stats and all else that these classes do not wrap.

        Raises:
            StoreError: If it cannot be opened.
            ModelError: If its model cannot be loaded.
        """
        with _opening:
            link = self._link
            if link.memory is None or link.name != self._name:  # a user may be changed
                return link.attach(self._name, self._open())
            return link.memory

    @property
    def _name(self) -> MemoryName:
        return self.store, self.user, self.agent, self.model

    def _open(self) -> CompressiveMemory:
        if not self.store.startswith(IN_MEMORY):
            return CompressiveMemory(self.store, user=self.user, agent=self.agent, model=self.model)
        memory = _in_memory.get(self._name)
        if memory is None:
            raise StoreUnavailableError(
                "this memory had no file and is gone with the object or process that held it; "
                "give it one: store='alice.db'"
            )
        return memory

    def _share(self, memory: CompressiveMemory) -> None:
        if self.store == IN_MEMORY:
            self.store = f"{IN_MEMORY}{uuid4().hex}"
        _in_memory[self._name] = memory
        self._link.attach(self._name, memory)


class Talking(Connected):
    """Stores what is said in a session, and recalls from some of the sessions.

    Attributes:
        recall_from: Recall from all of the user's sessions, or from the present one only. ``None``
            means all if a user is named, and otherwise only the present one: the sessions of nobody
            in particular may be those of several people.
        where: Recall only turns that meet these conditions, as ``CompressiveMemory.recall`` has
            them; messages of the window need not.
        as_of: Recall only what was known at this time, likewise.
        expires: How long after it was put a message is gone; ``None`` means never. A history that
            is handed in again lives as long again.
    """

    recall_from: RecallFrom | None = None
    where: dict[str, Any] | None = None
    as_of: datetime | None = None
    expires: timedelta | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_options(where=self.where, as_of=self.as_of, expires=self.expires)
        return self

    def _conversation(self, session: str) -> Conversation:
        return Conversation(self.memory, self._name, session, expires=self.expires)

    def _context(
        self,
        question: str,
        token_budget: int,
        session: str,
        *,
        shown: Sequence[int],
        count: Callable[[str], int],
    ) -> str:
        # What is recalled for a question that is asked in a session.
        memory = self.memory.scoped(session=session)
        return memory.context(
            question,
            token_budget,
            sessions=recall_sessions(memory, self.recall_from),
            roles=SPOKEN,
            where=self.where,
            as_of=self.as_of,
            exclude=shown,
            count=count,
            nothing="",
        )
