"""``r3mem version``."""

from __future__ import annotations

import platform
import sqlite3

import rich_click as click

from r3mem_agents.cli.console import emit_json, examples, out
from r3mem_agents.cli.options import json_option

PARTS = ("numpy", "tokenizers", "safetensors", "click", "rich-click", "rich")


def versions() -> dict[str, str]:
    """Versions of this package and of what it runs on, and the kernel of its engine."""
    from importlib import metadata  # takes longer than all else of a version

    from r3mem_agents.model.native.library import library

    found = {"r3mem-agents": package_version(), "python": platform.python_version()}
    found["kernel"] = library().kernel
    for part in PARTS:
        try:
            found[part] = metadata.version(part)
        except metadata.PackageNotFoundError:
            found[part] = "missing"
    found["sqlite"] = sqlite3.sqlite_version
    return found


def package_version() -> str:
    """The version of this package."""
    from r3mem_agents import __version__

    return __version__


def show() -> None:
    """Print the version alone, on one line."""
    out().print(f"r3mem-agents {package_version()}")


@click.command(
    "version",
    epilog=examples(
        "r3mem version",
        "r3mem version --all --json",
    ),
)
@json_option
@click.option("--all", "full", is_flag=True, help="Also what it runs on.")
def version(
    as_json: bool,
    full: bool,
) -> None:
    """Show the version."""
    found = versions() if full else {"r3mem-agents": package_version()}
    if as_json:
        emit_json(found)
        return
    for name, number in found.items():
        out().print(f"{name} {number}")
