"""What a client is told when something fails: a status, and an error of ours by name.

    {"error": {"name": "NotFoundError", "message": "no turn 7 in this memory"}}

Messages of the store and the model name files of the server, so only its log has them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from r3mem_agents.errors import (
    DamagedTurnError,
    ForbiddenError,
    InvalidInputError,
    ModelError,
    NotFoundError,
    R3MemError,
    RequestTooLargeError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from r3mem_agents.server.paths import MCP_PATH

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An application of ASGI, and what it is called with."""

RPC_CODE = -32000
"""What JSON-RPC leaves to servers."""

LOG = logging.getLogger("r3mem_agents.server")

STATUSES: Mapping[type[Exception], int] = {
    InvalidInputError: 422,
    NotFoundError: 404,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    RequestTooLargeError: 413,
    TooManyRequestsError: 429,
    StoreUnavailableError: 503,
}
"""Statuses of errors; that of any other is 500."""

_KEPT_QUIET: Mapping[type[Exception], str] = {
    StoreUnavailableError: "the memory cannot be used now, and nothing was changed; try again in a "
    "while, and if that does not help tell who runs this server",
    DamagedTurnError: "turns are damaged; tell who runs this server",
    StoreCorruptError: "the memory is damaged; tell who runs this server",
    StoreError: "the memory cannot be used; tell who runs this server",
    ModelError: "the model cannot do that; tell who runs this server",
}
"""What is said in place of messages that may name files, the most special error first."""

UNKNOWN = "something failed that should not have; tell who runs this server, whose log says more"


class Failure(NamedTuple):
    """What a client is told.

    Attributes:
        status: The HTTP status.
        name: Name of the error.
        message: What is wrong, and what to do.
        headers: Headers that belong to it.
    """

    status: int
    name: str
    message: str
    headers: Mapping[str, str]

    @property
    def line(self) -> str:
        """It on one line."""
        return f"{self.name}: {self.message}"

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """It as JSON."""
        return {"error": {"name": self.name, "message": self.message}}

    @property
    def rpc_body(self) -> dict[str, Any]:
        """It as an error of JSON-RPC, the only JSON of which clients of MCP show the message."""
        told = {"code": RPC_CODE, "message": self.line}
        return {"jsonrpc": "2.0", "id": None, "error": told}


def failure(error: Exception) -> Failure:
    """Return what a client is told of an error, and log what it is not told."""
    if not isinstance(error, R3MemError):
        LOG.error("a request failed", exc_info=error)
        return Failure(500, "ServerError", UNKNOWN, {})
    status = next((STATUSES[kind] for kind in type(error).mro() if kind in STATUSES), 500)
    for kind, message in _KEPT_QUIET.items():
        if isinstance(error, kind):
            LOG.error("%s: %s", type(error).__name__, error)
            return Failure(status, type(error).__name__, message, _headers(error))
    return Failure(status, type(error).__name__, str(error), _headers(error))


def _headers(error: R3MemError) -> dict[str, str]:
    match error:
        case UnauthorizedError():
            return {"WWW-Authenticate": "Bearer"}
        case TooManyRequestsError():
            return {"Retry-After": str(error.retry_after_s)}
        case _:
            return {}


class Failures:
    """Answers with an error where what is inside raises one.

    Args:
        app: What is inside.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            return  # given up at the end, as uvicorn says in the log
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            told = failure(error)
            await answer(told, told.rpc_body if scope["path"] == MCP_PATH else told.body, send)


async def answer(told: Failure, said: Mapping[str, Any], send: Send) -> None:
    """Send a failure."""
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    both = (headers | dict(told.headers)).items()
    await send(
        {
            "type": "http.response.start",
            "status": told.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in both],
        }
    )
    await send({"type": "http.response.body", "body": body})
