"""What the host is told as turns, and turns as what it finds.

A turn's text is what was said, by voice too. What a model thought is left out, as are pictures and
other bytes: the host's ``load_memory`` would write them into the prompt, in base64. So is what has
no text, such as a tool call: no lookup would find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.adk.events import Event
from google.adk.memory.memory_entry import MemoryEntry
from google.genai.types import Content, Part

from r3mem_agents import Recollection, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import Said, Translation, mended, turn_key

METADATA = "google_adk"
"""Where a turn's metadata holds what of a content is not in its text."""

USER = "user"
"""The author of what the user says."""

NOTE = "memory"
"""Role of what nobody said."""

ROLES = {USER: USER, "model": "assistant"}
CONTENT_ROLES = {role: kind for kind, role in ROLES.items()}


def _said(content: dict[str, Any]) -> Iterable[Said]:
    return [Said(("parts", n, "text")) for n, part in enumerate(content["parts"]) if "text" in part]


def _plain(turn: Turn) -> dict[str, Any]:
    kind = CONTENT_ROLES.get(turn.role)
    return ({"role": kind} if kind else {}) | {"parts": [{"text": turn.text}]}


_TRANSLATION = Translation(METADATA, _said, _plain)


def said_in(events: Iterable[Event]) -> dict[str, Event]:
    """The events that say something and are whole, by the keys of their turns."""
    return {
        turn_key(event.id): event
        for event in events
        if not event.partial and _says(_content(event))
    }


def event_turn(key: str, event: Event, metadata: Mapping[str, object]) -> Turn:
    """An event that says something as a turn.

    Raises:
        InvalidInputError: If it cannot be kept.
    """
    role = USER if event.author == USER else "assistant"
    turn = _turn(_content(event), role, event.author, metadata)
    return replace(turn, key=key, time=_time(event.timestamp))


def entry_turn(entry: MemoryEntry, metadata: Mapping[str, object]) -> Turn:
    """An entry as a turn, known by the entry's id.

    Raises:
        InvalidInputError: If it cannot be kept.
    """
    role = USER if entry.author == USER else ROLES.get(entry.content.role or "", NOTE)
    turn = _turn(entry.content, role, entry.author, {**metadata, **entry.custom_metadata})
    time = _time(entry.timestamp) if entry.timestamp else None
    return replace(turn, key=turn_key(entry.id) if entry.id else None, time=time)


def found(hit: Recollection) -> MemoryEntry:
    """What a lookup brought back as the host's tools read it."""
    turn = hit.turn
    of_turn = {"session_id": turn.session, "event_id": turn.key, "superseded_by": hit.superseded_by}
    own = {name: value for name, value in turn.metadata.items() if name != METADATA}
    return MemoryEntry(
        id=str(turn.id),
        content=Content.model_validate(_TRANSLATION.item(turn)),
        author=turn.name or (None if turn.role == NOTE else turn.role),
        timestamp=turn.time.astimezone().isoformat(timespec="seconds"),
        custom_metadata={name: str(one) for name, one in of_turn.items() if one is not None} | own,
    )


def _content(event: Event) -> Content | None:
    # What was said by voice has no content, but a transcription.
    for kind, heard in (("user", event.input_transcription), ("model", event.output_transcription)):
        if not event.content and heard and heard.text:
            return Content(role=kind, parts=[Part(text=heard.text)])
    return event.content


def _says(content: Content | None) -> bool:
    parts = (content and content.parts) or ()
    return any(part.text and part.text.strip() and not part.thought for part in parts)


def _turn(
    content: Content | None, role: str, author: str | None, metadata: Mapping[str, object]
) -> Turn:
    if content is None or not _says(content):
        raise InvalidInputError("a memory has no text, and no lookup would find it")
    if METADATA in metadata:
        raise InvalidInputError(f"custom_metadata has {METADATA!r}, which is taken; rename it")
    parts = [
        part.model_copy(update={"thought_signature": None, "text": part.text and mended(part.text)})
        for part in content.parts or ()
        if not part.thought and part.inline_data is None
    ]
    kept = content.model_copy(update={"parts": parts}).model_dump(exclude_none=True)
    name = author if author and author != USER else None
    turn = _TRANSLATION.turn(kept, role=role, name=name)
    return replace(turn, metadata={**metadata, **(turn.metadata or {})})


def _time(given: float | str) -> datetime:
    try:
        if isinstance(given, str):
            return datetime.fromisoformat(given).astimezone()  # the host's have no zone
        return datetime.fromtimestamp(given, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise InvalidInputError(
            f"{given!r} is no time: events have seconds since 1970, memories ISO 8601"
        ) from error
