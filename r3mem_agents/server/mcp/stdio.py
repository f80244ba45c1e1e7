"""The server over stdin and stdout, for the host that started this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import anyio

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp.damage import damage_collected
from r3mem_agents.server.mcp.server import mcp_server

CHUNK_BYTES = 1 << 16


def serve_stdio(memory: Callable[[], CompressiveMemory], *, captured: bool = False) -> None:
    """Answer requests until stdin ends, or SIGTERM or SIGINT asks to end.

    Calls that are running then are brought to their end, though nobody gets their answers. stdin
    and stdout are the host's as long as the process lives: whatever else is printed goes to stderr.

    Args:
        memory: Returns the memory; may raise what the host is to be told.
        captured: Whether hooks of the host remember every turn, so that the model need not.

    Raises:
        InvalidInputError: stdin or stdout is closed.
    """
    if sys.stdin is None or sys.stdout is None:
        raise InvalidInputError("stdin or stdout is closed: an MCP host talks through these")
    _end_by_signals()
    server = mcp_server(memory, captured=captured)
    try:
        with damage_collected():
            anyio.run(server.run_stdio_async)
    except* BrokenPipeError:
        pass  # the host is gone
    finally:
        with suppress(OSError):
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _end_by_signals() -> None:
    """Let stdin end at a signal, and with it the serving.

    The SDK reads stdin in a thread, which nothing interrupts. So it gets a pipe instead, and this
    ends when stdin does, or at a signal.
    """
    host, source, (ours, sink) = os.dup(0), 0, os.pipe()
    os.dup2(ours, source)
    os.close(ours)
    nowhere = os.open(os.devnull, os.O_WRONLY)

    def end(*_: object) -> None:
        os.dup2(nowhere, sink)  # unlike close, safe while the thread writes

    def pass_on() -> None:
        while chunk := os.read(host, CHUNK_BYTES):
            while chunk:
                chunk = chunk[os.write(sink, chunk) :]
        end()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=pass_on, daemon=True).start()
