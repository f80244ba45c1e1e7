"""``r3mem mcp``."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import rich_click as click

from r3mem_agents.cli.console import asks_people, examples, warn
from r3mem_agents.cli.options import session_option
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.errors import R3MemError

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory


@click.command(
    "mcp",
    epilog=examples(
        "r3mem mcp",
        "r3mem mcp --db ~/memory.db --user alice --session laptop",
    ),
)
@session_option("Session of turns for which the host names none.")
@with_place
def mcp(*, session: str, place: Place) -> None:
    """Serve a memory to an MCP host, such as Claude Code, over stdin and stdout.

    The host starts this command itself. It ends when the host closes stdin, or at Ctrl-C.
    """
    # The SDK would log in columns, with lines of its source.
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    memory = _Late(place, session)
    threading.Thread(target=memory.warm, daemon=True).start()
    if asks_people():
        warn("an MCP host starts this command and talks through stdin and stdout; Ctrl-C ends it")
    from r3mem_agents.server.mcp import serve_stdio

    try:
        serve_stdio(memory)
    finally:
        memory.close()


class _Late:
    """A memory that is opened once it is needed: a host is told why that fails, not only a log."""

    def __init__(self, place: Place, session: str) -> None:
        self._place, self._session = place, session
        self._memory: CompressiveMemory | None = None
        self._lock = threading.Lock()

    def __call__(self) -> CompressiveMemory:
        with self._lock:
            if self._memory is None:
                self._memory = self._place.open(session=self._session, must_exist=False)
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
