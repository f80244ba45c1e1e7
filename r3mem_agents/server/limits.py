"""How much is served: how often one owner may ask, and how large a request may be.

Limits of single values, such as ``k``, stand where the values are described.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from r3mem_agents.errors import InvalidInputError, RequestTooLargeError, TooManyRequestsError
from r3mem_agents.server.failures import App, Message, Receive, Scope, Send
from r3mem_agents.server.paths import is_private

if TYPE_CHECKING:
    from limits import RateLimitItem

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Most bytes of a request; chosen: a novel has one million."""

DEFAULT_RATE = "1200/minute"
"""How often one owner may ask; chosen: more than an agent and a page do."""


def parse_rate(text: str) -> RateLimitItem:
    """Read a rate such as ``20/second`` or ``1200/minute``.

    Raises:
        InvalidInputError: It is none.
    """
    from limits import parse

    try:
        return parse(text)
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is no rate; write it as 20/second or 1200/minute"
        ) from None


class Rates:
    """Counts requests of owners and of addresses; each process counts for itself.

    Args:
        rate: How many are answered in what time.
    """

    def __init__(self, rate: str = DEFAULT_RATE) -> None:
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import MovingWindowRateLimiter

        self._rate = parse_rate(rate)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, *who: str) -> None:
        """Count a request.

        Raises:
            TooManyRequestsError: It is one too many.
        """
        key = repr(who)  # one text: the library joins several with slashes, which names may have
        if not await self._windows.hit(self._rate, key):
            until = await self._windows.get_window_stats(self._rate, key)
            wait = max(1, math.ceil(until.reset_time - time.time()))
            raise TooManyRequestsError(
                f"more than {self._rate} requests; ask again in {wait} s", wait
            )


class Bodies:
    """Reads the body of a request as far as it may go, before anything else has it.

    What is too large is refused at its first byte where its length is told, and where it is not
    as soon as it is too long. A client that leaves in between is served nothing. Where no memory
    is needed no body is either, and none is read: anybody may send one.

    Args:
        app: What is inside.
        max_bytes: Most bytes of a body.
    """

    def __init__(self, app: App, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app, self._most = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            RequestTooLargeError: It has more bytes.
        """
        if scope["type"] != "http" or not is_private(scope["path"]):
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        self._check(int(told) if told.isdigit() else 0)
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            self._check(len(body))
            more = message.get("more_body", False)
        whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def again() -> Message:
            nonlocal whole
            first, whole = whole, None
            return await receive() if first is None else first

        await self._app(scope, again, send)

    def _check(self, size: int) -> None:
        if size > self._most:
            raise RequestTooLargeError(
                f"the request has more than {self._most:,} bytes; send less at a time"
            )
