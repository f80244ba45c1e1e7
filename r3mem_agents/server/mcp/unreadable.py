"""What cannot be read is answered: the SDK passes over it on stdio, and a host waits in vain.

A host written in JavaScript that cuts a text in the middle of an emoji sends half of it, for one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

Messages: TypeAlias = MemoryObjectReceiveStream[SessionMessage | Exception]

HALF = "it holds half of a character, a surrogate without the other one: send whole characters"


@asynccontextmanager
async def answered(
    host: AsyncIterable[SessionMessage | Exception],
    tell: Callable[[SessionMessage], Awaitable[None]],
) -> AsyncIterator[Messages]:
    """Pass on the messages of a host, and answer what is none.

    Args:
        host: What a transport reads.
        tell: Sends the host a message.
    """
    passed, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)

    async def pass_on() -> None:
        async with passed:
            async for one in host:
                if not isinstance(one, ValidationError):
                    await passed.send(one)
                elif answer := _answer(one):
                    await tell(SessionMessage(answer))

    async with messages, anyio.create_task_group() as tasks:
        tasks.start_soon(pass_on)
        yield messages
        tasks.cancel_scope.cancel()


def _answer(error: ValidationError) -> JSONRPCError | None:
    """What tells a host that something cannot be read; nothing for an empty line."""
    faults = error.errors(include_url=False, include_context=False)
    code, reason = INVALID_REQUEST, "no request, notification or answer"
    # Each of these lacks something else, and what it is missing from is the whole message.
    message: Any = next((one["input"] for one in faults if one["type"] == "missing"), None)
    [first, *_] = faults
    if first["type"] == "json_invalid":
        code, reason = PARSE_ERROR, first["msg"]
        if not first["input"].strip():
            return None
        try:
            message = json.loads(first["input"])
            json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            reason = HALF
        except (ValueError, RecursionError):
            pass
    told = ErrorData(code=code, message=f"InvalidInputError: not of JSON-RPC: {reason}")
    return JSONRPCError(jsonrpc="2.0", id=_id_of(message), error=told)


def _id_of(message: Any) -> int | str | None:
    if not isinstance(message, dict) or "method" not in message:
        return None
    found = message.get("id")
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None
