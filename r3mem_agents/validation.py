"""Checks of what a caller passes in, made before anything is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.timestamps import moment
from r3mem_agents.types import Turn

MAX_KEY_BYTES = 255
"""Longest key of a turn, in UTF-8; chosen so that an index entry fits on a page of any database."""

MAX_ROLE = 64
"""Longest role, in characters; chosen: those of hosts have some ten."""

ROLES = frozenset({"ai", "assistant", "developer", "function", "human", "system", "tool", "user"})
"""Roles in the protocols of chat models; there may be others."""

MAX_NESTING = 100
"""Deepest nesting of metadata; Python's JSON parser fails at some 900 levels on a deep stack."""

MAX_DIGITS = 4300
"""Longest integer in metadata; Python parses no longer one by default."""

# Strings are matched whole, so that no bracket inside one counts.
_JSON_MARKS = re.compile(rf'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{{\]}}]|\d{{{MAX_DIGITS + 1},}}')


def check_text(value: object, what: str) -> str:
    """Accept any text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{what} must be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{what} has a lone surrogate at position {error.start}, which no UTF-8 text can "
            "hold; clean it first: text.encode(errors='replace').decode()"
        ) from error
    return value


def check_name(value: object, what: str) -> str:
    """Accept any text but a blank one."""
    if not check_text(value, what).strip():
        raise InvalidInputError(f"{what} is {'blank' if value else 'empty'}; give a name")
    return str(value)


def check_role(value: object, what: str) -> str:
    """Accept a name on one line, of at most ``MAX_ROLE``; hosts have roles of their own."""
    role = check_name(value, what)
    if len(role) > MAX_ROLE or len(role.splitlines()) > 1:
        raise InvalidInputError(
            f"{what} looks like a text: a role is one line of at most {MAX_ROLE} characters, such "
            "as 'user', 'assistant' or 'tool', and comes before the text: remember(role, text)"
        )
    return role


def check_scope(user: object, agent: object, session: object) -> None:
    """Accept the names that a memory is bound to."""
    for value, what in ((user, "user"), (agent, "agent"), (session, "session")):
        check_name(value, what)


def check_key(value: object, what: str) -> str:
    """Accept a name of at most ``MAX_KEY_BYTES``."""
    size = len(check_name(value, what).encode())
    if size > MAX_KEY_BYTES:
        raise InvalidInputError(
            f"{what} has {size} bytes, the most is {MAX_KEY_BYTES}; give a hash of it instead"
        )
    return str(value)


def check_time(value: object, what: str) -> datetime:
    """Accept a datetime with a time zone."""
    if not isinstance(value, datetime):
        raise InvalidInputError(f"{what} must be a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise InvalidInputError(
            f"{what} {value.isoformat()} has no time zone; give it one: "
            "time.replace(tzinfo=timezone.utc), or datetime.now(timezone.utc)"
        )
    return value


def check_expiry(value: object, what: str) -> datetime | timedelta:
    """Accept a datetime with a time zone, or a timedelta after which something is gone."""
    if not isinstance(value, datetime | timedelta):
        raise InvalidInputError(
            f"{what} must be a datetime or a timedelta, not {type(value).__name__}"
        )
    if isinstance(value, datetime):
        check_time(value, what)
    elif value <= timedelta():
        raise InvalidInputError(f"{what} is {value}; what is written now must live for a while")
    try:
        moment(value, datetime.now(UTC))
    except OverflowError:
        raise InvalidInputError(
            f"{what} {value} is beyond the year 9999; None means never"
        ) from None
    return value


def check_count(value: object, what: str, least: int = 1) -> int:
    """Accept a whole number that is not too small."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidInputError(f"{what} must be an int, not {type(value).__name__}")
    if value < least:
        raise InvalidInputError(f"{what} is {value}; it must be {least} or more")
    return int(value)


def check_score(value: object, what: str) -> float:
    """Accept a number from 0 to 1."""
    number: Any = value
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= number <= 1:
        raise InvalidInputError(f"{what} is {value!r}; give a number from 0 to 1")
    return float(value)


def check_question(
    query: object,
    count: object,
    what: str,
    level: object = "turn",
    now: object = None,
    as_of: object = None,
) -> int:
    """Accept a question, how much is wanted, turns or sessions, and two times or ``None``.

    Returns:
        How much is wanted.
    """
    check_text(query, "query")
    if level not in ("turn", "session"):
        raise InvalidInputError(f"level is {level!r}; it must be 'turn' or 'session'")
    for value, name in ((now, "now"), (as_of, "as_of")):
        if value is not None:
            check_time(value, name)
    return check_count(count, what)


