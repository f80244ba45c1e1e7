"""The processes that serve one socket: this one alone, or several that it looks after."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

import uvicorn

from r3mem_agents.errors import R3MemError, ServerError
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.application import application
from r3mem_agents.server.failures import LOG

if TYPE_CHECKING:
    from r3mem_agents.server.serving import Serving

COULD_NOT_BEGIN = 3
"""Exit code of a worker that another one in its place would share the fate of."""

BACKLOG = 128
"""Connections that wait until a process takes them; chosen: where no file can be opened any more,
asyncio logs so many errors a second.
"""

GRACE_S = 30
"""How long requests that run have at the end; chosen: a client may never send the rest of its own.
"""

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

LOOKED_AFTER_S = 0.2
"""Seconds between two looks at the workers and the signals."""


def run(serving: Serving, local: bool, listener: socket.socket) -> None:
    """Serve until a signal, and return once all that was asked is answered.

    Args:
        serving: What is served.
        local: Let requests choose their user as long as the file has no tokens.
        listener: What listens.

    Raises:
        ServerError: If a worker cannot begin.
    """
    _log_plainly()
    if serving.workers == 1:
        _serve(serving, local, listener)
    else:
        _look_after(serving, local, listener)


def _serve(serving: Serving, local: bool, listener: socket.socket) -> None:
    file = OpenFile(serving.db, serving.model)
    app = application(file, hosts=serving.hosts, local=local, rate=serving.rate)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,  # its warnings go to stderr
        access_log=False,  # paths have names of users and sessions in them
        proxy_headers=False,  # anybody can write them, and rates go by address
        server_header=False,
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
    with _signals_noted():  # uvicorn raises again what it stopped for
        uvicorn.Server(config).run([listener])


def _log_plainly() -> None:
    # Else MCPServer configures the log of the whole process: with boxes around tracebacks, which
    # take so long to draw that nothing is answered meanwhile.
    logging.basicConfig(format=LOG_FORMAT, level=logging.WARNING)


def _work(serving: Serving, local: bool, listener: socket.socket) -> None:
    _log_plainly()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _serve(serving, local, listener)
    except R3MemError as error:
        LOG.error("%s", error)
        sys.exit(COULD_NOT_BEGIN)


def _end_with_parent() -> None:
    # One that is killed cannot ask its workers to end, and they would keep the port.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _look_after(serving: Serving, local: bool, listener: socket.socket) -> None:
    spawn = multiprocessing.get_context("spawn")

    def begin() -> SpawnProcess:
        worker = spawn.Process(target=_work, args=(serving, local, listener))
        worker.start()
        return worker

    with _signals_noted() as noted:
        workers = [begin() for _ in range(serving.workers)]
        try:
            while not noted:
                wait([worker.sentinel for worker in workers], LOOKED_AFTER_S)
                for place, worker in enumerate(workers):
                    if worker.exitcode == COULD_NOT_BEGIN:
                        raise ServerError("a process that was to serve could not begin; see above")
                    if worker.exitcode is not None and not noted:
                        LOG.warning(
                            "worker %s ended (%s): another begins", worker.pid, worker.exitcode
                        )
                        time.sleep(LOOKED_AFTER_S)
                        workers[place] = begin()
        finally:
            listener.close()
            for worker in workers:
                worker.terminate()  # SIGTERM, after which each answers what it has begun
            for worker in workers:
                worker.join()


@contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """Collect signals that ask for an end, rather than die of them."""
    noted: list[int] = []
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(one, lambda number, _: noted.append(number)) for one in wanted]
    try:
        yield noted
    finally:
        for one, handler in zip(wanted, before, strict=True):
            signal.signal(one, handler)
