from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.connect.events import read_event
from r3mem_agents.connect.transcript import MAX_TAIL, last_answer
from r3mem_agents.errors import InvalidInputError
from tests.connect.events import (
    SESSION,
    claude_prompt,
    claude_stop,
    codex,
    cursor,
    transcript,
)

PROMPTS = [
    claude_prompt("Hi"),
    claude_prompt("Hi", turn=None),
    codex("UserPromptSubmit", prompt="Hi", agent_id=None),
    cursor("beforeSubmitPrompt", prompt="Hi", attachments=[]),
]
ANSWERS = [
    claude_stop("Hi"),
    claude_stop("Hi", turn=None),
    codex("Stop", stop_hook_active=False, last_assistant_message="Hi"),
    cursor("afterAgentResponse", text="Hi"),
]


@pytest.mark.parametrize("data", [*PROMPTS, *ANSWERS])
def test_every_host_says_who_said_what_where(data: bytes) -> None:
    said = read_event(data)
    assert said is not None
    role = "user" if data in PROMPTS else "assistant"
    assert (said.session, said.role, said.text) == (SESSION, role, "Hi")


@pytest.mark.parametrize("data", [*PROMPTS, *ANSWERS])
def test_an_event_that_is_told_again_has_the_same_key(data: bytes) -> None:
    assert read_event(data) == read_event(data)


def test_turns_have_keys_of_their_own() -> None:
    events = [
        claude_prompt("yes", "p-1"),
        claude_prompt("yes", "p-2"),
        claude_stop("yes", "p-1"),
        claude_stop("And yes", "p-1", stop_hook_active=True),  # another hook made it go on
        codex("UserPromptSubmit", "t-1", prompt="yes"),
        cursor("beforeSubmitPrompt", "g-1", prompt="yes"),
    ]
    keys = {said.key for event in events if (said := read_event(event))}
    assert len(keys) == len(events)


def test_without_an_id_the_transcript_tells_one_yes_from_the_next(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    keys = []
    for _ in range(2):
        event = claude_prompt("yes", turn=None, transcript_path=str(path))
        first, again = read_event(event), read_event(event)
        assert first is not None
        assert first == again
        keys.append(first.key)
        with path.open("a") as file:
            file.write(transcript(("user", "yes")))
    assert len({*keys}) == 2


@pytest.mark.parametrize("path", ["no\0where", "\ud800"])
def test_a_path_that_no_system_takes_costs_no_words(path: str) -> None:
    said = read_event(claude_prompt("yes", turn=None, transcript_path=path))
    assert said is not None
    assert said.text == "yes"


@given(st.text(min_size=1))
def test_a_prompt_is_read_to_the_byte(prompt: str) -> None:
    said = read_event(claude_prompt(prompt))
    assert said is not None
    assert said.text == prompt


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"hook_event_name": "SessionStart", "session_id": "s", "source": "startup"}),
        claude_prompt("Look for it.", agent_id="a1", agent_type="Explore"),
        claude_prompt(""),
        claude_stop(None, transcript_path="/nowhere"),
        claude_stop(None, transcript_path="no\0where"),
        codex("Stop", stop_hook_active=False, last_assistant_message=None),
        cursor("stop", status="completed"),
    ],
)
def test_what_nobody_said_is_no_turn(data: str | bytes) -> None:
    assert read_event(data if isinstance(data, bytes) else data.encode()) is None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "line 1, column 1: not JSON"),
        (b'{"session_id": "s",\n', "line 2, column 1: not JSON"),
        (b'{"session_id": "\xff"}', "not UTF-8"),
        (b"[]", "holds no JSON object"),
        (b'{"session_id": "s"}', "no hook_event_name"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"hook_event_name": "Stop", "text": "Hi"}', "Stop names no session"),
    ],
)
def test_what_is_no_event_is_named(data: bytes, fault: str) -> None:
    with pytest.raises(InvalidInputError, match=fault):
        read_event(data)


def test_an_answer_is_found_at_the_end_of_a_transcript(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    tool = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}
    path.write_text(
        transcript(
            ("user", "What is in it?"),
            ("assistant", [{"type": "text", "text": "Let me look."}]),
            ("assistant", [tool]),
            ("user", [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x" * 99}]),
            ("assistant", [{"type": "thinking", "thinking": "Hm."}]),
            ("assistant", [{"type": "text", "text": "A letter."}]),
            ("assistant", [{"type": "text", "text": "From Oslo."}]),
        )
        + '{"type": "summary", "summary": "A letter"}\n{"type": "assistant", "isSidech'
    )
    said = read_event(claude_stop(None, transcript_path=str(path)))
    assert said is not None
    assert said.text == "A letter.\nFrom Oslo."


def test_a_transcript_without_an_answer_has_none(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    before = transcript(("assistant", [{"type": "text", "text": "Of before."}]))
    path.write_text(before + transcript(("user", "And now?")))
    assert last_answer(path) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_what_is_no_file_is_no_transcript(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        assert last_answer(path) is None


def test_a_line_that_is_nested_too_deep_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(transcript(("assistant", "So.")) + "[" * 100_000 + "\n")
    assert last_answer(path) == "So."


def test_of_a_long_transcript_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(
        transcript(("user", "x" * (MAX_TAIL + 1)), ("assistant", [{"type": "text", "text": "So."}]))
    )
    assert last_answer(path) == "So."