def check_period(since: object, until: object) -> tuple[datetime | None, datetime | None]:
    """Accept the two ends of a period, either of which may be open."""
    start = None if since is None else check_time(since, "since")
    end = None if until is None else check_time(until, "until")
    if start is not None and end is not None and start > end:
        raise InvalidInputError(
            f"since {start.isoformat()} is after until {end.isoformat()}, and no turn can pass; "
            "give the earlier one as since"
        )
    return start, end


def check_names(values: object, what: str) -> list[str]:
    """Accept several names; a single str is most likely a mistake."""
    return [check_name(value, f"{what}[{i}]") for i, value in enumerate(_listed(values, what))]


def check_texts(values: object, what: str) -> list[str]:
    """Accept several texts; a single str is most likely a mistake."""
    return [check_text(value, f"{what}[{i}]") for i, value in enumerate(_listed(values, what))]


def check_pairs(values: object, what: str) -> list[tuple[str, str]]:
    """Accept several pairs of texts."""
    pairs = []
    for i, value in enumerate(_listed(values, what, "pairs")):
        pair = check_texts(value, f"{what}[{i}]")
        if len(pair) != 2:
            raise InvalidInputError(f"{what}[{i}] has {len(pair)} texts; a pair has 2")
        pairs.append((pair[0], pair[1]))
    return pairs


def _listed(values: object, what: str, of: str = "str") -> Iterable[object]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} must be a list of {of}, not {type(values).__name__}")
    return values


def check_id(value: object, what: str) -> int:
    """Accept a turn id."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidInputError(f"{what} is {value!r}; a turn's id is an int")
    return int(value)


def check_ids(values: object, what: str) -> list[int]:
    """Accept several turn ids; repetitions are dropped."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} must be a list of int, not {type(values).__name__}")
    ids: dict[int, None] = {}
    for value in values:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise InvalidInputError(f"{what} holds {value!r}; a turn's id is an int")
        ids[int(value)] = None
    return list(ids)


def check_turn(turn: object, what: str) -> Turn:
    """Accept a turn whose every field can be stored."""
    if not isinstance(turn, Turn):
        raise InvalidInputError(f"{what} must be a Turn, not {type(turn).__name__}")
    check_role(turn.role, f"{what}.role")
    check_text(turn.text, f"{what}.text")
    if turn.name is not None:
        check_name(turn.name, f"{what}.name")
    if turn.session is not None:
        check_name(turn.session, f"{what}.session")
    if turn.time is not None:
        check_time(turn.time, f"{what}.time")
    if turn.key is not None:
        check_key(turn.key, f"{what}.key")
    if turn.expires is not None:
        check_expiry(turn.expires, f"{what}.expires")
    if turn.metadata is not None:
        metadata_json(turn.metadata, f"{what}.metadata")
    return turn


def check_order(turn: Turn) -> Turn:
    """Refuse a role and a text that were most likely given in each other's place."""
    if turn.text in ROLES and turn.role not in ROLES:
        raise InvalidInputError(
            f"the text is {turn.text!r}, which is a role, and the role is none that is known: the "
            "role comes first, remember(role, text); if that is what was said, "
            "remember_many([Turn(role=..., text=...)]) takes it"
        )
    return turn


def check_turns(turns: object) -> list[Turn]:
    """Accept several turns, whose every field can be stored."""
    if isinstance(turns, Turn | str) or not isinstance(turns, Iterable):
        raise InvalidInputError(f"remember_many takes a list of Turn, not {type(turns).__name__}")
    return [check_turn(turn, f"turns[{i}]") for i, turn in enumerate(turns)]


def metadata_json(value: Mapping[str, Any], what: str) -> str:
    """Encode metadata as JSON, if that decodes to the same metadata."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{what} must be a dict, not {type(value).__name__}")
    plain = dict(value)
    encoded = json_text(plain, what)
    if json.loads(encoded) != plain:
        raise InvalidInputError(
            f"{what} would not come back as it is: JSON has only str keys, and lists for tuples"
        )
    return encoded


def json_text(value: object, what: str) -> str:
    """Encode a value as JSON that every reader and writer of this package can handle.

    Raises:
        InvalidInputError: If JSON cannot hold it, or only JSON that UTF-8 cannot hold, that is
            nested deeper than ``MAX_NESTING``, or that has longer numbers than ``MAX_DIGITS``.
    """
    try:
        encoded = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise _too_deep(what) from error
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{what} must be what JSON can hold: {error}") from error
    check_text(encoded, f"{what} as JSON")
    depth = 0
    for mark in _JSON_MARKS.findall(encoded):
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        elif mark[0] != '"':
            raise InvalidInputError(
                f"{what} has a number of more than {MAX_DIGITS} digits; write it as a str"
            )
        if depth > MAX_NESTING:
            raise _too_deep(what)
    return encoded


def _too_deep(what: str) -> InvalidInputError:
    return InvalidInputError(
        f"{what} is nested deeper than {MAX_NESTING} levels; write what is deeper as a str: "
        "json.dumps(...)"
    )
