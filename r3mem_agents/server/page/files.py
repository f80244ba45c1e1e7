"""The page's files, with a policy under which a browser runs these files and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from r3mem_agents.server.paths import is_private

FOLDER = Path(__file__).with_name("static")

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no string is ever read as markup
    ]
)

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",  # asked again each time, answered with 304
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Types by suffix: Windows says in its registry what it takes them to be."""


class Page(StaticFiles):
    """The page as an application of ASGI, for everybody: it holds nothing of any memory."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with the page's headers.

        Raises:
            HTTPException: There is no such file.
        """
        if is_private(scope["path"]):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        if response.status_code == 200 and (kind := TYPES.get(PurePath(path).suffix)):
            response.headers["Content-Type"] = kind
        return response
