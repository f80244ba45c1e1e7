"""The examples of hosts whose agents know their users apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.new_process import ROOT


@pytest.mark.parametrize(
    ("host", "name"), [("agents", "openai_agents"), ("pydantic_ai", "pydantic_ai")]
)
def test_an_example_tells_its_users_apart_and_remembers(host: str, name: str) -> None:
    pytest.importorskip(host)

    def run(*arguments: str) -> str:
        script = str(ROOT / "examples" / f"{name}_agent.py")
        command = [sys.executable, script, "--db", "agent.db", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    talks = run()
    assert 'user: "My dog is called Biscuit' in talks
    assert 'user: "On Friday we drive to Lisbon' in talks
    assert "alice: 8 turns remembered" in talks
    later = run("--user", "bob", "What is my dog called?")
    assert "Rex" in later
    assert "Biscuit" not in later
