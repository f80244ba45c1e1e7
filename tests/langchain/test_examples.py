"""The examples run offline, and remember in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("lang*.py"))


def run(name: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'integrations'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_they_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_agent_tells_its_users_apart(tmp_path: Path) -> None:
    talks = run("langchain_agent.py", tmp_path, "--db", "agent.db")
    assert talks.count("no model is at work") == 6
    assert 'user: "My dog is called Biscuit' in talks
    assert 'user: "On Friday we drive to Lisbon' in talks
    assert 'user: "My dog is called Rex' in talks
    again = ("--db", "agent.db", "--user", "bob", "What is my dog called?")
    later = run("langchain_agent.py", tmp_path, *again)
    assert "Rex" in later
    assert "Biscuit" not in later
    assert left_in(tmp_path) == ["agent.db"]


def test_a_classic_chain_knows_other_sessions(tmp_path: Path) -> None:
    talks = run("langchain_classic_chain.py", tmp_path)
    assert 'user: "My sister Ana moved to Porto' in talks
    assert 'user: "The car goes to the garage on the 12th' in talks
    assert left_in(tmp_path) == []


def test_a_store_is_put_to_searched_and_deleted_from(tmp_path: Path) -> None:
    for _ in range(2):  # the second time it is there already
        shown = run("langgraph_store.py", tmp_path, "--db", "store.db")
        assert "[('alice', 'facts'), ('bob', 'facts')]" in shown
        assert "plans: ['trip']" in shown
        assert 'alice: "Her dog is called Biscuit' in shown
        assert 'bob: "His dog is called Rex' in shown
        assert "after deleting one: ['dog', 'trip']" in shown
    assert left_in(tmp_path) == ["store.db"]
