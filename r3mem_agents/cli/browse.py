"""``r3mem history``, ``fetch``, ``sessions`` and ``users``: what is stored, without a question."""

from __future__ import annotations

from dataclasses import asdict

import rich_click as click

from r3mem_agents.cli.console import counted, emit_json, examples, harmless_line, out
from r3mem_agents.cli.options import (
    db_option,
    json_option,
    model_option,
    one_session_option,
    session_option,
)
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.tables import show_turns
from r3mem_agents.errors import NotFoundError


@click.command(
    "history",
    epilog=examples(
        "r3mem history",
        "r3mem history --session 2026-11-20 --json",
    ),
)
@one_session_option
@with_place
@json_option
def history(
    *,
    session: str | None,
    place: Place,
    as_json: bool,
) -> None:
    """Show the turns in order, byte for byte but for further lines, which are indented."""
    with place.read() as memory:
        turns = memory.history(session)
    show_turns(turns, as_json=as_json)


@click.command(
    "fetch",
    epilog=examples(
        "r3mem fetch 12 13",
        "r3mem fetch --key message-7 --session 2026-11-20 --json",
    ),
)
@click.argument(
    "turn_ids", type=int, nargs=-1, help="Numbers of turns, as recall and history show them."
)
@click.option("--key", multiple=True, help="Or keys of turns; may be repeated.")
@session_option("The session of the keys.")
@with_place
@json_option
def fetch(
    *,
    turn_ids: tuple[int, ...],
    key: tuple[str, ...],
    session: str,
    place: Place,
    as_json: bool,
) -> None:
    """Show turns that you know by their numbers or keys, byte for byte."""
    if bool(turn_ids) == bool(key):
        raise click.BadParameter("name turns either by their numbers or by --key")
    with place.read() as memory:
        if turn_ids:
            known = {*memory.turn_ids()}
            missing = [f"turn {turn}" for turn in turn_ids if turn not in known]
            turns = memory.fetch(turn_ids=turn_ids)
        else:
            keys = [*dict.fromkeys(key)]
            missing = [f"key {one!r}" for one in keys if not memory.turn_ids(session, keys=[one])]
            turns = memory.fetch(keys=keys, session=session)
    if turns or not missing:
        show_turns(turns, as_json=as_json)
    if missing:
        raise NotFoundError(f"no {', no '.join(missing)} in this memory of user {place.user!r}")


@click.command(
    "sessions",
    epilog=examples(
        "r3mem sessions",
        "r3mem sessions --db team.db --user alice --json",
    ),
)
@with_place
@json_option
def sessions(
    *,
    place: Place,
    as_json: bool,
) -> None:
    """List the sessions of a user, in the order in which they began."""
    with place.read() as memory:
        found = memory.session_stats()
    if as_json:
        emit_json(
            [
                asdict(one) | {"first": one.first.isoformat(), "last": one.last.isoformat()}
                for one in found
            ]
        )
        return
    for one in found:
        first, last = (f"{time:%Y-%m-%d %H:%M}" for time in (one.first, one.last))
        held = f"{counted(one.turns, 'turn')}, {first} to {last}"
        out().print(harmless_line(f"{one.session}: {held}"), soft_wrap=True)
    if not found:
        out().print("nothing is remembered here")


@click.command(
    "users",
    epilog=examples(
        "r3mem users",
        "r3mem users --db team.db --json",
    ),
)
@db_option
@model_option
@json_option
def users(
    db: str,
    model: str | None,
    as_json: bool,
) -> None:
    """List who has turns in a file, with the agents that remember them."""
    with Place(db=db, model=model).open() as memory:
        found = memory.users()
    if as_json:
        emit_json([asdict(one) for one in found])
        return
    for one in found:
        held = f"{counted(one.turns, 'turn')} in {counted(one.sessions, 'session')}"
        line = harmless_line(f"{one.user}, agent {one.agent}: {held}")
        out().print(line, soft_wrap=True)
    if not found:
        out().print("nothing is remembered here")
