"""Items of a store as turns, and back.

An item is a turn of the session of its namespace, known by its key. What is searched is the turn's
text: by default all of the value, as JSON. The metadata has what the text has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from langgraph.store.base import Item, SearchItem, get_text_at_path

from r3mem_agents import StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import turn_key
from r3mem_agents.validation import json_text

ROLE = "item"

METADATA = "langgraph"
"""Where a turn's metadata holds what of an item is not in its text."""

WHOLE = "$"
"""Path of all of a value."""

Namespace = tuple[str, ...]
Index = Literal[False] | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An item as it is kept.

    Attributes:
        namespace: Its namespace.
        key: Its key.
        json: Its value as JSON: it does not change, and every reader gets one of its own.
        created_at: When it was put first.
        updated_at: When it was put last.
        index: Paths of what is searched.
        ttl: Minutes that it lives after it was put or read; ``None`` means for ever.
        expires_at: When it is gone, unless it was read since.
    """

    namespace: Namespace
    key: str
    json: str
    created_at: datetime
    updated_at: datetime
    index: Index
    ttl: float | None = None
    expires_at: datetime | None = None

    @property
    def value(self) -> dict[str, Any]:
        """Its value."""
        value: dict[str, Any] = json.loads(self.json)
        return value

    def item(self) -> Item:
        """As a reader gets it."""
        return Item(
            value=self.value,
            key=self.key,
            namespace=self.namespace,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    def found(self, score: float | None) -> SearchItem:
        """As a search returns it."""
        return SearchItem(
            value=self.value,
            key=self.key,
            namespace=self.namespace,
            created_at=self.created_at,
            updated_at=self.updated_at,
            score=score,
        )


def expiry(now: datetime, ttl: float | None) -> datetime | None:
    """When something that lives so many minutes is gone.

    Raises:
        InvalidInputError: If that is not a number of minutes, or after the end of time.
    """
    try:
        return None if ttl is None else now + timedelta(minutes=ttl)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"ttl is {ttl!r}; give minutes, or None for an item that stays"
        ) from error


def value_json(value: object) -> str:
    """An item's value as it is kept.

    Raises:
        InvalidInputError: If it is not a dict that JSON can hold.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"an item's value is a dict, not {type(value).__name__}")
    compact = json_text(dict(value), "an item's value")
    _check_keys(value)
    return json.dumps(json.loads(compact), ensure_ascii=False)


def _check_keys(value: object) -> None:
    # JSON writes a key such as 1 as "1", which may be there already.
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise InvalidInputError(f"an item's value has the key {key!r}; keys are str")
            _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner)


def session_of(namespace: Namespace) -> str:
    """The session that holds a namespace.

    Raises:
        InvalidInputError: If one of its labels is empty: that of a user who is not known, most
            likely. The host's own methods refuse it; operations of a batch come unseen.
    """
    if not all(isinstance(label, str) and label for label in namespace):
        raise InvalidInputError(f"the namespace {namespace!r} has an empty label; name it")
    return json.dumps(namespace, ensure_ascii=False)


def namespace_of(session: str) -> Namespace:
    """The namespace that a session holds."""
    return tuple(json.loads(session))


def to_turn(kept: Kept) -> Turn:
    """An item as a turn."""
    extra: dict[str, Any] = {"created": kept.created_at.isoformat(), "index": kept.index}
    if kept.index and WHOLE in kept.index:
        text = kept.json
    else:
        extra["value"] = value = kept.value
        paths = kept.index or ()
        text = "\n".join(part for path in paths for part in get_text_at_path(value, path))
    if kept.key != turn_key(kept.key):
        extra["key"] = kept.key
    if kept.ttl is not None and kept.expires_at is not None:
        extra |= {"ttl": kept.ttl, "expires": kept.expires_at.isoformat()}
    return Turn(
        role=ROLE,
        text=text,
        session=session_of(kept.namespace),
        time=kept.updated_at,
        metadata={METADATA: extra},
        key=turn_key(kept.key),
    )


def from_turn(turn: StoredTurn) -> Kept:
    """A turn as the item that it was made from."""
    assert turn.key is not None, "to_turn gives every item one"
    extra = turn.metadata[METADATA]
    expires = extra.get("expires")
    return Kept(
        namespace=namespace_of(turn.session),
        key=extra.get("key", turn.key),
        json=value_json(extra["value"]) if "value" in extra else turn.text,
        created_at=datetime.fromisoformat(extra["created"]),
        updated_at=turn.time,
        index=extra["index"],
        ttl=extra.get("ttl"),
        expires_at=None if expires is None else datetime.fromisoformat(expires),
    )
