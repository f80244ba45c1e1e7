from __future__ import annotations

import json
from typing import Any

import pytest

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Found
from r3mem_agents.imports.recognizing import find


def message(id_: str, sender: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message as the export has it."""
    return {
        "uuid": id_,
        "sender": sender,
        "text": "what the blocks say, and more",
        "content": list(blocks),
        "created_at": f"2025-03-01T10:00:0{id_[-1]}.123456Z",
        "attachments": [],
        "files": [],
    } | more


def text(words: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": words, "citations": []}


def conversation(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A conversation."""
    return {"uuid": "c1", "name": "Bread", "chat_messages": list(messages)} | more


FLAT = [
    message("m1", "human", text("Is this right?"), attachments=[
        {"file_name": "a.txt", "extracted_content": "Rye, water, salt."}]),
    message("m2", "assistant", {"type": "thinking", "thinking": "Hm"}, text("It"),
            {"type": "tool_use", "name": "x", "input": {}}, text("is.")),
    message("m3", "human", text="Only the old field says it."),
]  # fmt: skip
ROOT = "00000000-0000-4000-8000-000000000000"


def _find(*conversations: dict[str, Any], **how: Any) -> Found:
    return find("conversations.json", json.dumps(conversations).encode(), **how)


def _texts(found: Found) -> list[str]:
    return [entry.turn.text for entry in found.entries]


def test_what_was_said_to_a_telephone_is_kept_and_what_tools_said_is_counted() -> None:
    content = [
        {"type": "voice_note", "title": "Voice note", "text": "Which rye?"},
        {"type": "tool_use", "name": "artifacts", "input": {}},
        {"type": "token_budget"},
    ]
    pasted = [{"file_name": "a.txt", "extracted_content": "A list."}]
    chat = conversation(FLAT[0] | {"text": "", "content": content, "attachments": pasted})
    found = find("c.json", json.dumps([chat]).encode())
    assert [entry.turn.text for entry in found.entries] == ["Which rye?", "A list."]
    assert found.skipped == {"thoughts, tool calls and results": 1}


def test_blocks_of_text_and_attachments_are_turns() -> None:
    found = _find(conversation(*FLAT))
    assert found.kind == "Claude"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.key, turn.role, turn.text) for turn in turns] == [
        ("m1", "user", "Is this right?"),
        ("m1/1", "user", "Rye, water, salt."),
        ("m2", "assistant", "It\nis."),
        ("m3", "user", "Only the old field says it."),
    ]
    assert {turn.session for turn in turns} == {"claude/c1"}
    assert turns[1].metadata == {"file": "a.txt", "title": "Bread"}
    assert turns[0].time is not None
    assert turns[0].time.isoformat() == "2025-03-01T10:00:01.123456+00:00"


def test_branches_that_the_list_mixes_are_told_apart() -> None:
    tree = conversation(
        message("m1", "human", text("one"), parent_message_uuid=ROOT),
        message("m2", "assistant", text("worse"), parent_message_uuid="m1"),
        message("m4", "human", text("two"), parent_message_uuid="m3"),
        message("m3", "assistant", text("better"), parent_message_uuid="m1"),
    )
    found = _find(tree)
    assert _texts(found) == ["one", "better", "two"]
    assert found.skipped == {"messages of other branches": 1}
    assert _texts(_find(tree | {"current_leaf_message_uuid": "m2"})) == ["one", "worse"]
    assert _texts(_find(tree, branches=True)) == ["one", "worse", "better", "two"]


def test_a_conversation_without_words_is_counted() -> None:
    found = _find(conversation(message("m1", "human", text="")))
    assert (found.entries, found.skipped) == ([], {"empty messages": 1})


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (conversation() | {"chat_messages": "none"}, "'Bread': chat_messages is no list"),
        (conversation({"text": "no id"}), "chat_messages is no list"),
        (conversation(message("m1", "human", created_at="soon")), "message m1: 'soon' is not a"),
    ],
)
def test_a_broken_conversation_is_named(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        _find(conversation(*FLAT), broken)
