"""What quotes a memory, marked so that it is not stored again as if it were said now."""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, SystemMessage

from r3mem_agents import Recollection

METADATA = "langchain"
"""Where a turn's metadata holds what of a message is not in its text."""

QUOTED = "r3mem_turns"
"""Marks a message in ``additional_kwargs``, and names the turns in a tool's artifact."""

DOCUMENT = "r3mem:"
"""How ids of documents begin that are turns."""


def quotation(recalled: str) -> SystemMessage:
    """Recalled lines as a message."""
    return SystemMessage(recalled, additional_kwargs={QUOTED: True})


def is_quotation(message: BaseMessage) -> bool:
    """Whether a message was made by ``quotation``."""
    return QUOTED in message.additional_kwargs


def to_document(hit: Recollection) -> Document:
    """A recollection as a document."""
    metadata = {name: value for name, value in hit.metadata.items() if name != METADATA}
    metadata |= {
        "turn_id": hit.turn_id,
        "session": hit.session,
        "role": hit.role,
        "name": hit.name,
        "time": hit.time.isoformat(),
        "score": hit.score,
    }
    return Document(hit.text, id=f"{DOCUMENT}{hit.turn_id}", metadata=metadata)


def quoted_turns(message: BaseMessage) -> list[int] | None:
    """Ids of the turns that a tool's result quotes; ``None`` if it does not quote."""
    artifact = getattr(message, "artifact", None)
    if isinstance(artifact, dict) and QUOTED in artifact:
        return list(artifact[QUOTED])
    if not isinstance(artifact, list) or not artifact:
        return None
    ids = [one.id or "" if isinstance(one, Document) else "" for one in artifact]
    if not all(one.startswith(DOCUMENT) for one in ids):
        return None
    return [int(one.removeprefix(DOCUMENT)) for one in ids]
