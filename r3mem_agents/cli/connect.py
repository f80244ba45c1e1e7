"""``r3mem connect``: a host of agents is told of a memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import rich_click as click

from r3mem_agents.cli.console import (
    asks_people,
    emit_raw,
    examples,
    harmless_line,
    harmless_text,
    out,
)
from r3mem_agents.cli.options import agent_option, home_db_option, model_option, user_option
from r3mem_agents.connect.changes import Change, alone, make, plan, plan_undo
from r3mem_agents.connect.hosts import HOSTS, NAME, Surroundings
from r3mem_agents.connect.invocation import Invocation, invocation
from r3mem_agents.connect.records import Records
from r3mem_agents.errors import InvalidInputError, MissingExtraError

STYLES = {"+": "green", "-": "red"}


@click.command(
    "connect",
    epilog=examples(
        "r3mem connect claude-code",
        "r3mem connect cursor --project --db notes.db --user alice",
        "r3mem connect codex --undo",
        "r3mem connect --print",
    ),
)
@click.argument(
    "host",
    required=False,
    type=click.Choice([*HOSTS]),
    help="The host; left out with --print for those that are not in this list.",
)
@click.option("--project", is_flag=True, help="Connect the project in this folder, not the user.")
@click.option("--undo", is_flag=True, help="Take out again what was put in.")
@click.option("--print", "show", is_flag=True, help="Print what belongs there, change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@home_db_option
@user_option
@agent_option
@model_option
def connect(
    *,
    host: str | None,
    project: bool,
    undo: bool,
    show: bool,
    yes: bool,
    db: str,
    user: str,
    agent: str,
    model: str | None,
) -> None:
    """Tell a host of agents of a memory: its MCP server, and hooks that remember each turn.

    It shows what will change, and asks. All else that is in the host's files stays as it is.
    """
    by = invocation(db, user=user, agent=None if agent == "default" else agent, model=model)
    if host is None:
        if not show or undo:
            raise click.UsageError(f"name a host: {', '.join(HOSTS)}; or give --print alone")
        _print_server(by)
        return
    at = Surroundings(project=Path.cwd() if project else None)
    wanted = HOSTS[host].files(by, at)
    if show:
        for one in wanted:
            emit_raw(f"{one.path}:\n{alone(one)}")
        return
    if not undo and find_spec("mcp") is None:
        raise MissingExtraError("mcp", "server")
    records = Records(at.home)
    changes = plan_undo(wanted, records) if undo else plan(wanted, records)
    if not changes:
        state = "is not connected" if undo else "is connected already"
        out().print(harmless_text(f"{host} {state}: there is nothing to change"))
        return
    _show(changes)
    if not yes:
        _ask(host, undo=undo)
    if not undo and "://" not in by.db:
        Path(by.db).parent.mkdir(parents=True, exist_ok=True)
    make(changes, records)
    if undo:
        out().print(harmless_text(f"{host} is not connected any more"))
        return
    out().print(harmless_text(f"{host} is connected; {HOSTS[host].then}"))


def _print_server(by: Invocation) -> None:
    """What most hosts take."""
    command, arguments = by.server()
    entry = {"mcpServers": {NAME: {"command": command, "args": arguments}}}
    emit_raw(json.dumps(entry, ensure_ascii=False, indent=2) + "\n")


def _show(changes: Sequence[Change]) -> None:
    console = out()
    for change in changes:
        new = " (new)" if change.file.data is None else ""
        gone = " (removed)" if change.after is None else ""
        console.print(harmless_line(f"{change.file.path}{new}{gone}", "bold"), soft_wrap=True)
        for line in change.diff():
            console.print(harmless_line(line, STYLES.get(line[:1], "")), soft_wrap=True)


def _ask(host: str, *, undo: bool) -> None:
    """Ask whether to change the files.

    Raises:
        Abort: The answer is no.
        InvalidInputError: Nobody can be asked.
    """
    if not asks_people():
        raise InvalidInputError(
            "nobody is here to be asked, and nothing was changed; add --yes to change these files"
        )
    what = f"Take {NAME} out of {host}?" if undo else f"Connect {host} like this?"
    click.confirm(what, abort=True, err=True)
