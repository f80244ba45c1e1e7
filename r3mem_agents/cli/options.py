"""Options that many commands share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.types import DEFAULT_MODEL, NOBODY

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel


F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_DB = "r3mem.db"

UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def set_to_something(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Refuse a variable that is set and empty, where it counts: nobody is called so.

    Raises:
        InvalidInputError: With the variable.
    """
    source = context.get_parameter_source(option.name or "")
    if source and source.name == "DEFAULT" and os.environ.get(str(option.envvar)) == "":
        raise InvalidInputError(f"{option.envvar} is empty; give it a name, or unset it")
    return value


def _variable_option(name: str, variable: str, **more: Any) -> Callable[[F], F]:
    """An option that an environment variable may give, but not as nothing."""
    return click.option(name, envvar=variable, show_envvar=True, callback=set_to_something, **more)


def session_option(
    what: str, default: str | None = "default", shown: str | bool = True
) -> Callable[[F], F]:
    """``--session`` where it is one that a variable may name.

    Args:
        what: Its help.
        default: What it is when it is left out.
        shown: What stands for that in the help, if not its value.
    """
    return _variable_option(
        "--session", "R3MEM_SESSION", default=default, show_default=shown, help=what
    )


def _checkpoint_option(name: str, what: str) -> Callable[[F], F]:
    return click.option(
        name,
        envvar="R3MEM_MODEL",
        show_envvar=True,
        show_default=f"the bundled {DEFAULT_MODEL}",
        help=what,
    )


db_option = _variable_option(
    "--db", "R3MEM_DB", default=DEFAULT_DB, help="Database: a path or a sqlite:/// URL."
)
home_db_option = _variable_option(
    "--db",
    "R3MEM_DB",
    default="~/.r3mem/memory.db",
    help="Database: a path or a sqlite:/// URL. It is begun when something is said.",
)
user_option = _variable_option(
    "--user", "R3MEM_USER", default=NOBODY, help="Whose memory it is; nothing crosses it."
)
agent_option = _variable_option(
    "--agent", "R3MEM_AGENT", default="default", help="The agent that remembers."
)
model_option = _checkpoint_option("--model", "Checkpoint: a name or a folder.")
checkpoint_option = _checkpoint_option(
    "--checkpoint",
    "Checkpoint of the memory, where --model is another: a name or a folder.",
)
one_session_option = click.option("--session", help="Only this session; all if left out.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


where_option = click.option(
    "--where",
    multiple=True,
    help="Only turns of which this holds, such as metadata.channel=mail, metadata.priority>=3 or "
    "role!=tool; may be repeated.",
)


def count_option(default: int) -> Callable[[F], F]:
    """``--k``, with a default."""
    return click.option(
        "--k", "-k", type=int, default=default, help="Maximum number of turns to return."
    )


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


def parse_time(value: str | None, option: str, or_else: str = "") -> datetime | None:
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
            f"{or_else}"
        ) from None


CONDITION = re.compile(r"(?P<key>[^=!<>]+?) *(?P<sign>!=|>=|<=|=|>|<) *(?P<value>.*)", re.DOTALL)
SIGNS = {"=": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}


def parse_where(values: Sequence[str]) -> Mapping[str, Any] | None:
    """Read ``--where``: what ``recall`` takes. Values are JSON, or else text.

    Raises:
        InvalidInputError: One of them is no comparison, or two are the same one.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for value in values:
        if not (read := CONDITION.fullmatch(value.strip())):
            raise InvalidInputError(
                f"--where {value!r} compares nothing; write it as metadata.channel=mail, with one "
                f"of {' '.join(SIGNS)}"
            )
        comparisons, sign = wanted.setdefault(read["key"], {}), SIGNS[read["sign"]]
        if sign in comparisons:
            raise InvalidInputError(
                f"--where has {read['key']}{read['sign']} twice, and both must hold; give it once"
            )
        try:
            comparisons[sign] = json.loads(read["value"])
        except (json.JSONDecodeError, RecursionError):
            comparisons[sign] = read["value"]
    return wanted or None


def parse_expiry(value: str | None, option: str) -> datetime | timedelta | None:
    """Read a date or time, or a duration from now: 30d, 12h, 45m, 2w.

    Raises:
        InvalidInputError: With the value and examples.
    """
    duration = re.fullmatch(r"(\d{1,9})([mhdw])", value or "")
    if duration is None:
        return parse_time(value, option, ", or a duration such as 30d or 12h")
    try:
        return int(duration[1]) * UNITS[duration[2]]
    except OverflowError:
        raise InvalidInputError(f"{option} {value!r} is beyond the year 9999") from None


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
