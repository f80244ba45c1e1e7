"""What a host's hook is told on stdin: who said what, in which session.

Claude Code, Codex and VS Code send events of one form (code.claude.com/docs/en/hooks,
developers.openai.com/codex/hooks), Cursor of another (cursor.com/docs/hooks). Cursor and VS Code
also run the hooks that Claude Code is configured with, so an event is read by its name, not by the
host that was connected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from r3mem_agents.connect.transcript import last_answer
from r3mem_agents.errors import InvalidInputError

PROMPTS = ("UserPromptSubmit", "beforeSubmitPrompt")
ANSWERS = ("Stop", "afterAgentResponse")


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said to a host, or by its model.

    Attributes:
        event: What the host calls the event.
        session: What it calls the conversation.
        role: Who said it.
        text: What was said, as it was said.
        key: The same for the same event, if the host tells it again.
    """

    event: str
    session: str
    role: Literal["user", "assistant"]
    text: str
    key: str


def read_event(data: bytes) -> Said | None:
    """Read an event; ``None`` for one in which neither a user nor an assistant says something.

    Raises:
        InvalidInputError: It is no event of a host.
    """
    try:
        event = json.loads(data)
    except UnicodeDecodeError:
        raise InvalidInputError("stdin is not UTF-8 text, so no event of a host") from None
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"stdin, line {error.lineno}, column {error.colno}: not JSON ({error.msg}), so no "
            "event of a host"
        ) from None
    except RecursionError:
        raise InvalidInputError("stdin is nested too deep for an event of a host") from None
    if not isinstance(event, dict):
        raise InvalidInputError("stdin holds no JSON object, so no event of a host")
    name = _text(event, "hook_event_name", "hookEventName")
    if name is None:
        raise InvalidInputError("stdin holds no event of a host: it has no hook_event_name")
    if event.get("agent_id"):  # a model talks with another one
        return None
    if name in PROMPTS:
        return _said(event, name, "user", _text(event, "prompt"), data)
    if name in ANSWERS:
        text = _text(event, "last_assistant_message", "text")
        return _said(event, name, "assistant", text or _from_transcript(event), data)
    return None


def _said(
    event: Mapping[str, Any],
    name: str,
    role: Literal["user", "assistant"],
    text: str | None,
    data: bytes,
) -> Said | None:
    if not text:
        return None
    session = _text(event, "conversation_id", "session_id", "sessionId")
    if session is None:
        raise InvalidInputError(f"the event {name} names no session, so nothing was remembered")
    turn = _text(event, "prompt_id", "turn_id", "generation_id") or _fingerprint(event, data)
    whole = json.dumps([turn, role, text]).encode()
    return Said(name, session, role, text, hashlib.sha256(whole).hexdigest()[:16])


def _fingerprint(event: Mapping[str, Any], data: bytes) -> str:
    """What tells an event from one that says the same later: the transcript has grown by then."""
    path = _text(event, "transcript_path")
    try:
        size = Path(path).stat().st_size if path else 0
    except (OSError, ValueError):  # a path that no system takes
        size = 0
    return f"{hashlib.sha256(data).hexdigest()} {size}"


def _from_transcript(event: Mapping[str, Any]) -> str | None:
    path = _text(event, "transcript_path")
    return last_answer(Path(path)) if path else None


def _text(event: Mapping[str, Any], *names: str) -> str | None:
    """The first of some fields that holds a text."""
    found = (event.get(name) for name in names)
    return next((one for one in found if isinstance(one, str) and one), None)
