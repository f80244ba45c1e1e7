"""The reference of the command line, docs/cli.md, written from the command itself.

python -m docs.commands
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from r3mem_agents.cli import app

PAGE = Path(__file__).parent / "cli.md"
EXAMPLES = re.compile(r"^\[bold\]Examples?\[/bold\]\n\n((?: +.*\n\n?)+)", re.MULTILINE)


def reference() -> str:
    """What ``--help`` says of every command, as one page."""
    command: Any = typer.main.get_command(app)
    context = typer.Context(command, info_name="r3mem")
    for name in list(command.commands):
        command.resolve_command(context, [name])  # some are loaded when they are first run
    page = get_docs_for_click(obj=command, ctx=context, name="r3mem", title="Command line")
    page = EXAMPLES.sub(examples, page)
    return re.sub(r"\[bold\](.*?)\[/bold\]", r"**\1**", page).rstrip() + "\n"


def examples(found: re.Match[str]) -> str:
    """Examples as a block."""
    lines = [f"$ {line.strip()}" for line in found[1].splitlines() if line.strip()]
    return "\n".join(["**Examples**:", "", "<!-- not run -->", "```console", *lines, "```", "", ""])


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
