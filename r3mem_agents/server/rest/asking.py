"""What routes share: the memory of a request, and the errors that they describe."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.rest.shapes import Errors

BEARER = HTTPBearer(
    auto_error=False,
    description="What r3mem token add prints; a file without tokens asks for none.",
)


async def memory_of(request: Request) -> CompressiveMemory:
    """The memory that the token of a request opens."""
    return cast(CompressiveMemory, request.state.memory)


async def is_local(request: Request) -> bool:
    """Whether the request chose its user itself, since no tokens are asked for."""
    return cast(bool, request.state.local)


Memory = Annotated[CompressiveMemory, Depends(memory_of)]
Local = Annotated[bool, Depends(is_local)]

WITH_TOKEN = [Security(BEARER)]
"""Tells readers of the OpenAPI description that a token is wanted; ``auth`` has seen to it."""


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route.

    Args:
        more: Statuses beside those that any route has.
    """
    told = {
        401: "No token, or one that opens nothing.",
        403: "Another host name, a foreign web page, or what this token may not do.",
        404: "There is no such turn or session in the memory that the token opens.",
        413: "More bytes than the server reads.",
        422: "A value that cannot be stored or asked.",
        429: "Too many requests; the header Retry-After says when to ask again.",
        503: "The file cannot be used now; nothing was changed.",
    }
    statuses = sorted({401, 403, 422, 429, 503, *more})
    return {one: {"model": Errors, "description": told[one]} for one in statuses}
