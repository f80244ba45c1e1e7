"""A real browser, Debian's or another Chromium of this machine, and a real server for it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from r3mem_agents import CompressiveMemory
from r3mem_agents.server.application import application

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Where this machine has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def browsing(path: str) -> Iterator[Browser]:
    """A browser, with a new profile."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def serving(memory: CompressiveMemory) -> Iterator[str]:
    """Serve the file of a memory at the address that this yields, and close it."""
    app = application(memory._handle.file, local=True)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    listener = server.config.bind_socket()
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()
