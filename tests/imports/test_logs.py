"""Logs of Claude Code and Codex."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.connect.transcript import last_answer
from r3mem_agents.imports.recognizing import find

TIME = "2026-02-03T04:05:06.789Z"


def _lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def said(kind: str, id_: str, content: Any, message: str | None = None, **more: Any) -> Any:
    """A line of Claude Code's."""
    return {
        "type": kind,
        "uuid": id_,
        "sessionId": "s1",
        "timestamp": TIME,
        "isSidechain": False,
        "message": {"role": kind, "content": content} | ({"id": message} if message else {}),
    } | more


def block(kind: str, words: str) -> list[dict[str, str]]:
    """A content of one block."""
    return [{"type": kind, "text": words}]


CLAUDE_CODE = _lines(
    {"type": "file-history-snapshot", "messageId": "h1", "snapshot": {}},
    said("user", "u1", "<command-name>/clear</command-name>"),
    said("user", "u2", "Fix the test."),
    said("assistant", "u3", [{"type": "thinking", "thinking": "Hm"}], "a1"),
    said("assistant", "u4", block("text", "I look."), "a1"),
    said("assistant", "u5", [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}], "a1"),
    said("user", "u6", [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]),
    said("assistant", "u7", block("text", "Do this."), "a9", isSidechain=True),
    said("assistant", "u8", block("text", "It is"), "a2"),
    said("assistant", "u9", block("text", "fixed."), "a2"),
)


def test_a_log_of_claude_code_is_what_was_said() -> None:
    found = find("s1.jsonl", CLAUDE_CODE)
    assert found.kind == "Claude Code"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.key, turn.role, turn.text) for turn in turns] == [
        ("u2", "user", "Fix the test."),
        ("u4", "assistant", "I look."),
        ("u8", "assistant", "It is\nfixed."),
    ]
    assert {turn.session for turn in turns} == {"claude-code/s1"}
    assert found.skipped == {
        "lines that hold no message": 1,
        "notices": 1,
        "thoughts, tool calls and results": 3,
        "messages of subagents": 1,
    }


@pytest.mark.parametrize(
    "first",
    [
        {"type": "summary", "summary": "Tests", "leafUuid": "u8"},
        {"type": "queue-operation", "operation": "enqueue", "sessionId": "s1"},
    ],
)
def test_a_log_may_begin_with_any_line_of_the_program(first: dict[str, Any]) -> None:
    found = find("s1.jsonl", _lines(first) + CLAUDE_CODE)
    assert found.entries == find("s1.jsonl", CLAUDE_CODE).entries


def test_its_last_answer_is_the_one_that_hooks_read(tmp_path: Path) -> None:
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    last = find("s1.jsonl", CLAUDE_CODE).entries[-1].turn
    assert last_answer(tmp_path / "s1.jsonl") == last.text


def test_a_line_that_is_being_written_is_left_for_later() -> None:
    for cut in range(1, 40):
        entries = find("x", CLAUDE_CODE[:-cut]).entries
        assert [one.turn.key for one in entries] == ["u2", "u4", "u8"]


def record(kind: str, /, **payload: Any) -> dict[str, Any]:
    """A line of Codex's."""
    return {"timestamp": TIME, "type": kind, "payload": payload}


def codex(*, events: bool = True) -> bytes:
    """A log of Codex."""
    records = [
        record("session_meta", id="r1", cwd="/home", cli_version="0.65.0"),
        record(
            "response_item",
            type="message",
            role="user",
            content=block("input_text", "<environment_context>x</environment_context>"),
        ),
        record("response_item", type="message", role="user", content=block("input_text", "2+2?")),
        record("event_msg", type="user_message", message="2+2?", kind="plain"),
        record("turn_context", model="gpt"),
        record("response_item", type="reasoning", summary=[], encrypted_content="x"),
        record("response_item", type="function_call", name="shell", arguments="{}", call_id="c"),
        record("event_msg", type="agent_message", message="4"),
        record(
            "response_item", type="message", role="assistant", content=block("output_text", "4")
        ),
    ]
    return _lines(*(one for one in records if events or one["type"] != "event_msg"))


def test_a_log_of_codex_is_what_was_said_with_events_and_without() -> None:
    found = find("rollout.jsonl", codex())
    assert found.kind == "Codex"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.role, turn.text) for turn in turns] == [("user", "2+2?"), ("assistant", "4")]
    assert {turn.session for turn in turns} == {"codex/r1"}
    older = find("rollout.jsonl", codex(events=False))
    assert older.entries == found.entries


def test_a_folder_of_logs_is_one_import(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "rollout.jsonl").write_bytes(codex())
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    found = find(str(tmp_path))
    assert found.kind == "Codex and Claude Code"
    assert len(found.entries) == 5
