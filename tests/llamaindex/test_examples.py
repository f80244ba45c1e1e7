"""The LlamaIndex examples run as they are, offline, and find what was said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OFFLINE = """
import runpy, socket, sys
def refuse(*_, **__):
    raise AssertionError("tried to reach the network")
socket.socket.connect = socket.getaddrinfo = refuse
sys.path.insert(0, sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(example: str, *arguments: str, where: Path) -> str:
    path = os.pathsep.join([str(ROOT), str(ROOT / "integrations"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(EXAMPLES), str(EXAMPLES / example), *arguments],
        cwd=where,
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short(example: Path) -> None:
    assert len(example.read_text().splitlines()) < 80


def test_the_chat_engine_remembers_in_its_next_process(tmp_path: Path) -> None:
    known = ("llamaindex_chat_engine.py", "--db", "alice.db")
    asked = "What is my dog called?"
    first = run(*known, "My dog is called Biscuit.", asked, where=tmp_path)
    assert "Noted." in first
    assert 'user: "My dog is called Biscuit."' in first  # said in the same conversation
    second = run(*known, asked, where=tmp_path)
    assert 'user: "My dog is called Biscuit."' in second
    assert "no model is at work" in second
    other = run(*known, "--user", "bob", asked, where=tmp_path)
    assert "Biscuit" not in other


def run_and_leave_nothing(example: str, folder: Path) -> str:
    temporary = folder / "tmp"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        printed = run(example, where=folder)
    assert [*folder.rglob("*")] == [temporary]
    return printed


def test_the_chat_engine_needs_no_terminal(tmp_path: Path) -> None:
    assert "[turns: 0" in run_and_leave_nothing("llamaindex_chat_engine.py", tmp_path)


def test_the_agent_remembers_and_forgets(tmp_path: Path) -> None:
    lines = run_and_leave_nothing("llamaindex_agent.py", tmp_path).splitlines()
    answers = dict(zip(lines[::2], lines[1::2], strict=True))
    assert "Biscuit" in answers["user: What is my dog called?"]
    assert "Forgot" in answers["user: /forget vet"]
    asked = [lines[i + 1] for i, line in enumerate(lines) if "When do we see the vet?" in line]
    assert "10:30" in asked[0]
    assert "10:30" not in asked[1]


def test_the_long_horizon_chatbot_finds_the_first_weeks(tmp_path: Path) -> None:
    printed = run("long_horizon_chatbot.py", where=tmp_path)
    for told in ("Biscuit, a corgi", "allergic to walnuts", "Mrs. Lindqvist", "moved to Porto"):
        assert f"{told}" in next(
            line for line in printed.splitlines() if line.startswith("assistant:") and told in line
        )
        assert any("recalled: 2026-09" in line and told in line for line in printed.splitlines())
    tokens = [
        [int(word.replace(",", "")) for word in line.split() if word[0].isdigit()]
        for line in printed.splitlines()
        if line.startswith("  prompt:")
    ]
    assert len(tokens) == 4
    assert all(5 * prompt < everything for prompt, everything in tokens)


def test_a_model_that_is_not_installed_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "llamaindex_agent.py"), "--model", "some-model"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "integrations"), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "pip install llama-index-llms-openai-like" in done.stderr
