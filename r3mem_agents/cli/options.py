"""Options that many commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.types import DEFAULT_MODEL

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel


def set_to_something(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    """Refuse a variable that is set and empty, where it counts: nobody is called so.

    Raises:
        InvalidInputError: With the variable.
    """
    source = context.get_parameter_source(option.name or "")
    if source and source.name == "DEFAULT" and os.environ.get(str(option.envvar)) == "":
        raise InvalidInputError(f"{option.envvar} is empty; give it a name, or unset it")
    return value


def session_option(what: str, default: str | bool = True) -> Any:
    """``--session`` where it is one that a variable may name.

    Args:
        what: Its help.
        default: What stands for it in the help when it is left out, if not its value.
    """
    return typer.Option(
        "--session",
        envvar="R3MEM_SESSION",
        callback=set_to_something,
        help=what,
        show_default=default,
    )


DbOption = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="R3MEM_DB",
        callback=set_to_something,
        help="Database: a path or a sqlite:/// URL.",
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
        show_default=f"the bundled {DEFAULT_MODEL}",
    ),
]
CheckpointOption = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        envvar="R3MEM_MODEL",
        help="Checkpoint of the memory, where --model is another: a name or a folder.",
        show_default=f"the bundled {DEFAULT_MODEL}",
    ),
]
CountOption = Annotated[int, typer.Option("--k", "-k", help="Maximum number of turns to return.")]
OneSessionOption = Annotated[
    str | None, typer.Option("--session", help="Only this session; all if left out.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

DEFAULT_DB = "r3mem.db"


def load_model(model: str | None) -> ReversibleModel | None:
    """The checkpoint that ``--model`` names; ``None`` leaves the choice to the memory."""
    if model is None:
        return None
    from r3mem_agents import ReversibleModel

    return ReversibleModel.from_pretrained(model)


def require_model(model: str | None) -> ReversibleModel:
    """The checkpoint that ``--model`` names, or the bundled one."""
    from r3mem_agents import ReversibleModel

    return ReversibleModel.from_pretrained(model or DEFAULT_MODEL)


def parse_time(value: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 date or time; without a zone it is taken in the local one.

    Raises:
        InvalidInputError: With the value and an example.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):  # next to the years 1 and 9999
        raise InvalidInputError(
            f"{option} {value!r} is not a date; write it as 2026-11-20 or 2026-11-20T09:30+01:00"
        ) from None


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
