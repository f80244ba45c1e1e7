"""Options that many commands share, and how they become a memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from r3mem_agents.cli.console import warn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.types import IN_MEMORY

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory, ReversibleModel


def set_to_something(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    """Refuse a variable that is set and empty, where it counts: nobody is called so.

    Raises:
        InvalidInputError: With the variable.
    """
    source = context.get_parameter_source(option.name or "")
    if source and source.name == "DEFAULT" and os.environ.get(str(option.envvar)) == "":
        raise InvalidInputError(f"{option.envvar} is empty; give it a name, or unset it")
    return value


DbOption = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="R3MEM_DB",
        callback=set_to_something,
        help="Database: a path or an SQLAlchemy URL.",
    ),
]
UserOption = Annotated[
    str,
    typer.Option(
        "--user",
        envvar="R3MEM_USER",
        callback=set_to_something,
        help="Whose memory it is; nothing crosses it.",
    ),
]
AgentOption = Annotated[
    str,
    typer.Option(
        "--agent", envvar="R3MEM_AGENT", callback=set_to_something, help="The agent that remembers."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        envvar="R3MEM_MODEL",
        help="Checkpoint: a name or a folder.",
        show_default="the bundled r3mem-base",
    ),
]
CheckpointOption = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        envvar="R3MEM_MODEL",
        help="Checkpoint of the memory, where --model is another: a name or a folder.",
        show_default="the bundled r3mem-base",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

DEFAULT_DB = "r3mem.db"

MOST_LISTED = 5
"""Names that a note lists, before it counts the others."""


def load_model(model: str | None) -> ReversibleModel | None:
    """The checkpoint that ``--model`` names; ``None`` leaves the choice to the memory."""
    if model is None:
        return None
    from r3mem_agents import ReversibleModel

    return ReversibleModel.from_pretrained(model)


def require_model(model: str | None) -> ReversibleModel:
    """The checkpoint that ``--model`` names, or the bundled one."""
    from r3mem_agents import ReversibleModel

    return ReversibleModel.from_pretrained(model or "r3mem-base")


def open_memory(
    db: str,
    user: str,
    agent: str,
    model: str | None,
    *,
    session: str = "default",
    must_exist: bool = True,
) -> CompressiveMemory:
    """Open the memory that the shared options describe.

    Args:
        db: Path or SQLAlchemy URL.
        user: User of the scope.
        agent: Agent of the scope.
        model: Checkpoint name or folder, or ``None``.
        session: Session that new turns belong to.
        must_exist: Refuse a path where no file is, rather than make an empty memory there.

    Raises:
        NotFoundError: There is no file at ``db``.
    """
    if must_exist:
        check_exists(db)
    from r3mem_agents import CompressiveMemory

    return CompressiveMemory(db, user=user, agent=agent, session=session, model=load_model(model))


def check_exists(db: str) -> None:
    """Refuse a path where no file is.

    Raises:
        NotFoundError: There is none.
    """
    if "://" not in db and db != IN_MEMORY and not Path(db).exists():
        raise NotFoundError(
            f"no memory at {db}; make one with: r3mem remember --db {db} 'some text', "
            "or name another file with --db or R3MEM_DB"
        )


def read_memory(db: str, user: str, agent: str, model: str | None) -> CompressiveMemory:
    """Open a memory that should hold something; if it does not, say whose turns the file has."""
    memory = open_memory(db, user, agent, model)
    if not memory.sessions():
        _tell_whose(memory, db)
    return memory


def _tell_whose(memory: CompressiveMemory, db: str) -> None:
    users = memory.users()
    agents = [one.agent for one in users if one.user == memory.user]
    if agents:
        warn(
            f"agent {memory.agent!r} remembers nothing of user {memory.user!r} in {db}, but "
            f"{_listed(agents)} does; name one with --agent or R3MEM_AGENT"
        )
    elif users:
        warn(
            f"user {memory.user!r} has no turns in {db}, but {_listed(one.user for one in users)} "
            "has; name one with --user or R3MEM_USER"
        )


def _listed(names: Iterable[str]) -> str:
    some = [*dict.fromkeys(names)]
    more = [f"{len(some) - MOST_LISTED} more"] if len(some) > MOST_LISTED else []
    return ", ".join([*map(repr, some[:MOST_LISTED]), *more])


def parse_time(value: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 date or time; without a zone it is taken in the local one.

    Raises:
        InvalidInputError: With the value and an example.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInputError(
            f"{option} {value!r} is not a date; write it as 2026-11-20 or 2026-11-20T09:30+01:00"
        ) from None
    return moment if moment.tzinfo else moment.astimezone()


def parse_metadata(value: str | None) -> Mapping[str, Any] | None:
    """Read ``--metadata``, a JSON object.

    Raises:
        InvalidInputError: It is not one.
    """
    if value is None:
        return None
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"--metadata is not JSON: {error}") from None
    except RecursionError:
        raise InvalidInputError("--metadata is nested too deep") from None
    if not isinstance(parsed, dict):
        raise InvalidInputError('--metadata must be a JSON object, such as {"channel": "mail"}')
    return parsed
