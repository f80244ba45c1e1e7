"""Exports of chats between people: Telegram, Slack and Discord."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Found
from r3mem_agents.imports.recognizing import find


def _find(value: Any) -> Found:
    return find("result.json", json.dumps(value).encode())


def telegram(number: int, text: Any, **more: Any) -> dict[str, Any]:
    """A message as Telegram has it."""
    return {
        "id": number,
        "type": "message",
        "date": "2024-05-01T12:00:00",
        "date_unixtime": "1714557600",
        "from": "Ann",
        "from_id": "user7",
        "text": text,
        "text_entities": [],
    } | more


CHAT = {
    "name": "Ann",
    "type": "personal_chat",
    "id": 77,
    "messages": [
        telegram(1, "", type="service", action="phone_call"),
        telegram(2, ["See ", {"type": "link", "text": "https://example.org"}, " please"]),
        telegram(3, "", photo="photos/1.jpg"),
        telegram(4, [{"type": "bold", "text": "Now"}], **{"from": None}),
    ],
}


def test_telegram_of_one_chat_and_of_all_is_the_same() -> None:
    found = _find(CHAT)
    assert found.kind == "Telegram"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.key, turn.text) for turn in turns] == [
        ("2", "See https://example.org please"),
        ("4", "Now"),
    ]
    assert [turn.name for turn in turns] == ["Ann", "user7"]  # an account that was deleted
    assert turns[0].session == "telegram/77"
    assert turns[0].metadata == {"title": "Ann"}
    assert turns[0].time is not None
    assert turns[0].time.isoformat() == "2024-05-01T10:00:00+00:00"
    assert found.skipped == {"notices": 1, "media without a text": 1}
    every = _find(
        {"about": "Here is the data", "chats": {"about": "", "list": [CHAT, CHAT | {"id": 78}]}}
    )
    assert every.entries[:2] == found.entries
    left = {"chats": {"list": [CHAT]}, "left_chats": {"list": [CHAT | {"id": 79}]}}
    assert {entry.turn.session for entry in _find(left).entries} == {"telegram/77", "telegram/79"}
    assert [entry.turn.session for entry in every.entries[2:]] == ["telegram/78"] * 2


def discord(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A message as DiscordChatExporter has it."""
    return {
        "id": str(number),
        "type": "Default",
        "timestamp": "2024-05-01T12:00:00.5+02:00",
        "content": text,
        "author": {"id": "5", "name": "ann", "nickname": "Ann", "isBot": False},
        "attachments": [],
    } | more


CHANNEL: dict[str, Any] = {
    "guild": {"id": "1", "name": "Bakers"},
    "channel": {"id": "99", "type": "GuildTextChat", "name": "rye"},
    "dateRange": {"after": None, "before": None},
    "messages": [
        discord(1, "Hello", type="GuildMemberJoin"),
        discord(2, "Who has a starter?"),
        discord(3, "", attachments=[{"id": "1"}]),
        discord(5, "", forwardedMessage={"timestamp": "2024-05-01T11:00:00", "content": "Rye!"}),
        discord(4, "I do.", type="Reply", author={"id": "6", "name": "bob", "nickname": None}),
    ],
}


def test_discord_has_who_said_what() -> None:
    found = _find(CHANNEL)
    assert found.kind == "Discord"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.key, turn.name, turn.text) for turn in turns] == [
        ("2", "Ann", "Who has a starter?"),
        ("5", "Ann", "Rye!"),
        ("4", "bob", "I do."),
    ]
    assert {turn.session for turn in turns} == {"discord/99"}
    assert turns[0].metadata == {"title": "Bakers / rye"}
    assert found.skipped == {"notices": 1, "media without a text": 1}


def slack(ts: str, text: str, **more: Any) -> dict[str, Any]:
    """A message as Slack has it."""
    return {"type": "message", "user": "U1", "text": text, "ts": ts} | more


def slack_export() -> bytes:
    """An archive of a channel, over two days."""
    root = "1714557600.000100"
    files = {
        "users.json": [
            {"id": "U1", "name": "ann", "profile": {"display_name": "Ann"}},
            {"id": "U2", "name": "bob", "real_name": "Bob B.", "profile": {"display_name": ""}},
        ],
        "channels.json": [{"id": "C1", "name": "general"}],
        "general/2024-05-01.json": [
            slack("1714550000.000000", "<@U1> has joined", subtype="channel_join"),
            slack(root, "<@U2> 1 &lt; 2 &amp; 3? <ftp://a|here> <#C1|general>", thread_ts=root),
            slack("1714557700.000200", "Lunch!"),
            slack("1714557800.000200", "<!subteam^S1|@team>", user="U9")
            | {"user_profile": {"real_name": "Guest"}},
            slack("1714557900.000200", "", subtype="bot_message", bot_id="B1", user=None)
            | {"attachments": [{"fallback": "Build 5"}, {"text": "Passed", "fallback": "x"}]},
        ],
        "general/2024-05-02.json": [
            slack("1714644000.000300", "It is.", user="U2", thread_ts=root),
            {"type": "message", "subtype": "bot_message", "username": "CI", "text": "Green."}
            | {"ts": "1714644001.000400"},
        ],
    }  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, value in files.items():
            archive.writestr(name, json.dumps(value))
    return packed.getvalue()


def test_slack_has_its_threads_names_and_bots() -> None:
    found = find("export.zip", slack_export())
    assert found.kind == "Slack"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.name, turn.text) for turn in turns] == [
        ("Ann", "@Bob B. 1 < 2 & 3? here (ftp://a) #general"),
        ("Bob B.", "It is."),  # under what it answers, though said a day later
        ("Ann", "Lunch!"),
        ("Guest", "@team"),
        ("B1", "Build 5\nPassed"),
        ("CI", "Green."),
    ]
    assert {turn.session for turn in turns} == {"slack/C1"}
    assert turns[0].key == "1714557600.000100"
    assert turns[1].metadata == {"title": "general", "thread": "1714557600.000100"}
    assert found.skipped == {"other files": 2, "notices": 1}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (CHAT | {"messages": [*CHAT["messages"], 5]}, "chat 'Ann': messages is no list"),  # type: ignore[misc]
        (CHANNEL | {"messages": None}, "result.json: messages is no list"),
        (CHANNEL | {"messages": [discord(1, "x", timestamp="soon")]}, "message 1: 'soon' is not"),
        ([slack("1.5", "x"), None], "number 2 of its list is no JSON object"),
        ([slack("soon", "x")], "'soon' is not a date"),
    ],
)
def test_a_broken_chat_is_named(value: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        _find(value)
