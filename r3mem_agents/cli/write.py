"""``r3mem remember`` and ``forget``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import rich_click as click

from r3mem_agents.cli.console import (
    asks_people,
    counted,
    emit_json,
    examples,
    harmless,
    harmless_line,
    json_document,
    out,
    said,
)
from r3mem_agents.cli.documents import remember_path
from r3mem_agents.cli.files import created
from r3mem_agents.cli.options import (
    json_option,
    parse_expiry,
    parse_metadata,
    parse_time,
    session_option,
)
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.records import receipt_record, turn_record
from r3mem_agents.cli.tables import show_forgotten
from r3mem_agents.errors import InvalidInputError

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory


@click.command(
    "remember",
    epilog=examples(
        'r3mem remember "My dog is called Biscuit." --name Alice',
        'r3mem remember --session 2026-11-20 --time 2026-11-20T09:30+01:00 "See you at ten."',
        "cat letter.txt | r3mem remember - --role tool",
        'r3mem remember "The code of the door is 4711." --expires 12h',
        'r3mem remember -- "-5 degrees this morning."',
        "r3mem remember --file notes.pdf",
        "r3mem remember --file ~/notes",
    ),
)
@click.argument(
    "text",
    required=False,
    help="What was said; - reads it from stdin, to the byte. Put -- before one that begins with -.",
)
@click.option(
    "--file",
    "path",
    help="Store a document instead, or those of a folder: Markdown, text, HTML and PDF, as "
    "passages that know their place. What is stored already is not stored again.",
)
@click.option("--role", default="user", help="Role of the speaker: user, assistant, tool ...")
@click.option("--name", help="Name of the speaker.")
@session_option("Session it belongs to.")
@click.option("--time", "when", help="When it was said, in ISO 8601; now if left out.")
@click.option("--metadata", help="A JSON object kept beside it.")
@click.option(
    "--expires", help="When it is gone: a time in ISO 8601, or how long from now, as 30d or 12h."
)
@with_place
@json_option
@click.pass_context
def remember(
    context: click.Context,
    *,
    text: str | None,
    path: str | None,
    role: str,
    name: str | None,
    session: str,
    when: str | None,
    metadata: str | None,
    expires: str | None,
    place: Place,
    as_json: bool,
) -> None:
    """Store one turn, or documents.

    A document is a session whose name is the path of its file. Its passages are found like turns.
    Store it again when it has changed: what it still says is kept, and what it says no more is
    forgotten.
    """
    if path is not None:
        _check_alone(context)
        remember_path(path, place, as_json=as_json)
        return
    if text is None:
        raise click.UsageError("name one of: a text, --file")
    words, moment = said(text), parse_time(when, "--time")
    extra, end = parse_metadata(metadata), parse_expiry(expires, "--expires")
    with place.open(session=session, must_exist=False) as memory:
        turn = memory.remember(role, words, name=name, time=moment, metadata=extra, expires=end)
    if as_json:
        emit_json(turn_record(turn))
        return
    size = len(words.encode("utf-8"))
    done = f"turn {turn.id} stored in session {turn.session} of {place.db} ({size:,} bytes)"
    out().print(harmless_line(done))


def _check_alone(context: click.Context) -> None:
    """Refuse what only a turn has.

    Raises:
        UsageError: With its name.
    """
    for parameter in ("text", "role", "name", "session", "when", "metadata", "expires"):
        source = context.get_parameter_source(parameter)
        if source is not None and source.name == "COMMANDLINE":
            name = parameter if parameter == "text" else f"--{parameter}".replace("when", "time")
            raise click.UsageError(f"--file and {name} do not go together")


@click.command(
    "forget",
    epilog=examples(
        "r3mem forget 12 13",
        "r3mem forget --session 2026-11-20",
        "r3mem forget --everything",
        "r3mem forget 12 13 --yes --receipt forgotten.json",
    ),
)
@click.argument("turn_ids", type=int, nargs=-1, help="Numbers of turns.")
@click.option("--session", help="Forget this whole session.")
@click.option("--everything", is_flag=True, help="Forget all that this user and agent hold.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.option("--receipt", "path", help="Write what was forgotten to this new file, as JSON.")
@with_place
@json_option
def forget(
    *,
    turn_ids: tuple[int, ...],
    session: str | None,
    everything: bool,
    yes: bool,
    path: str | None,
    place: Place,
    as_json: bool,
) -> None:
    """Forget turns, a session or everything, without a trace in the file.

    Nothing brings them back, so this asks first. In a script, where nobody can be asked, it forgets
    nothing without --yes. A receipt has numbers and names of sessions, but no word of a turn; if it
    cannot be written, nothing is forgotten. Its hash is what sha256sum says of the file, until
    something is written to that again.
    """
    wanted = [bool(turn_ids), session is not None, everything]
    if sum(wanted) != 1:
        raise click.BadParameter("name one of: turn numbers, --session, --everything")
    with place.read() as memory:
        held = _held(memory, turn_ids, session)
        unknown = {*turn_ids}.difference(*held.values())
        if held and not unknown and not yes:
            _ask({name: len(ids) for name, ids in held.items()}, place)
        with nullcontext() if path is None else created(path) as sink:
            receipt = memory.forget(
                turn_ids=turn_ids or None, session=session, everything=everything
            )
            if sink is not None:
                sink.write(json_document(receipt_record(receipt)).encode())
    show_forgotten(receipt, as_json=as_json)


def _held(
    memory: CompressiveMemory, turn_ids: tuple[int, ...], session: str | None
) -> dict[str, set[int]]:
    """Which of the turns that are to be forgotten each session holds."""
    names = memory.sessions() if session is None else [session]
    ids = {name: {*memory.turn_ids(name)} for name in names}
    if turn_ids:
        ids = {name: held.intersection(turn_ids) for name, held in ids.items()}
    return {name: held for name, held in ids.items() if held}


def _ask(held: dict[str, int], place: Place) -> None:
    """Ask whether to forget.

    Raises:
        Abort: The answer is no.
        InvalidInputError: Nobody can be asked.
    """
    sessions = f"session {next(iter(held))!r}" if len(held) == 1 else f"{len(held)} sessions"
    what = (
        f"{counted(sum(held.values()), 'turn')} of {sessions}, user {place.user!r}, "
        f"agent {place.agent!r} in {place.db}"
    )
    if not asks_people():
        raise InvalidInputError(
            f"nobody is here to be asked, and nothing was forgotten; add --yes to forget {what}"
        )
    click.confirm(harmless(f"Forget {what}? Nothing brings them back."), abort=True, err=True)
