"""Arguments of tools: their types, limits and what a model is told about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from r3mem_agents.server.expiring import check_spelled

MAX_TEXT = 200_000
"""Longest text of a turn, in characters; chosen: no message of a chat is as long."""

MAX_TURNS = 100
"""Most turns that one call stores or returns; chosen."""

MAX_QUERY = 20_000
"""Longest question, in characters; chosen."""

MAX_FOUND = 50
"""Most turns that one lookup returns; chosen."""

MAX_BUDGET = 32_000
"""Largest token budget of a context; chosen."""

MAX_FORGOTTEN = 1_000
"""Most turns that one call forgets or pins; chosen."""


def _zoned(moment: datetime) -> datetime:
    try:
        return moment if moment.tzinfo else moment.astimezone()
    except OverflowError:
        raise ValueError("too close to the first or last year there is") from None


def _or_empty(value: object) -> object:
    return "" if value is None else value


def Described(text: str, **limits: Any) -> Any:  # noqa: N802  # stands in annotations, as Field does
    """A field with a description."""
    return Field(description=text, **limits)


Moment = Annotated[
    datetime,
    AfterValidator(_zoned),
    Described("ISO 8601; without a time zone it is the server's local time."),
]

# The SDK parses a string as JSON before it validates it, unless the type is str and nothing else:
# of `str | None`, "null" would come out as None. So an optional string is one that may be empty.
OptionalText = Annotated[str, BeforeValidator(_or_empty)]

Session = Annotated[
    OptionalText, Described("Name of the conversation; the current one if left out.")
]
Query = Annotated[
    str, Described("The question, in full and in plain words.", min_length=1, max_length=MAX_QUERY)
]
Since = Annotated[Moment | None, Described("Only turns said at this time or later (ISO 8601).")]
Until = Annotated[Moment | None, Described("Only turns said at this time or before (ISO 8601).")]
Sessions = Annotated[list[str] | None, Described("Only turns of these sessions.")]
Roles = Annotated[list[str] | None, Described("Only turns by these roles, such as user.")]
AsOf = Annotated[
    Moment | None, Described("Only what was known at this time, as it was said then (ISO 8601).")
]
Where = Annotated[
    dict[str, Any] | None,
    Described(
        "Only turns that meet all of these: metadata.KEY, role, name, session or key to a value or "
        'a comparison, such as {"metadata.priority": {"$gte": 3}}.'
    ),
]
Found = Annotated[int, Described("Most turns to return.", ge=1, le=MAX_FOUND)]
TurnId = Annotated[int, Described("Id of the turn, as recall and history give it.")]
TurnIds = Annotated[
    list[int], Described("Ids of turns, as recall and history give them.", max_length=MAX_FORGOTTEN)
]


class SaidTurn(BaseModel):
    """A turn to remember."""

    model_config = ConfigDict(extra="forbid")

    text: str = Described("What was said, word for word.", max_length=MAX_TEXT)
    role: str = Described("Who said it: user, assistant, tool or another.", default="user")
    name: str | None = Described("The speaker's name.", default=None)
    time: Moment | None = Described("When it was said (ISO 8601); now if left out.", default=None)
    expires: Annotated[Moment | timedelta | None, BeforeValidator(check_spelled)] = Described(
        "When it is forgotten: a time, or how long from now, such as P30D (ISO 8601).", default=None
    )
    metadata: dict[str, Any] | None = Described("Anything else, as JSON.", default=None)
    key: str | None = Described(
        "Your own id of the message: storing it again under the same key edits that turn.",
        default=None,
    )
