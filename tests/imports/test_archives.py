"""Archives, archives in archives, and folders, with what lies beside an export."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports import archives
from r3mem_agents.imports.recognizing import find
from tests.imports.chatgpt_export import conversation, export
from tests.imports.test_logs import CLAUDE_CODE
from tests.imports.test_messages import CHAT
from tests.imports.test_whatsapp import IOS

SHARDS = {f"conversations-00{one}.json": export(conversation(one)) for one in range(2)}
KEYS = [entry.turn.key for one in SHARDS.values() for entry in find("c.json", one).entries]


def packed(files: Mapping[str, bytes | str]) -> bytes:
    """An archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def _keys(path: Any, data: bytes | None = None) -> list[str | None]:
    return [entry.turn.key for entry in find(str(path), data).entries]


def test_an_archive_in_an_archive_or_a_folder_is_opened(tmp_path: Path) -> None:
    assert _keys("c.zip", packed(SHARDS)) == KEYS
    assert (
        _keys("mail.zip", packed({"from OpenAI/c.zip": packed(SHARDS), "a.png": b"\xff"})) == KEYS
    )
    for number, (name, content) in enumerate(SHARDS.items()):  # one part an archive, as Claude's
        (tmp_path / f"batch-{number}.zip").write_bytes(packed({name: content}))
    assert _keys(tmp_path) == KEYS
    deeper = packed({"b.zip": packed({"c.zip": packed(SHARDS)})})
    with pytest.raises(InvalidInputError, match="without a file of text"):
        find("a.zip", deeper)
    with pytest.raises(InvalidInputError, match="without a file of text"):
        find("a.zip", packed({}))


def test_each_chat_of_a_folder_of_archives_is_a_session(tmp_path: Path) -> None:
    for name in ("Dr. Ann", "Bob"):
        (tmp_path / f"WhatsApp Chat - {name}.zip").write_bytes(packed({"_chat.txt": IOS}))
    sessions = {entry.turn.session for entry in find(str(tmp_path)).entries}
    assert sessions == {"whatsapp/WhatsApp Chat - Dr. Ann", "whatsapp/WhatsApp Chat - Bob"}
    unpacked = tmp_path / "WhatsApp Chat - Dr. Ann"
    unpacked.mkdir()
    (unpacked / "_chat.txt").write_text(IOS)
    assert {entry.turn.session for entry in find(str(unpacked)).entries} < sessions


def test_a_part_that_is_broken_is_named_and_what_somebody_sent_is_left_out() -> None:
    cut = SHARDS | {"conversations-001.json": SHARDS["conversations-001.json"][:-9]}
    with pytest.raises(InvalidInputError, match=r"conversations-001\.json, line 1"):
        find("c.zip", packed(cut))
    sent: dict[str, bytes | str] = {
        "00000012-data.json": b'{"cut": ',
        "00000013-old.txt": "Grüße".encode("cp1252"),
        "00000014-people.csv": b"text,name\nx,Ann\n",
        "00000015-chat.json": json.dumps(CHAT).encode(),
    }
    found = find("WhatsApp Chat - Bakers.zip", packed({"_chat.txt": IOS, **sent}))
    assert found.kind == "WhatsApp"
    assert found.entries == find("WhatsApp Chat - Bakers.txt", IOS.encode()).entries
    assert found.skipped["other files"] == len(sent)
    with pytest.raises(InvalidInputError, match="data.json, line 1"):
        find("c.zip", packed({"00000012-data.json": sent["00000012-data.json"]}))


def test_beside_logs_nothing_else_counts(tmp_path: Path) -> None:
    (tmp_path / "s1" / "tool-results").mkdir(parents=True)
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    for name, content in (
        ("a.json", SHARDS["conversations-000.json"]),
        ("b.json", b"{"),
        ("c.txt", b""),
    ):
        (tmp_path / "s1" / "tool-results" / name).write_bytes(content)
    found = find(str(tmp_path))
    assert (found.kind, found.skipped["other files"]) == ("Claude Code", 3)
    assert found.entries == find("s1.jsonl", CLAUDE_CODE).entries


def test_an_archive_that_unpacks_to_more_than_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = sum(map(len, SHARDS.values()))
    monkeypatch.setattr(archives, "MAX_UNPACKED", size)
    assert _keys("c.zip", packed(SHARDS)) == KEYS
    monkeypatch.setattr(archives, "MAX_UNPACKED", size - 1)
    with pytest.raises(InvalidInputError, match="unpack it, and import what is in it"):
        find("c.zip", packed(SHARDS))


def test_an_encrypted_archive_is_named() -> None:
    data = bytearray(packed({"c.json": b"[]"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    for whole in (bytes(data), packed({"c.zip": bytes(data)})):
        with pytest.raises(InvalidInputError, match="encrypted"):
            find("c.zip", whole)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_read_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(CLAUDE_CODE)
    try:
        assert _keys(f"/dev/fd/{reader}") == _keys("s1.jsonl", CLAUDE_CODE)
    finally:
        os.close(reader)


def test_what_comes_twice_is_one_turn_and_says_what_it_says_at_last() -> None:
    edited = conversation(1)
    first = find("c.json", export(edited)).entries
    for node in edited["mapping"].values():
        message = node["message"]
        if message and node["id"] == first[0].turn.key:
            message["content"]["parts"] = ["Another text."]
    found = find("c.json", export(conversation(1), edited))
    assert [entry.turn.key for entry in found.entries] == [entry.turn.key for entry in first]
    assert found.entries[0].turn.text == "Another text."
    assert found.skipped["messages that come again"] == len(first)
