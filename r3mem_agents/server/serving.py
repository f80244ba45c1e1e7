"""A server from its socket to its end: one process or several, on one file.

The socket is open before the first process serves, so what asks early waits. After SIGTERM or
Ctrl-C no connection is taken any more, requests that run are answered, and the file is closed.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from r3mem_agents.errors import (
    InvalidInputError,
    MissingExtraError,
    NotFoundError,
    OpenServerError,
    PortInUseError,
    ServerError,
)
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.tokens import Tokens
from r3mem_agents.store import check_there

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine that nobody else reaches it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served, and where.

    Attributes:
        db: Path or URL of the file.
        model: Checkpoint name or folder; ``None`` leaves the choice to the file.
        host: Address to listen at.
        port: Port to listen at; 0 means any that is free.
        workers: How many processes serve.
        allowed: Other names under which the server is reached, such as a proxy's.
        rate: How often one owner may ask.
    """

    db: str
    model: str | None
    host: str
    port: int
    workers: int
    allowed: tuple[str, ...]
    rate: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return _is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """Names under which it is reached; none where an address stands for all of them."""
        try:
            anything = ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            anything = False
        named = {self.host.lower(), *(name.lower() for name in self.allowed)}
        return frozenset() if anything else frozenset({*LOOPBACK, *named})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve(serving: Serving, begun: Callable[[str, bool], None]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        serving: What and where.
        begun: Called once connections are taken, with the URL and whether requests choose their
            user, since the file has no tokens.

    Raises:
        StoreError: If the file cannot be opened, is damaged, or is no memory.
        ModelError: If the model cannot be loaded, or the file was written with another one.
        OpenServerError: If the file has no tokens, and not only this machine reaches the server.
        PortInUseError: If another program listens there.
        InvalidInputError: If there is no such address or rate.
        MissingExtraError: If the extra ``server`` is not installed.
    """
    try:
        from r3mem_agents.server import limits, workers
    except ImportError as error:
        raise MissingExtraError("FastAPI", "server") from error

    limits.parse_rate(serving.rate)
    local = not _has_tokens(serving)
    if local and not serving.is_loopback:
        raise OpenServerError(
            f"{serving.db} has no tokens, so whoever reaches {serving.host} could read and forget "
            "all of it; make one with: r3mem token add USER, or leave --host out to serve this "
            "machine alone"
        )
    with listening(serving.host, serving.port) as listener:
        begun(_url(listener), local)
        workers.run(serving, local, listener)


def _has_tokens(serving: Serving) -> bool:
    if not serving.is_loopback:
        try:
            check_there(serving.db)
        except NotFoundError:  # and none is made for a server that may not begin
            return False
    with closing(OpenFile(serving.db, serving.model)) as file:
        return bool(Tokens(file))


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen at an address.

    Raises:
        PortInUseError: If another program does.
        InvalidInputError: If there is no such address.
        ServerError: If the system refuses it.
    """
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.create_server(address[:2], family=family)
    except (socket.gaierror, OverflowError):
        raise InvalidInputError(f"there is no address {host} with a port {port}") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"another program listens at port {port} of {host}; stop it, or give another port "
                "with --port, 0 for any that is free"
            ) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidInputError(f"{host} is no address of this machine") from None
        raise ServerError(f"cannot listen at port {port} of {host}: {error.strerror}") from error
    with listener:
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
