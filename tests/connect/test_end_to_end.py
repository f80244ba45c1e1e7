"""Each host is connected from a shell, and what stands in its files then is started as it would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.connect.events import claude_prompt
from tests.server.mcp.calling import call

SERVERS = {
    "claude-code": (".claude.json", "mcpServers"),
    "claude-desktop": (".config/Claude/claude_desktop_config.json", "mcpServers"),
    "cursor": (".cursor/mcp.json", "mcpServers"),
    "codex": (".codex/config.toml", "mcp_servers"),
    "vscode": (".config/Code/User/mcp.json", "servers"),
}
DOG = "My dog is called Biscuit."


class Computer:
    """A home folder, and a shell that knows this checkout."""

    def __init__(self, home: Path, checkpoint: Path) -> None:
        self.home = home
        self.home.mkdir()
        known = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
        path = os.pathsep.join(sys.path)
        self.variables = known | {"HOME": str(home), "PYTHONPATH": path}
        self.checkpoint = checkpoint

    def shell(self, line: str, stdin: bytes = b"") -> bytes:
        """Run a line in the home folder; what it printed."""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.home,
            env=self.variables,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self, host: str) -> None:
        self.shell(
            f"{sys.executable} -m r3mem_agents connect {host} --yes --user ann "
            f"--model {self.checkpoint}"
        )

    def server(self, host: str) -> StdioServerParameters:
        """The command in a host's file, and nothing else."""
        name, servers = SERVERS[host]
        text = (self.home / name).read_text()
        found: dict[str, Any] = tomllib.loads(text) if name.endswith("toml") else json.loads(text)
        entry = found[servers]["r3mem"]
        assert entry.keys() <= {"type", "command", "args"}
        return StdioServerParameters(
            command=entry["command"], args=entry["args"], env=self.variables, cwd="/"
        )


@pytest.fixture
def computer(tmp_path: Path, checkpoint: Path) -> Computer:
    return Computer(tmp_path / "home of ann's", checkpoint)


@pytest.mark.skipif(sys.platform != "linux", reason="where files are is tested elsewhere")
async def test_all_hosts_share_what_one_is_told(computer: Computer) -> None:
    """And the model of each is told to remember, unless a hook does."""
    for number, host in enumerate(SERVERS):
        computer.connect(host)
        async with Client(computer.server(host)) as client:
            if number == 0:
                await call(client, "remember", turns=[{"text": DOG}])
            found = await call(client, "recall", query="What is my dog called?")
            assert [turn["text"] for turn in found["turns"]] == [DOG]
            told = str(client.instructions)
            shown = str(await client.get_prompt("use_memory", {"question": "My dog?"}))
        hooked = host not in ("claude-desktop", "vscode")
        assert ("remembered by itself" in told) is ("remembered by itself" in shown) is hooked
        assert ("with the words as they were said" in told) is not hooked


async def test_what_a_hook_captured_the_server_recalls(computer: Computer) -> None:
    computer.connect("claude-code")
    settings = json.loads((computer.home / ".claude" / "settings.json").read_text())
    [group] = settings["hooks"]["UserPromptSubmit"]
    assert computer.shell(group["hooks"][0]["command"], claude_prompt(DOG)) == b""
    async with Client(computer.server("claude-code")) as client:
        found = await call(client, "recall", query="What is my dog called?")
        assert [turn["text"] for turn in found["turns"]] == [DOG]
        # While the server runs, both write the same file.
        asked = claude_prompt("What is my dog called?", "p-2", session_id="another")
        assert b"Biscuit" in computer.shell(group["hooks"][0]["command"], asked)
        assert len((await call(client, "history"))["turns"]) == 2
