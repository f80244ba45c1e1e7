"""The routes as one application, whose every error is one of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import r3mem_agents
from r3mem_agents.errors import InvalidInputError, NotFoundError, R3MemError
from r3mem_agents.server.failures import Failure, failure
from r3mem_agents.server.rest import lookups, turns, whole

MAX_NAMED = 3
"""Most invalid values that a message names."""


def rest_app(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """Return the routes; what ``auth`` puts into a request has to be there.

    Args:
        lifespan: Runs from before the first request until after the last.
    """
    app = FastAPI(
        title="r3mem",
        summary="Agent memory that compresses every turn and gets it back byte for byte.",
        description=__doc__,
        version=r3mem_agents.__version__,
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    for routes in (whole.routes, turns.routes, lookups.routes):
        app.include_router(routes)
    app.add_exception_handler(R3MemError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _frameworks)
    return app


async def _ours(request: Request, error: Exception) -> Response:
    return _response(failure(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [_invalid_value(one) for one in error.errors()]
    more = [f"{len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
    return _response(failure(InvalidInputError("; ".join([*found[:MAX_NAMED], *more]))))


def _invalid_value(error: dict[str, Any]) -> str:
    where, *path = error["loc"]
    if error["type"] == "json_invalid":
        return f"the body is no JSON: {error['ctx']['error']} at character {path[0]}"
    return f"{'.'.join(map(str, path)) or where}: {error['msg']}"


async def _frameworks(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            return _response(failure(NotFoundError("nothing is here; /openapi.json lists what is")))
        case 405:
            told = Failure(405, "InvalidInputError", "this path has other methods", {})
            return _response(told._replace(headers=dict(error.headers or {})))
        case _:  # what is left is a body that cannot be read
            return _response(failure(InvalidInputError("the body cannot be read as JSON")))


def _response(told: Failure) -> Response:
    # As ASCII, which also spells what no encoding holds.
    return Response(
        json.dumps(told.body), told.status, dict(told.headers), media_type="application/json"
    )
