"""Messages with ``role`` and ``content``."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find
from r3mem_agents.types import Turn

CHAT: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": one} for one in ("What is", "it?")]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]},
    {"role": "tool", "content": "42", "tool_call_id": "c"},
    {"role": "assistant", "content": "It is 42.", "created_at": 1_700_000_000},
]  # fmt: skip
SAID = ["What is\nit?", "It is 42."]


def _turns(data: bytes, **how: Any) -> list[Turn]:
    return [entry.turn for entry in find("chats.json", data, **how).entries]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lines(values: list[Any]) -> bytes:
    return b"\r\n".join(map(_json, values))


def test_an_id_that_several_messages_have_is_none() -> None:
    same = [{"role": "user", "content": text, "id": "1"} for text in ("a", "b", "c")]
    entries = find("c.json", json.dumps(same).encode()).entries
    assert [entry.turn.text for entry in entries] == ["a", "b", "c"]
    assert len({entry.turn.key for entry in entries}) == 3


@pytest.mark.parametrize(
    "data",
    [
        _json(CHAT),
        _lines(CHAT),
        _json({"messages": CHAT}),
        codecs.BOM_UTF8 + _json(CHAT),
        json.dumps(CHAT).encode("utf-16"),
        json.dumps(CHAT).encode("utf-16-be"),
        b"\n\n" + json.dumps(CHAT, indent=2).encode(),
    ],
)
def test_a_chat_is_the_same_however_it_is_written(data: bytes) -> None:
    found = find("chats.json", data)
    assert found.kind == "messages with role and content"
    assert [one.turn.text for one in found.entries] == SAID
    assert found.skipped == {"system prompts": 1, "tool calls, results and pictures": 2}
    assert [one.turn.key for one in found.entries] == [turn.key for turn in _turns(_json(CHAT))]


def test_many_chats_are_many_sessions() -> None:
    chats = [{"messages": CHAT, "id": "a", "title": "Numbers"}, {"messages": CHAT}]
    for data in (_json(chats), _lines(chats)):
        assert [turn.session for turn in _turns(data)] == ["chats/a"] * 2 + ["chats/2"] * 2
        assert _turns(data)[0].metadata == {"title": "Numbers"}
    assert {turn.session for turn in _turns(_json(CHAT), session="mine")} == {"mine"}


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1_700_000_000, "2023-11-14T22:13:20+00:00"),
        (1_700_000_000_000, "2023-11-14T22:13:20+00:00"),
        ("1700000000.5", "2023-11-14T22:13:20.500000+00:00"),
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T22:13:20+05:30", "2023-11-14T22:13:20+05:30"),
    ],
)
def test_times_are_read_in_every_form(time: Any, expected: str) -> None:
    [turn] = _turns(_json([{"role": "user", "content": "x", "timestamp": time}]))
    assert turn.time is not None
    assert turn.time.isoformat() == expected


@pytest.mark.parametrize("time", ["soon", 10**30, True, [1], "2023-13-01", "12"])
def test_a_date_that_is_none_is_named(time: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"number 2: .* is not a date"):
        _turns(_json([*CHAT[1:2], {"role": "user", "content": "x", "time": time}]))


def test_a_broken_line_is_named() -> None:
    with pytest.raises(InvalidInputError, match="line 2: no message"):
        _turns(_lines([CHAT[1], {"content": "x"}]))
    with pytest.raises(InvalidInputError, match=r"line 3, column \d+: not JSON"):
        _turns(_lines(CHAT)[:-60].replace(b"null", b"nul"))


says = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": st.text(min_size=1)}
).filter(lambda one: bool(one["content"].strip()))


@given(st.lists(says, min_size=1, max_size=8), st.integers(1, 8))
def test_keys_are_unique_and_those_of_a_longer_chat_begin_with_them(
    chat: list[dict[str, str]], length: int
) -> None:
    keys = [turn.key for turn in _turns(_json(chat))]
    assert len({*keys}) == len(chat)
    assert [turn.key for turn in _turns(_json(chat[:length]))] == keys[:length]
