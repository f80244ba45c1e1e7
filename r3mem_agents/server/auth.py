"""Who asks: a request gets the memory that its token opens, before anything reads it.

Behind it, REST and MCP find in ``scope["state"]``, which is ``request.state`` in Starlette:

- ``memory``: a ``CompressiveMemory`` of the one user and agent that the request may use;
- ``local``: whether the request itself chose that user, since no tokens are asked for.

Paths that are not private get neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread

from r3mem_agents.errors import ForbiddenError, UnauthorizedError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.failures import App, Receive, Scope, Send
from r3mem_agents.server.limits import Rates
from r3mem_agents.server.paths import is_private
from r3mem_agents.server.tokens import Owner, Tokens
from r3mem_agents.types import NOBODY

NO_TOKEN = (
    "this server wants a token, sent as the header Authorization: Bearer TOKEN; who runs it makes "
    "one with: r3mem token add USER"
)
WRONG_TOKEN = (
    "this token opens nothing: it is mistyped or was removed; who runs this server makes another "
    "with: r3mem token add USER"
)

FOREIGN_PAGE = "this server answers no web pages but its own"


class Auth:
    """Lets through who may use a memory, and hands it on.

    Args:
        app: What is inside.
        file: The file that is served.
        hosts: Names under which the server is reached; nothing means any.
        local: Let requests choose their user as long as the file has no tokens. Only for servers
            that nobody reaches from elsewhere.
        rates: Limits how often one owner or address may ask.
    """

    def __init__(
        self, app: App, file: OpenFile, *, hosts: Set[str], local: bool, rates: Rates
    ) -> None:
        self._app, self._file, self._tokens = app, file, Tokens(file)
        self._hosts, self._local, self._rates = hosts, local, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            ForbiddenError: If it comes under a foreign host name, or from another web page.
            UnauthorizedError: If it has no token, or one that opens nothing.
            TooManyRequestsError: If its owner, or its address, asks too often.
        """
        if scope["type"] == "http":
            headers = combined(scope["headers"])
            check_source(headers.get(b"host", ""), headers.get(b"origin"), self._hosts)
            if is_private(scope["path"]):
                check_site(headers.get(b"sec-fetch-site"))
                owner = await self._admit(scope, headers.get(b"authorization", ""))
                scope.setdefault("state", {})["memory"] = CompressiveMemory(
                    self._file, user=owner.user, agent=owner.agent, door="rest"
                )
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, authorization: str) -> Owner:
        address = (scope.get("client") or ("",))[0]
        kind, _, token = authorization.partition(" ")
        owner = None
        local = self._local and not await to_thread.run_sync(self._tokens.__bool__)
        scope.setdefault("state", {})["local"] = local
        if local:
            await self._rates.count(address)
            return _chosen(scope)
        if kind.lower() == "bearer":
            owner = await to_thread.run_sync(self._tokens.owner, token.strip())
        if owner is None:
            await self._rates.count(address)
            raise UnauthorizedError(WRONG_TOKEN if token else NO_TOKEN)
        await self._rates.count(*owner)
        return owner


def combined(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[bytes, str]:
    """Return headers by their names, in small letters.

    Several of one name are one list, as HTTP says. So no two programs take different ones of them,
    such as a proxy and this server: a list of tokens opens nothing.
    """
    found: dict[bytes, str] = {}
    for name, value in headers:
        key, text = name.lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def check_source(host: str, origin: str | None, hosts: Set[str]) -> None:
    """Refuse what a browser sends for a web page that is not this server's.

    A page elsewhere can let a browser ask a server on the same machine. Either the browser says
    which page asks, or the page's own host name was made to mean this machine.

    Args:
        host: The header ``Host``.
        origin: The header ``Origin``, which browsers send.
        hosts: Names under which the server is reached; nothing means any.

    Raises:
        ForbiddenError: It is foreign.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        page = None if origin is None else urlsplit(origin).netloc
    except ValueError:  # brackets that are no IPv6 address
        name, page = "", origin
    if not name or (hosts and name not in hosts):
        raise ForbiddenError(
            "this server is not reached under this host name; who runs it may add one with: "
            "r3mem serve --allow-host NAME"
        )
    if page is not None and page.lower() != host.lower():
        raise ForbiddenError(FOREIGN_PAGE)


def check_site(site: str | None) -> None:
    """Refuse what a browser loads for a foreign page without saying which page that is.

    It does so for images and scripts. The page sees nothing of them but whether they fail, which
    would tell it whether a turn or a session exists.

    Args:
        site: The header ``Sec-Fetch-Site``, which browsers send.

    Raises:
        ForbiddenError: It is foreign.
    """
    if site not in (None, "same-origin", "none"):
        raise ForbiddenError(FOREIGN_PAGE)


def _chosen(scope: Scope) -> Owner:
    query: dict[str, Any] = parse_qs(
        scope["query_string"].decode("latin-1"), keep_blank_values=True
    )
    [user], [agent] = query.get("user", [NOBODY])[-1:], query.get("agent", ["default"])[-1:]
    return Owner(user, agent)
