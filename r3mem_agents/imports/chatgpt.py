"""ChatGPT's export: ``conversations.json``, whole or in numbered parts, alone or in its archive.

A conversation is a tree of messages; what was shown is the way up from ``current_node``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time
from r3mem_agents.imports.trees import shown, tree_order

MARK = re.compile("\ue200([a-z_]+)\ue202([^\ue200\ue201]*)\ue201")
"""Where the page shows a source, a card or a picture; of some there is a name to read."""

THOUGHTS = {"thoughts", "reasoning_recap"}
INSTRUCTIONS = {"user_editable_context", "model_editable_context"}


def recognizes(file: File) -> bool:
    """Tell whether a file holds conversations of ChatGPT."""
    return any("mapping" in one for one in file.objects[:1])


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: A conversation has no tree, or a message a time that is none.
    """
    for file in files:
        for conversation in file.objects:
            yield from _read(conversation, reading, file.name)


def _read(conversation: Mapping[str, Any], reading: Reading, file: str) -> Iterator[Entry]:
    title = conversation.get("title")
    name = f"{file}, conversation {title!r}"
    nodes = conversation.get("mapping")
    if not isinstance(nodes, dict) or not all(isinstance(one, dict) for one in nodes.values()):
        raise InvalidInputError(f"{name}: mapping is no tree of messages")
    if not nodes:
        reading.skip("conversations without a message")
        return
    parents: dict[str, str | None] = {
        id_: node["parent"] if isinstance(node.get("parent"), str) else None
        for id_, node in nodes.items()
    }
    inner = set(parents.values())
    leaf = next((id_ for id_ in reversed(nodes) if id_ not in inner), next(reversed(nodes)))
    if isinstance(current := conversation.get("current_node"), str) and current in nodes:
        leaf = current
    path, whole = shown(parents, leaf)
    if not whole:
        reading.skip("conversations whose beginning is missing")
    if reading.branches:
        order = tree_order(parents)
    else:
        order = path
        hidden = [nodes[id_].get("message") for id_ in nodes.keys() - set(path)]
        reading.skip("messages of other branches", sum(_is_said(one) for one in hidden))
    session = f"chatgpt/{conversation.get('conversation_id') or conversation.get('id') or path[0]}"
    time = read_time(conversation.get("create_time"), name)
    for id_ in order:
        message = nodes[id_].get("message")
        if not isinstance(message, dict):
            continue
        time = read_time(message.get("create_time"), f"{name}, message {id_}") or time
        text = _text(message, reading)
        if text is not None:
            role = message["author"]["role"]
            yield from reading.said(role, text, key=id_, session=session, time=time, title=title)


def _is_said(message: Any) -> bool:
    role = _author(message).get("role") if isinstance(message, dict) else None
    return role in ("user", "assistant")


def _author(message: Mapping[str, Any]) -> Mapping[str, Any]:
    author = message.get("author")
    return author if isinstance(author, dict) else {}


def _text(message: Mapping[str, Any], reading: Reading) -> str | None:
    """What a user or the model said to the other; ``None`` for anything else, which is counted."""
    content, more = message.get("content"), message.get("metadata")
    content = content if isinstance(content, dict) else {}
    kind, role = str(content.get("content_type")), _author(message).get("role")
    if kind in INSTRUCTIONS:
        reading.skip("custom instructions")
    elif kind in THOUGHTS:
        reading.skip("thoughts")
    elif role == "tool":
        reading.skip("tool results")
    elif role not in ("user", "assistant"):
        reading.skip("system messages")
    elif message.get("weight") == 0 or (
        isinstance(more, dict) and more.get("is_visually_hidden_from_conversation")
    ):
        reading.skip("hidden messages")
    elif message.get("recipient") not in (None, "all"):
        reading.skip("tool calls")
    elif isinstance(content.get("text"), str):
        return _plain(content["text"])
    else:
        return _joined(content.get("parts"), reading)
    return None


def _joined(parts: Any, reading: Reading) -> str | None:
    texts = []
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])  # an audio_transcription
        else:
            reading.skip("images, audio and files")
    said = _plain("\n".join(one for one in texts if one))
    return None if parts and not texts else said


def _plain(text: str) -> str:
    """A text as it is read, without what stands for sources, and with the names of things."""

    def name(found: re.Match[str]) -> str:
        kind, what = found.groups()
        if kind in ("url", "link_title"):
            return what.split("\ue202")[0]
        try:
            entity = json.loads(what) if kind == "entity" else []
        except (ValueError, RecursionError):
            return ""
        return str(entity[1]) if isinstance(entity, list) and len(entity) > 1 else ""

    return MARK.sub(name, text)
