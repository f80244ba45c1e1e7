"""Slack's export: a folder a channel with a file a day, and lists of users and channels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

SPEECH = (None, "bot_message", "me_message", "thread_broadcast", "file_share")
"""Subtypes of messages that somebody wrote; the others are notices, such as channel_join."""

LISTS = ("channels", "groups", "dms", "mpims")
MARKS = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def recognizes(file: File) -> bool:
    """Tell whether a file holds a day of a channel."""
    there = file.document
    return isinstance(there, list) and any(
        isinstance(one, dict) and "ts" in one and "type" in one for one in there[:1]
    )


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said, channel by channel; answers after what they answer.

    Raises:
        InvalidInputError: A day holds something else than messages, or a time that is none.
    """
    names, channels = _people(reading), _channels(reading)
    said: dict[str, list[tuple[File, dict[str, Any]]]] = {}
    for file in files:
        said.setdefault(file.folder or reading.name, []).extend((file, one) for one in file.objects)
    for channel, messages in said.items():
        for file, message in sorted(messages, key=_order):
            if message.get("subtype") not in SPEECH:
                reading.skip("notices")
                continue
            ts, thread = str(message.get("ts")), message.get("thread_ts")
            yield from reading.said(
                "user",
                _readable(_text(message), names),
                key=ts,
                session=f"slack/{channels.get(channel, channel)}",
                time=read_time(ts, f"{file.name}, message {ts}"),
                name=_speaker(message, names),
                title=channel,
                metadata={"thread": thread} if isinstance(thread, str) else None,
            )


def _order(said: tuple[File, Mapping[str, Any]]) -> tuple[str, str]:
    # Times in texts of equal length: as numbers they would lose digits.
    ts = str(said[1].get("ts"))
    return str(said[1].get("thread_ts") or ts), ts


def _listed(reading: Reading, stem: str) -> list[dict[str, Any]]:
    return [one for file in reading.files if file.stem == stem for one in file.objects]


def _people(reading: Reading) -> dict[str, str]:
    people = {}
    for user in _listed(reading, "users"):
        profile = user.get("profile") if isinstance(user.get("profile"), dict) else {}
        names = (profile or {}).get("display_name"), user.get("real_name"), user.get("name")
        people[str(user.get("id"))] = str(next((name for name in names if name), user.get("id")))
    return people


def _channels(reading: Reading) -> dict[str, str]:
    every = [one for stem in LISTS for one in _listed(reading, stem)]
    return {str(one["name"]): str(one["id"]) for one in every if one.get("name") and one.get("id")}


def _text(message: Mapping[str, Any]) -> str:
    """What it says; bots say it in what is attached."""
    said, more = message.get("text"), message.get("attachments")
    parts = more if isinstance(more, list) and not said else []
    shown = [one.get("text") or one.get("fallback") for one in parts if isinstance(one, dict)]
    return "\n".join(one for one in [said, *shown] if isinstance(one, str) and one)


def _speaker(message: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
    user, profile = message.get("user"), message.get("user_profile")
    if isinstance(user, str):
        # Who is of another workspace is not among the users of this one.
        guest = profile.get("real_name") if isinstance(profile, dict) else None
        return names.get(user, guest if isinstance(guest, str) and guest else user)
    said = message.get("username") or message.get("bot_id")
    return said if isinstance(said, str) else None


def _readable(text: str, names: Mapping[str, str]) -> str:
    """A text with names in place of ids, addresses as they are, and signs not escaped."""

    def mark(found: re.Match[str]) -> str:
        sign, what, shown = found.groups()
        if sign == "@":
            return f"@{names.get(what, shown or what)}"
        if sign:
            return ("#" if sign == "#" else "@") + (shown or what).lstrip("@")
        return f"{shown} ({what})" if shown and shown not in what else what

    text = MARKS.sub(mark, text)
    for escaped, sign in ESCAPED:
        text = text.replace(escaped, sign)
    return text
