"""The ``r3mem`` command: a thin layer over the public API."""

from r3mem_agents.cli.app import app

__all__ = ["app"]
