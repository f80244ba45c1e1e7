"""Claude's export: ``conversations.json``, alone or in its archive.

Newer exports say of a message which one it follows, so that it is a tree; older ones are flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.blocks import texts
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time
from r3mem_agents.imports.trees import shown, tree_order

ROLES = {"human": "user", "assistant": "assistant"}


def recognizes(file: File) -> bool:
    """Tell whether a file holds conversations of Claude."""
    return any("chat_messages" in one for one in file.objects[:1])


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: A conversation has no messages, or one of them a time that is none.
    """
    for file in files:
        for conversation in file.objects:
            yield from _read(conversation, reading, file.name)


def _read(conversation: Mapping[str, Any], reading: Reading, file: str) -> Iterator[Entry]:
    title = conversation.get("name")
    name = f"{file}, conversation {title!r}"
    there = conversation.get("chat_messages")
    if not isinstance(there, list) or not all(
        isinstance(one, dict) and isinstance(one.get("uuid"), str) for one in there
    ):
        raise InvalidInputError(f"{name}: chat_messages is no list of messages")
    messages = {one["uuid"]: one for one in there}
    session = f"claude/{conversation.get('uuid') or next(iter(messages), '')}"
    for id_ in _order(messages, conversation.get("current_leaf_message_uuid"), reading):
        message = messages[id_]
        content = message.get("content")
        reading.skip(
            "thoughts, tool calls and results",
            sum(_is_aside(block) for block in content) if isinstance(content, list) else 0,
        )
        role = ROLES.get(str(message.get("sender")))
        if role is None:
            reading.skip("messages of neither side")
            continue
        time = read_time(message.get("created_at"), f"{name}, message {id_}")
        for key, text, more in _said(id_, message):
            yield from reading.said(
                role, text, key=key, session=session, time=time, title=title, metadata=more
            )


def _order(messages: Mapping[str, Any], leaf: Any, reading: Reading) -> list[str]:
    above = {id_: message.get("parent_message_uuid") for id_, message in messages.items()}
    if not any(isinstance(one, str) for one in above.values()):
        return [*messages]
    # The first message follows one that is not there.
    parents = {
        id_: one if isinstance(one, str) and one in messages else None for id_, one in above.items()
    }
    if reading.branches:
        return tree_order(parents)
    if not isinstance(leaf, str) or leaf not in messages:
        leaf = max(messages, key=lambda id_: str(messages[id_].get("created_at") or ""))
    path = shown(parents, leaf).nodes
    reading.skip("messages of other branches", len(messages) - len(path))
    return path


def _is_aside(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") in ("thinking", "tool_use", "tool_result")


def _said(
    id_: str, message: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
    """The message, and the texts that were attached to it."""
    attached = message.get("attachments")
    files = [one for one in attached if isinstance(one, dict)] if isinstance(attached, list) else []
    pasted = [one for one in files if isinstance(one.get("extracted_content"), str)]
    text = "\n".join(texts(message.get("content"))) or str(message.get("text") or "")
    if text or not pasted:
        yield id_, text, None
    for number, one in enumerate(pasted, 1):
        more = {"file": one["file_name"]} if isinstance(one.get("file_name"), str) else None
        yield f"{id_}/{number}", one["extracted_content"], more
