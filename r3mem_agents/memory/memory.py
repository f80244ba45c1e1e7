"""The facade: the verbs of a memory, and their async twins."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from r3mem_agents.memory.blocking import BlockingMemory
from r3mem_agents.memory.budget import TokenCounter
from r3mem_agents.types import MemoryStats, Recollections, Turn, UserStats, Verification


class CompressiveMemory(BlockingMemory):
    """An agent's memory: turns go into memory tokens, and come back byte for byte.

    Objects may be shared between threads, and a file between processes. Every verb has an async
    twin with an ``a`` in front, which does its work in a thread. A copy of a memory is the memory;
    a pickle holds its location and names, and opens the file again.

    Where turns are damaged, reading returns the others, and a ``DamageWarning`` names the damaged
    ones, with what to do.

    Example:
        >>> memory = CompressiveMemory("alice.db", user="alice")
        >>> turn = memory.remember("user", "My dog is called Biscuit.", name="Alice")
        >>> memory.recall("What is my dog called?")[0].text
        'My dog is called Biscuit.'
    """

    async def aremember(
        self,
        role: str,
        text: str,
        *,
        name: str | None = None,
        session: str | None = None,
        time: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Turn:
        """Async twin of ``remember``."""
        return await asyncio.to_thread(
            self.remember,
            role,
            text,
            name=name,
            session=session,
            time=time,
            metadata=metadata,
            key=key,
        )

    async def aremember_many(
        self, turns: Iterable[Turn], *, replace: bool = False, forget: Iterable[int] = ()
    ) -> list[Turn]:
        """Async twin of ``remember_many``."""
        return await asyncio.to_thread(self.remember_many, turns, replace=replace, forget=forget)

    async def arecall(
        self,
        query: str,
        k: int = 5,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        now: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        min_score: float | None = None,
        exclude: Iterable[int] = (),
        level: Literal["turn", "session"] = "turn",
        neighbours: bool = True,
        explain: bool = False,
    ) -> Recollections:
        """Async twin of ``recall``."""
        return await asyncio.to_thread(
            self.recall,
            query,
            k,
            since=since,
            until=until,
            now=now,
            sessions=sessions,
            roles=roles,
            min_score=min_score,
            exclude=exclude,
            level=level,
            neighbours=neighbours,
            explain=explain,
        )

    async def acontext(
        self,
        query: str,
        token_budget: int = 800,
        *,
        now: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        exclude: Iterable[int] = (),
        count: TokenCounter | None = None,
        nothing: str | None = None,
    ) -> str:
        """Async twin of ``context``."""
        return await asyncio.to_thread(
            self.context,
            query,
            token_budget,
            now=now,
            sessions=sessions,
            roles=roles,
            exclude=exclude,
            count=count,
            nothing=nothing,
        )

    async def ahistory(self, session: str | None = None) -> list[Turn]:
        """Async twin of ``history``."""
        return await asyncio.to_thread(self.history, session)

    async def aturn_ids(
        self,
        session: str | None = None,
        *,
        sessions: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
    ) -> list[int]:
        """Async twin of ``turn_ids``."""
        return await asyncio.to_thread(self.turn_ids, session, sessions=sessions, keys=keys)

    async def asessions(self) -> list[str]:
        """Async twin of ``sessions``."""
        return await asyncio.to_thread(self.sessions)

    async def asummary(self, session: str | None = None, k: int = 3) -> list[Turn]:
        """Async twin of ``summary``."""
        return await asyncio.to_thread(self.summary, session, k)

    async def afetch(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        keys: Iterable[str] | None = None,
        session: str | None = None,
    ) -> list[Turn]:
        """Async twin of ``fetch``."""
        return await asyncio.to_thread(self.fetch, turn_ids=turn_ids, keys=keys, session=session)

    async def aforget(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        session: str | None = None,
        everything: bool = False,
    ) -> int:
        """Async twin of ``forget``."""
        return await asyncio.to_thread(
            self.forget, turn_ids=turn_ids, session=session, everything=everything
        )

    async def astats(self) -> MemoryStats:
        """Async twin of ``stats``."""
        return await asyncio.to_thread(self.stats)

    async def ausers(self) -> list[UserStats]:
        """Async twin of ``users``."""
        return await asyncio.to_thread(self.users)

    async def abackup(self, path: str | os.PathLike[str]) -> None:
        """Async twin of ``backup``."""
        await asyncio.to_thread(self.backup, path)

    async def averify(self) -> Verification:
        """Async twin of ``verify``."""
        return await asyncio.to_thread(self.verify)

    async def aclose(self) -> None:
        """Async twin of ``close``."""
        await asyncio.to_thread(self.close)
