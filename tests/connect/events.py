"""Events as hosts send them: the fields of Claude Code 2.1, Codex and Cursor 3."""

from __future__ import annotations

import json
from typing import Any

SESSION = "8c35adc1-70f4-4c2e-9f0e-5e1f8a3b9c11"

COMMON: dict[str, Any] = {
    "session_id": SESSION,
    "transcript_path": f"/home/ann/.claude/projects/-src-app/{SESSION}.jsonl",
    "cwd": "/src/app",
    "permission_mode": "default",
}


def claude_prompt(prompt: str, turn: str | None = "p-1", **more: Any) -> bytes:
    """``UserPromptSubmit`` of Claude Code; versions before 2.1 have no ``prompt_id``."""
    id_ = {} if turn is None else {"prompt_id": turn}
    return _event(COMMON | id_ | {"hook_event_name": "UserPromptSubmit", "prompt": prompt} | more)


def claude_stop(text: str | None, turn: str | None = "p-1", **more: Any) -> bytes:
    """``Stop`` of Claude Code; older versions do not say what the model answered."""
    id_ = {} if turn is None else {"prompt_id": turn}
    said = {} if text is None else {"last_assistant_message": text}
    stop = {"hook_event_name": "Stop", "stop_hook_active": False}
    return _event(COMMON | id_ | stop | said | more)


def codex(event: str, turn: str = "t-1", **more: Any) -> bytes:
    """An event of Codex, by the schemas in its repository."""
    named = {"hook_event_name": event, "turn_id": turn, "model": "gpt-5.6"}
    return _event(COMMON | {"transcript_path": None} | named | more)


def cursor(event: str, generation: str = "g-1", **more: Any) -> bytes:
    """An event of Cursor."""
    common = {
        "conversation_id": SESSION,
        "generation_id": generation,
        "model": "gpt-5.6",
        "hook_event_name": event,
        "cursor_version": "3.20.17",
        "workspace_roots": ["/src/app"],
        "user_email": "ann@example.com",
        "transcript_path": None,
    }
    return _event(common | more)


def transcript(*entries: tuple[str, Any]) -> str:
    """Lines of a Claude Code transcript: the type of each, and what its message holds."""
    lines = []
    for number, (kind, content) in enumerate(entries):
        message = {"role": kind, "content": content}
        if kind == "assistant":
            message |= {"id": "msg_1", "type": "message", "model": "claude-opus-5"}
        lines.append(
            {
                "parentUuid": None if number == 0 else f"u{number - 1}",
                "isSidechain": False,
                "sessionId": SESSION,
                "type": kind,
                "message": message,
                "uuid": f"u{number}",
                "timestamp": "2026-11-28T07:40:01.000Z",
            }
        )
    return "".join(json.dumps(line) + "\n" for line in lines)


def _event(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()
