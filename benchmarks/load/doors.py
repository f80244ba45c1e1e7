"""The two ways in: over HTTP to ``r3mem serve``, and a memory in this process."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from benchmarks.errors import BenchmarkError
from r3mem_agents import CompressiveMemory

PAGE_TURNS = 20
"""Turns that are read where a client looks at the end of its session."""

ALL_TURNS = 1000
"""Turns of a page where everything is read."""

TIMEOUT_S = 120.0


class RefusedError(BenchmarkError):
    """An answer that is an error; its message is the error's name."""


class Answer(NamedTuple):
    """What came back.

    Attributes:
        whole: All of it as text, to be searched for what does not belong there.
        turns: Turns in it, as ids and texts.
    """

    whole: str
    turns: Sequence[tuple[int, str]] = ()


class Door(Protocol):
    """A way to the memory of one user; for one thread."""

    def remember(self, session: str, text: str) -> Answer:
        """Store a turn."""

    def recall(self, query: str) -> Answer:
        """Look turns up."""

    def context(self, query: str) -> Answer:
        """Ask for text for a prompt."""

    def history(self, session: str) -> Answer:
        """Read the latest turns of a session."""

    def forget(self, turn: int) -> Answer:
        """Forget a turn."""

    def everything(self, session: str) -> Answer:
        """Read all turns of a session."""

    def close(self) -> None:
        """Close it."""


class InProcess:
    """A memory in this process, shared by threads.

    Args:
        memory: The memory of the user.
    """

    def __init__(self, memory: CompressiveMemory) -> None:
        self._memory = memory

    def remember(self, session: str, text: str) -> Answer:
        """Store a turn."""
        turn = self._memory.remember("user", text, session=session)
        return Answer(turn.text, [(turn.id, turn.text)])

    def recall(self, query: str) -> Answer:
        """Look turns up."""
        found = [(hit.turn.id, hit.text) for hit in self._memory.recall(query)]
        return Answer("\n".join(text for _, text in found), found)

    def context(self, query: str) -> Answer:
        """Ask for text for a prompt."""
        return Answer(self._memory.context(query))

    def history(self, session: str) -> Answer:
        """Read the latest turns of a session."""
        return self._read(session, PAGE_TURNS)

    def forget(self, turn: int) -> Answer:
        """Forget a turn."""
        return Answer(repr(self._memory.forget(turn_ids=[turn])))

    def everything(self, session: str) -> Answer:
        """Read all turns of a session."""
        return self._read(session, 0)

    def close(self) -> None:
        """The file is closed by whoever opened it."""

    def _read(self, session: str, latest: int) -> Answer:
        turns = self._memory.fetch(turn_ids=self._memory.turn_ids(session)[-latest:])
        return Answer(
            "\n".join(turn.text for turn in turns), [(turn.id, turn.text) for turn in turns]
        )


class OverHttp:
    """A connection to a server, which is kept.

    Args:
        url: Of the server.
        token: Of the user.
    """

    def __init__(self, url: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def remember(self, session: str, text: str) -> Answer:
        """Store a turn."""
        turn = {"role": "user", "text": text, "session": session}
        return self._turns(self._ask("POST", "/v1/turns", {"turns": [turn]}))

    def recall(self, query: str) -> Answer:
        """Look turns up."""
        whole = self._ask("POST", "/v1/recall", {"query": query})
        hits = [hit["turn"] for hit in json.loads(whole)["recalled"]]
        return Answer(whole, [(turn["id"], turn["text"]) for turn in hits])

    def context(self, query: str) -> Answer:
        """Ask for text for a prompt."""
        return Answer(self._ask("POST", "/v1/context", {"query": query}))

    def history(self, session: str) -> Answer:
        """Read the latest turns of a session."""
        return self._turns(
            self._ask("GET", f"/v1/turns?session={quote(session)}&limit={PAGE_TURNS}")
        )

    def forget(self, turn: int) -> Answer:
        """Forget a turn."""
        return Answer(self._ask("POST", "/v1/forget", {"turn_ids": [turn]}))

    def everything(self, session: str) -> Answer:
        """Read all turns of a session."""
        self._connection.close()  # the server has closed what was idle meanwhile
        path = f"/v1/turns?session={quote(session)}&limit={ALL_TURNS}&after="
        pages = []
        after: int | None = 0
        while after is not None:
            whole = self._ask("GET", f"{path}{after}")
            pages.append(self._turns(whole))
            after = json.loads(whole)["next"]
        turns = [turn for page in pages for turn in page.turns]
        return Answer("".join(page.whole for page in pages), turns)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @staticmethod
    def _turns(whole: str) -> Answer:
        return Answer(whole, [(turn["id"], turn["text"]) for turn in json.loads(whole)["turns"]])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        try:
            sent = None if body is None else json.dumps(body)
            self._connection.request(method, path, sent, self._headers)
            answer = self._connection.getresponse()
            whole = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens another
            raise
        if answer.status >= 400:
            raise RefusedError(json.loads(whole)["error"]["name"])
        return whole
