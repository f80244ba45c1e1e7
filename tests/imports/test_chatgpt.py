from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find
from r3mem_agents.imports.trees import shown, tree_order
from tests.imports.chatgpt_export import SHOWN, START, conversation, export


def _texts(data: bytes, **how: Any) -> list[str]:
    return [entry.turn.text for entry in find("x", data, **how).entries]


def test_what_was_shown_is_found_and_the_rest_is_counted() -> None:
    found = find("conversations.json", export(conversation(1)))
    turns = [entry.turn for entry in found.entries]
    assert found.kind == "ChatGPT"
    assert [turn.text for turn in turns] == [text.format(1) for text in SHOWN]
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert [turn.key for turn in turns] == ["1-question", "1-answer", "1-photo"]
    assert {turn.session for turn in turns} == {"chatgpt/conversation-1"}
    assert turns[0].metadata == {"title": "Chat 1"}
    times = [turn.time.timestamp() for turn in turns if turn.time]
    assert times == [START + 1, START, START]  # an answer without a time has that of its call
    assert found.skipped == {
        "messages of other branches": 3,
        "system messages": 1,
        "custom instructions": 1,
        "thoughts": 1,
        "tool calls": 1,
        "tool results": 1,
        "images, audio and files": 1,
    }


def test_marks_of_sources_are_no_words_and_names_of_things_are() -> None:
    def mark(kind: str, *what: str) -> str:
        return f"\ue200{kind}\ue202" + "\ue202".join(what) + "\ue201"

    bread, source = mark("entity", '["dish","rye bread","a bread"]'), mark("cite", "turn0search1")
    baker, broken = mark("url", "the baker", "turn0search2"), mark("entity", "{")
    said = f"Bake {bread} slowly{source}, as {baker} says.{broken} \ue200"
    chat = conversation(1)
    chat["mapping"]["1-answer"]["message"]["content"]["parts"] = [said]
    assert _texts(export(chat))[1] == "Bake rye bread slowly, as the baker says. \ue200"


def test_branches_come_if_asked_with_the_same_keys() -> None:
    data = export(conversation(1))
    plain = {entry.turn.key: entry.turn.text for entry in find("x", data).entries}
    every = {entry.turn.key: entry.turn.text for entry in find("x", data, branches=True).entries}
    assert plain.items() < every.items()
    assert {"Frist question 1?", "Did you mean first?", "A worse answer."} <= {*every.values()}


def test_an_archive_and_its_shards_are_read_as_one_file_is() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.html", "<html>")
        archive.writestr("user.json", '{"id": "user-1"}')
        archive.writestr("export/conversations-001.json", export(conversation(3)))
        archive.writestr("export/conversations-000.json", export(conversation(1), conversation(2)))
    found = find("export.zip", packed.getvalue())
    alone = find("x", export(*map(conversation, (1, 2, 3))))
    assert found.entries == alone.entries
    assert found.skipped == {**alone.skipped, "other files": 1}


def test_a_conversation_without_its_beginning_keeps_the_rest() -> None:
    broken = conversation(1)
    del broken["mapping"]["1-question"]
    found = find("x", export(broken))
    assert [entry.turn.text for entry in found.entries] == ["Answer 1.", "And this?"]
    assert found.skipped["conversations whose beginning is missing"] == 1


@pytest.mark.parametrize("leaf", [None, "gone", 5, ["no"]])
def test_without_a_shown_message_the_last_leaf_counts(leaf: Any) -> None:
    assert _texts(export(conversation(1) | {"current_node": leaf})) == _texts(
        export(conversation(1))
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (export(conversation(1))[:-40], "x, line 1, column"),
        (export(conversation(1) | {"mapping": ["no"]}), "no tree"),
        (export(conversation(1) | {"create_time": "soon"}), "'soon' is not a date"),
        (b"PK\x03\x04 cut off", "the archive is damaged"),
        (b'[{"colour": "red", "size": 5}]', "objects have the fields colour, size"),
        (b"Dear diary", "text that begins 'Dear diary'"),
        (b"SQLite format 3\0\xff", "a database"),
        (b"\x89PNG\r\n", "neither UTF-8 nor UTF-16"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        find("x", data)


def test_an_emoji_cut_in_two_does_not_stop_the_rest() -> None:
    data = export(conversation(1)).replace(b"Answer 1.", rb"\ud83d\ude00 Answer \ud83d")
    assert "😀 Answer \ufffd" in _texts(data)


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30))
def test_every_walk_ends_and_every_node_comes_once(above: list[int]) -> None:
    """Whatever the parents are: missing, themselves, or in a circle."""
    parents = {str(node): None if one < 0 else str(one) for node, one in enumerate(above)}
    way = shown(parents, "0").nodes
    assert way[-1] == "0"
    assert len({*way}) == len(way)
    assert sorted(tree_order(parents)) == sorted(parents)
