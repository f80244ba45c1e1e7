"""Documents and messages that quote a memory, told apart so that they are not stored again."""

from __future__ import annotations

from dataclasses import asdict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, SystemMessage, ToolMessage

from r3mem_agents import Recollection
from r3mem_agents.prompts import is_recalled

METADATA = "langchain"
"""Where a turn's metadata holds what of a message is not in its text."""

DOCUMENT = "r3mem:"
"""Prefix of the ids of documents that are turns."""


def to_document(hit: Recollection) -> Document:
    """A recollection as a document."""
    turn = hit.turn
    metadata = {name: value for name, value in turn.metadata.items() if name != METADATA}
    metadata |= {
        "turn_id": turn.id,
        "session": turn.session,
        "role": turn.role,
        "name": turn.name,
        "time": turn.time.isoformat(),
        "score": hit.score,
    }
    if turn.place is not None:
        metadata["place"] = turn.place
    if hit.superseded_by is not None:
        metadata["superseded_by"] = hit.superseded_by
    if hit.explanation is not None:
        metadata["explanation"] = asdict(hit.explanation)
    return Document(turn.text, id=f"{DOCUMENT}{turn.id}", metadata=metadata)


def quotes(message: BaseMessage) -> bool:
    """True if a message quotes a memory: what was recalled for a prompt, or a tool's result."""
    if not isinstance(message, SystemMessage | ToolMessage):
        return False
    if isinstance(message.content, str) and is_recalled(message.content):
        return True
    artifact = getattr(message, "artifact", None)
    return isinstance(artifact, list) and bool(artifact) and all(map(_is_turn, artifact))


def _is_turn(one: object) -> bool:
    return isinstance(one, Document) and (one.id or "").startswith(DOCUMENT)
