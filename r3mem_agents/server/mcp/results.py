"""Results of tools and resources: what is not there is left out, as a model reads all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, cast

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from r3mem_agents.server.pages import Page
from r3mem_agents.types import Receipt, Recollection, Recollections, SessionStats, StoredTurn

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class StoredPlace(TypedDict):
    """Where a turn was stored."""

    id: int
    session: str
    time: Time


class TurnResult(StoredPlace):
    """A turn, byte for byte as it was said."""

    role: str
    name: NotRequired[str]
    place: NotRequired[Annotated[str, Field(description="Of a passage: where it stands.")]]
    text: str
    metadata: NotRequired[dict[str, Any]]
    key: NotRequired[str]
    expires: NotRequired[Annotated[Time, Field(description="When it is forgotten.")]]
    pinned: NotRequired[bool]


class Hit(TurnResult):
    """A turn that a lookup found."""

    score: Annotated[
        float,
        Field(description="0 to 1; of the best turn: how sure it is that there is an answer."),
    ]
    superseded_by: NotRequired[
        Annotated[int, Field(description="Id of a newer turn; this one may no longer hold.")]
    ]
    explanation: NotRequired[str]


class Remembered(TypedDict):
    """What was stored."""

    turns: list[StoredPlace]


class Recalled(TypedDict):
    """What was found, best first; nothing if the memory holds no answer."""

    turns: list[Hit]
    explanation: NotRequired[str]


class History(TypedDict):
    """Turns in the order in which they were stored."""

    turns: list[TurnResult]
    next: NotRequired[
        Annotated[int, Field(description="There are earlier turns: pass this as before.")]
    ]


class Turns(TypedDict):
    """Turns in order of time."""

    turns: list[TurnResult]


class SessionResult(TypedDict):
    """A session, without its words."""

    name: str
    turns: Annotated[int, Field(description="How many.")]
    first: Time
    last: Time


class SessionList(TypedDict):
    """Sessions in the order in which they began."""

    sessions: list[SessionResult]
    total: Annotated[int, Field(description="How many sessions there are in all.")]


class Pinned(TypedDict):
    """Which turns are pinned now, or are not."""

    turn_ids: list[int]
    pinned: bool


class Forgotten(TypedDict):
    """What is gone for good."""

    turns: Annotated[int, Field(description="How many.")]
    turn_ids: list[int]
    sessions: list[str]
    text_bytes: Annotated[int, Field(description="Bytes of text that they held.")]
    scrubbed: Annotated[Time, Field(description="When no byte of them was left in the file.")]


def place_result(turn: StoredTurn) -> StoredPlace:
    """Where a turn was stored."""
    return {"id": turn.id, "session": turn.session, "time": turn.time.isoformat()}


def turn_result(turn: StoredTurn) -> TurnResult:
    """A turn with all its fields."""
    result: TurnResult = {
        "id": turn.id,
        "session": turn.session,
        "time": turn.time.isoformat(),
        "role": turn.role,
        "text": turn.text,
    }
    if turn.name is not None:
        result["name"] = turn.name
    if turn.place is not None:
        result["place"] = turn.place
    if turn.metadata:
        result["metadata"] = dict(turn.metadata)
    if turn.key is not None:
        result["key"] = turn.key
    if turn.expires is not None:
        result["expires"] = turn.expires.isoformat()
    if turn.pinned:
        result["pinned"] = True
    return result


def turns(some: Sequence[StoredTurn]) -> Turns:
    """Turns with all their fields."""
    return {"turns": [turn_result(turn) for turn in some]}


def recalled(found: Recollections) -> Recalled:
    """The hits of a lookup, and why they are, if that was asked for."""
    result: Recalled = {"turns": [_hit(one) for one in found]}
    if found.explanation is not None:
        result["explanation"] = str(found.explanation)
    return result


def _hit(found: Recollection) -> Hit:
    result = cast("Hit", turn_result(found.turn) | {"score": round(found.score, 4)})
    if found.superseded_by is not None:
        result["superseded_by"] = found.superseded_by
    if found.explanation is not None:
        result["explanation"] = str(found.explanation)
    return result


def history(page: Page) -> History:
    """A page of turns."""
    result: History = {"turns": [turn_result(turn) for turn in page.turns]}
    if page.next is not None:
        result["next"] = page.next
    return result


def forgotten(receipt: Receipt) -> Forgotten:
    """What was removed."""
    return {
        "turns": receipt.turns,
        "turn_ids": [*receipt.turn_ids],
        "sessions": [*receipt.sessions],
        "text_bytes": receipt.text_bytes,
        "scrubbed": receipt.scrubbed.isoformat(),
    }


def sessions(found: Sequence[SessionStats], limit: int) -> SessionList:
    """A list of the sessions that began last."""
    return {"sessions": [_session(one) for one in found[-limit:]], "total": len(found)}


def _session(session: SessionStats) -> SessionResult:
    return {
        "name": session.session,
        "turns": session.turns,
        "first": session.first.isoformat(),
        "last": session.last.isoformat(),
    }
