"""How a memory is opened, passed on and closed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from r3mem_agents.concurrency import in_thread
from r3mem_agents.memory.fixed import Fixed
from r3mem_agents.memory.handle import PYTHON, Handle, OpenFile
from r3mem_agents.memory.reading import Reader
from r3mem_agents.memory.retrieval import Retriever
from r3mem_agents.memory.writing import Writer
from r3mem_agents.types import NOBODY

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel


class BaseMemory:
    """A memory on a file that is open; its verbs are those of ``CompressiveMemory``."""

    location = Fixed[str]()
    user = Fixed[str]()
    agent = Fixed[str]()
    session = Fixed[str]()
    model = Fixed["ReversibleModel"]()
    read_only = Fixed[bool]()
    door = Fixed[str]()

    def __init__(
        self,
        path_or_url: str | os.PathLike[str] | OpenFile,
        *,
        user: str = NOBODY,
        agent: str = "default",
        session: str = "default",
        model: ReversibleModel | str | os.PathLike[str] | None = None,
        read_only: bool = False,
        door: str = PYTHON,
    ) -> None:
        """Open a memory, or begin a new one.

        Args:
            path_or_url: Path of a file, ``":memory:"``, a sqlite:/// URL, or a file that is
                open, as ``scoped`` passes it on.
            user: Whose memory; nothing crosses from one user to another.
            agent: Which agent's memory; those of different agents are kept apart.
            session: Session of turns that name none.
            model: A model, or a path to load one from; ``None`` takes the model that the file was
                written with, or the bundled one. A file that is open has its model already.
            read_only: Write nothing to the file, nor begin one: verbs that write raise
                ``ReadOnlyError``. Others may write to it meanwhile. Beside it SQLite leaves a log,
                empty, which whoever writes next takes away.
            door: What changes come through, as the entries of ``log`` say: the program, perhaps.

        Raises:
            NotFoundError: If there is no file, and nothing may be written.
            StoreError: If the file cannot be opened, is damaged, is no memory, or was closed.
            ModelError: If the model cannot be loaded, or the file was written with another one.
        """
        self._handle = Handle(path_or_url, user, agent, session, model, read_only, door)
        self._reader, self._writer = Reader(self._handle), Writer(self._handle)
        self._retriever = Retriever(self._handle)

    def scoped(
        self,
        *,
        user: str | None = None,
        agent: str | None = None,
        session: str | None = None,
        door: str | None = None,
    ) -> Self:
        """Return a memory for another user, agent or session, on the same file and model, at once.

        Args:
            user: Whose memory; ``None`` means this one's, and likewise below.
            agent: Which agent's memory.
            session: Session of turns that name none.
            door: What changes come through.
        """
        handle = self._handle
        names = handle.names(user, agent, session)
        return type(self)(handle.file, **names, door=handle.door if door is None else door)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._handle!r})"

    def __deepcopy__(self, _: object = None) -> Self:
        return self

    __copy__ = __deepcopy__

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        return self._handle.reopening(type(self)), ()

    def __enter__(self) -> Self:
        self._handle.store.ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and with it what ``scoped`` made; what was stored stays.

        A memory that ``scoped`` made closes nothing, nor does a second call.
        """
        self._handle.close()

    aclose = in_thread(close)
