from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from r3mem_agents.cli import app
from r3mem_agents.connect.invocation import is_hook
from tests import new_process
from tests.cli.running import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``r3mem`` in an empty folder, with a model that nobody has chosen."""
    monkeypatch.chdir(tmp_path)
    names = ("R3MEM_DB", "R3MEM_USER", "R3MEM_AGENT", "R3MEM_MODEL")
    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"} | dict.fromkeys(names))

    def invoke(*arguments: str) -> Any:
        return runner.invoke(app, list(arguments))

    return invoke


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_it_shows_what_will_change_and_asks(run: Run, home: Path) -> None:
    result = run("connect", "claude-code")
    assert result.exit_code == 1
    assert '+      "command": "' in result.stdout
    assert f"{home}/.claude/settings.json (new)" in result.stdout
    assert "add --yes to change these files" in result.stderr
    assert [*home.iterdir()] == []


def test_connected_again_and_undone(run: Run, home: Path) -> None:
    (home / ".claude.json").write_text('{"numStartups": 3}')
    done = run("connect", "claude-code", "--yes", "--user", "ann")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("claude-code is connected; start Claude Code again\n")
    server = json.loads((home / ".claude.json").read_text())["mcpServers"]["r3mem"]
    assert Path(server["command"]).is_file()
    assert server["args"][-5:-1] == ["--db", f"{home}/.r3mem/memory.db", "--user", "ann"]
    again = run("connect", "claude-code", "--user", "ann")
    assert again.stdout == "claude-code is connected already: there is nothing to change\n"
    gone = run("connect", "claude-code", "--undo", "--yes")
    assert gone.stdout.endswith("claude-code is not connected any more\n")
    assert (home / ".claude.json").read_text() == '{"numStartups": 3}'
    assert not (home / ".claude").exists()
    nothing = run("connect", "claude-code", "--undo")
    assert nothing.stdout == "claude-code is not connected: there is nothing to change\n"
    assert nothing.exit_code == 0


def test_a_project_is_connected_in_its_folder(run: Run, home: Path, tmp_path: Path) -> None:
    assert run("connect", "vscode", "--project", "--db", "notes.db", "--yes").exit_code == 0
    server = json.loads((tmp_path / ".vscode" / "mcp.json").read_text())["servers"]["r3mem"]
    assert f"{tmp_path}/notes.db" in server["args"]
    assert [one.name for one in home.iterdir()] == [".r3mem"]


def test_print_changes_nothing(run: Run, home: Path) -> None:
    shown = run("connect", "--print", "--user", "ann")
    entry = json.loads(shown.stdout)["mcpServers"]["r3mem"]
    assert entry["args"][-4:] == ["--db", f"{home}/.r3mem/memory.db", "--user", "ann"]
    shown = run("connect", "codex", "--print")
    assert f"{home}/.codex/config.toml:\n[mcp_servers.r3mem]\n" in shown.stdout
    assert [*home.iterdir()] == []


def test_hooks_are_for_the_same_memory(run: Run, home: Path) -> None:
    db = f"{home}/data/all.db"
    assert run("connect", "cursor", "--db", db, "--user", "ann", "--yes").exit_code == 0
    hooks = json.loads((home / ".cursor" / "hooks.json").read_text())["hooks"]
    command = hooks["beforeSubmitPrompt"][0]["command"]
    assert is_hook(command)
    assert command.endswith(f" hook --db {db} --user ann")
    assert (home / "data").is_dir()


def test_a_diff_shows_the_lines_around_and_no_others(run: Run, home: Path) -> None:
    lines = [f'  "key-{number}": {number}' for number in range(2000)]
    (home / ".claude.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    shown = run("connect", "claude-code").stdout.partition(f"{home}/.claude/")[0]
    assert '   "key-1996": 1996,\n' in shown
    assert '-  "key-1999": 1999\n+  "key-1999": 1999,\n+  "mcpServers": {\n' in shown
    assert shown.count("\n") < 25


def test_a_broken_configuration_is_one_line_with_its_place(run: Run, home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text('{\n  "mcpServers": {\n')
    result = run("connect", "cursor", "--yes")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert f"{home}/.cursor/mcp.json, line 3, column 1: the end where a key should be" in line
    assert (home / ".cursor" / "mcp.json").read_text() == '{\n  "mcpServers": {\n'
    assert not (home / ".cursor" / "hooks.json").exists()


@pytest.mark.parametrize("arguments", [(), ("--undo",), ("--undo", "--print"), ("emacs",)])
def test_a_host_has_to_be_named(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("connect", *arguments)
    assert result.exit_code == 2
    assert "claude-code" in result.stderr


def test_without_the_server_a_host_is_told_of_nothing(home: Path) -> None:
    code = (
        "from r3mem_agents.cli import app\n"
        "try: app(['connect', 'cursor', '--yes'])\n"
        "except SystemExit as ended: print(ended.code)\n"
    )
    before = "import sys; sys.stderr = sys.stdout\n"
    told = new_process.run(before + code, without=["mcp"])
    assert told.split("\n")[0].startswith("error: mcp is not installed; run: pip install")
    assert told.endswith("\n1\n")
    assert [*home.iterdir()] == []
