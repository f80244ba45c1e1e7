"""``r3mem mcp``."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import rich_click as click

from r3mem_agents.cli.console import asks_people, examples, out, warn
from r3mem_agents.cli.options import session_option
from r3mem_agents.cli.places import Place, spare_threads, with_place
from r3mem_agents.cli.serve import DEFAULT_PORT
from r3mem_agents.errors import R3MemError

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory


@click.command(
    "mcp",
    epilog=examples(
        "r3mem mcp",
        "r3mem mcp --db ~/memory.db --user alice --session laptop",
        "r3mem mcp --db ~/memory.db --user alice --http",
    ),
)
@session_option("Session of turns for which the host names none.")
@with_place
@click.option("--http", is_flag=True, help="Listen at a port of this machine instead.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    show_default=str(DEFAULT_PORT),
    help="That port; 0 takes one that is free.",
)
@click.option(
    "--captured",
    is_flag=True,
    help="Tell the model that the host's hooks remember every turn; r3mem connect sets them up.",
)
def mcp(*, session: str, place: Place, http: bool, port: int | None, captured: bool) -> None:
    """Serve a memory to an MCP host, such as Claude Code, over stdin and stdout.

    The host starts this command itself. It ends when the host closes stdin, or at Ctrl-C. With
    --http it is r3mem serve, for this machine alone, and prints the URL that a host needs.
    """
    if http and captured:
        raise click.UsageError("--captured goes without --http")
    if http:
        _listen(place, session, DEFAULT_PORT if port is None else port)
        return
    if port is not None:
        raise click.UsageError("--port goes with --http")
    # The SDK would log in columns, with lines of its source.
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    memory = _Late(place, session)
    threading.Thread(target=memory.warm, daemon=True).start()
    if asks_people():
        warn("an MCP host starts this command and talks through stdin and stdout; Ctrl-C ends it")
    from r3mem_agents.server.mcp import serve_stdio

    try:
        serve_stdio(memory, captured=captured)
    finally:
        memory.close()


def _listen(place: Place, session: str, port: int) -> None:
    spare_threads()
    from r3mem_agents.server.limits import DEFAULT_RATE
    from r3mem_agents.server.serving import Serving, serve

    def begun(url: str, local: bool) -> None:
        whose = {"user": place.user, "agent": place.agent} if local else {}
        query = urlencode(whose | {"session": session})
        out().print(f"{url}/mcp?{query}", markup=False, soft_wrap=True)

    serve(
        Serving(
            db=place.db,
            model=place.model,
            host="127.0.0.1",
            port=port,
            workers=1,
            allowed=(),
            rate=DEFAULT_RATE,
        ),
        begun,
    )


class _Late:
    """A memory that is opened once it is needed: a host is told why that fails, not only a log."""

    def __init__(self, place: Place, session: str) -> None:
        self._place, self._session = place, session
        self._memory: CompressiveMemory | None = None
        self._lock = threading.Lock()

    def __call__(self) -> CompressiveMemory:
        with self._lock:
            if self._memory is None:
                self._memory = self._place.open(session=self._session, must_exist=False, door="mcp")
            return self._memory

    def warm(self) -> None:
        """Open it now, while the host still says hello; what fails is told when it is needed."""
        with suppress(R3MemError):
            self()

    def close(self) -> None:
        """Close it, if it is open."""
        with self._lock:
            if self._memory is not None:
                self._memory.close()
