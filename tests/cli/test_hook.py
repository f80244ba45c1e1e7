"""Hooks as hosts run them: processes of a shell, an event on stdin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.connect.changes import make, plan
from r3mem_agents.connect.hosts import HOSTS, Surroundings
from r3mem_agents.connect.invocation import Invocation
from r3mem_agents.connect.records import Records
from tests.connect.events import SESSION, claude_prompt, claude_stop, codex, cursor, transcript
from tests.new_process import ROOT, loaded

COMMAND = (sys.executable, "-m", "r3mem_agents")


class Host:
    """A host that is connected with one memory, and runs the hooks of its configuration."""

    def __init__(self, name: str, home: Path, checkpoint: Path) -> None:
        self.home, self.db = home, home / "memories" / "ann's.db"
        self.db.parent.mkdir()
        options = ("--user", "ann", "--model", str(checkpoint))
        at = Surroundings(home, platform="linux", variables={})
        wanted = HOSTS[name].files(Invocation(COMMAND, str(self.db), options), at)
        make(plan(wanted, Records(home)), Records(home))
        [settings] = [one.path for one in wanted if one.hooks]
        self.hooks: dict[str, Any] = json.loads(settings.read_text())["hooks"]
        self.checkpoint = checkpoint

    def tell(self, event: bytes, more: str = "") -> subprocess.CompletedProcess[bytes]:
        """Run the hook of an event."""
        [element] = self.hooks[json.loads(event)["hook_event_name"]]
        [handler] = element.get("hooks", [element])
        return subprocess.run(
            ["sh", "-c", handler["command"] + more],
            cwd=self.home,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            input=event,
            capture_output=True,
            check=False,
        )

    def held(self) -> list[tuple[str, str, str]]:
        with CompressiveMemory(self.db, user="ann", model=self.checkpoint) as memory:
            return [(turn.session, turn.role, turn.text) for turn in memory.history()]


@pytest.fixture
def claude(tmp_path: Path, checkpoint: Path) -> Host:
    return Host("claude-code", tmp_path, checkpoint)


def test_claude_code(claude: Host) -> None:
    other = {"session_id": "another"}
    told = claude.tell(claude_prompt("My dog is called Biscuit.\r\n", **other))
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
    assert claude.tell(claude_stop("Noted!", **other)).stdout == b""
    asked = claude.tell(claude_prompt("What is my dog called?"))
    assert asked.returncode == 0
    output = json.loads(asked.stdout)["hookSpecificOutput"]
    assert output["hookEventName"] == "UserPromptSubmit"
    assert "user: My dog is called Biscuit." in output["additionalContext"]
    claude.tell(claude_prompt("What is my dog called?"))  # the same event
    assert claude.held() == [
        ("another", "user", "My dog is called Biscuit.\r\n"),
        ("another", "assistant", "Noted!"),
        (SESSION, "user", "What is my dog called?"),
    ]


def test_claude_code_before_it_told_the_answer(claude: Host) -> None:
    path = claude.home / "session.jsonl"
    path.write_text(transcript(("user", "Hi."), ("assistant", [{"type": "text", "text": "Ho."}])))
    claude.tell(claude_stop(None, turn=None, transcript_path=str(path)))
    assert claude.held() == [(SESSION, "assistant", "Ho.")]


def test_codex(tmp_path: Path, checkpoint: Path) -> None:
    host = Host("codex", tmp_path, checkpoint)
    host.tell(codex("UserPromptSubmit", prompt="My dog is called Biscuit.", session_id="another"))
    asked = host.tell(codex("UserPromptSubmit", prompt="What is my dog called?"))
    host.tell(codex("Stop", stop_hook_active=False, last_assistant_message="Biscuit."))
    assert "Biscuit" in json.loads(asked.stdout)["hookSpecificOutput"]["additionalContext"]
    assert [role for _, role, _ in host.held()] == ["user", "user", "assistant"]


def test_cursor(tmp_path: Path, checkpoint: Path) -> None:
    host = Host("cursor", tmp_path, checkpoint)
    prompt = "beforeSubmitPrompt"
    host.tell(cursor(prompt, prompt="My dog is called Biscuit.", conversation_id="another"))
    asked = host.tell(cursor(prompt, prompt="What is my dog called?", attachments=[]))
    host.tell(cursor("afterAgentResponse", text="Biscuit."))
    output = json.loads(asked.stdout)
    assert output.pop("continue") is True
    assert "Biscuit" in output.pop("additional_context")
    assert output == {}
    assert [role for _, role, _ in host.held()] == ["user", "user", "assistant"]


@pytest.mark.parametrize(
    ("event", "more", "fault"),
    [
        (claude_prompt("Hi."), " --no-such-option", b"No such option"),
        (claude_prompt("Hi."), " and-more", b"unexpected extra argument"),
        (claude_prompt("Hi."), " --model /nowhere", b"/nowhere"),
        (claude_prompt("Hi."), " --db .", b"is a folder"),
        (claude_prompt("Hi."), " --db gone/memory.db", b"there is no folder gone"),
        (claude_prompt("Hi."), " < /dev/null", b"not JSON"),
        (claude_prompt("Hi."), " <&-", b"stdin is closed"),
        (claude_prompt("\ud800"), "", b"surrogate"),
        (claude_prompt("Hi.", session_id=None), "", b"names no session"),
    ],
)
def test_a_failure_is_one_line_and_blocks_no_host(
    claude: Host, event: bytes, more: str, fault: bytes
) -> None:
    """2 would: the prompt would be refused and erased."""
    done = claude.tell(event, more)
    assert done.returncode == 1
    assert done.stdout == b""
    [line] = done.stderr.splitlines()
    assert fault in line


def test_a_file_of_another_program_is_left(claude: Host) -> None:
    claude.db.write_bytes(b"something else" * 100)
    done = claude.tell(claude_prompt("Hi."))
    assert (done.returncode, done.stdout) == (1, b"")
    assert claude.db.read_bytes() == b"something else" * 100


def test_damage_is_told_and_the_rest_is_recalled(claude: Host) -> None:
    import sqlite3

    for number, text in enumerate(["My cat is called Miso.", "My dog is called Biscuit."]):
        claude.tell(claude_prompt(text, f"p-{number}", session_id="another"))
    with sqlite3.connect(claude.db) as file:
        assert file.execute("update turns set code = x'00' where id = 1").rowcount == 1
    file.close()
    done = claude.tell(claude_prompt("What are my dog and my cat called?", "p-3"))
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert "Biscuit" in output["hookSpecificOutput"]["additionalContext"]
    assert "turn 1" in output["systemMessage"]


def test_hooks_at_the_same_moment_lose_nothing(claude: Host) -> None:
    """As of several sessions, or of a host that runs a hook twice."""
    events = [claude_prompt(f"Number {number % 4}.", f"p-{number % 4}") for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        done = [*pool.map(claude.tell, events)]
    assert [one.returncode for one in done] == [0] * 8, [one.stderr for one in done]
    assert sorted(text for _, _, text in claude.held()) == [f"Number {n}." for n in range(4)]


def test_other_events_load_no_memory() -> None:
    code = (
        "import io, sys\n"
        "sys.argv = ['r3mem', 'hook', '--db', '/nowhere/at/all.db']\n"
        'event = b\'{"hook_event_name": "SessionEnd"}\'\n'
        "sys.stdin = io.TextIOWrapper(io.BytesIO(event))\n"
        "from r3mem_agents.cli import app\n"
        "try: app()\n"
        "except SystemExit as ended: assert not ended.code, ended.code"
    )
    assert loaded(code, ["numpy", "sqlite3", "mcp", "pydantic", "asyncio"]) == []
