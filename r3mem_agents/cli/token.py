"""``r3mem token``: who may use a file that ``r3mem serve`` serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import rich_click as click
from rich.table import Table

from r3mem_agents.cli.console import emit_json, err, examples, harmless_line, harmless_text, out
from r3mem_agents.cli.group import CONTEXT, ErrorGroup
from r3mem_agents.cli.options import agent_option, db_option, json_option, model_option
from r3mem_agents.cli.places import check_exists
from r3mem_agents.timestamps import wall_clock

if TYPE_CHECKING:
    from r3mem_agents.server.tokens import Tokens


@click.group(
    "token",
    cls=ErrorGroup,
    context_settings=CONTEXT,
    epilog=examples("r3mem token add alice --db team.db", "r3mem token list --db team.db"),
)
def token() -> None:
    """Make, list and remove the tokens by which r3mem serve tells users apart."""


@token.command(
    "add",
    epilog=examples(
        "r3mem token add alice --db team.db",
        "r3mem token add alice --agent planner --db team.db",
    ),
)
@click.argument("user", help="Whose memory the token opens.")
@agent_option
@db_option
@model_option
@json_option
def add(user: str, agent: str, db: str, model: str | None, as_json: bool) -> None:
    """Make a token for a user, and print it: it is shown only now.

    The file keeps a hash of it. From the first token on, the file is served to tokens only.
    """
    with _tokens(db, model) as tokens:
        made = tokens.add(user, agent)
    if as_json:
        emit_json({"token": made, "user": user, "agent": agent})
        return
    err().print(harmless_text(f"token of {user} with agent {agent}, shown only now:"))
    out().print(made, soft_wrap=True)


@token.command("list", epilog=examples("r3mem token list --db team.db --json"))
@db_option
@model_option
@json_option
def list_tokens(db: str, model: str | None, as_json: bool) -> None:
    """List whose tokens there are, by the ids that remove takes; no token is shown."""
    check_exists(db)
    with _tokens(db, model) as tokens:
        found = tokens.list()
    records = [
        {
            "id": one.id,
            "user": one.owner.user if one.owner else None,
            "agent": one.owner.agent if one.owner else None,
            "made": one.made.isoformat(),
        }
        for one in found
    ]
    if as_json:
        emit_json(records)
        return
    table = Table("id", "user", "agent", "made")
    for one, record in zip(found, records, strict=True):
        names = [harmless_line(record[name] or "damaged") for name in ("user", "agent")]
        table.add_row(one.id, *names, wall_clock(one.made))
    out().print(table)


@token.command("remove", epilog=examples("r3mem token remove 3f9a1c22 --db team.db"))
@click.argument("id", help="Id of the token, as list shows it.")
@db_option
@model_option
@json_option
def remove(id: str, db: str, model: str | None, as_json: bool) -> None:
    """Remove a token: from now on it opens nothing, in servers that run too."""
    check_exists(db)
    with _tokens(db, model) as tokens:
        tokens.remove(id)
    if as_json:
        emit_json({"removed": id})
    else:
        out().print(harmless_text(f"token {id} removed"))


@contextmanager
def _tokens(db: str, model: str | None) -> Iterator[Tokens]:
    from r3mem_agents.memory.handle import OpenFile
    from r3mem_agents.server.tokens import Tokens

    with closing(OpenFile(db, model)) as file:
        yield Tokens(file)
