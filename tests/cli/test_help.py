from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

import r3mem_agents
from r3mem_agents.cli import app
from r3mem_agents.model.native.library import KERNELS
from tests import new_process
from tests.cli.running import Run


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(_commands(typer.main.get_command(app)))


def test_all_promised_commands_exist() -> None:
    names = {" ".join(path) for path in COMMANDS}
    promised = {
        "backup", "chat", "context", "demo", "distil", "export", "fetch", "forget", "history",
        "import", "recall", "recompress", "remember", "sessions", "stats", "summary", "supersede",
        "train", "tune", "users", "verify", "version",
    }  # fmt: skip
    assert names == promised


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    example = result.stdout.split("Example", 1)[1]
    assert f"r3mem {' '.join(path)}" in example


def test_whoever_takes_a_user_takes_a_whole_place() -> None:
    place = {"--db", "--user", "--agent"}
    found = 0
    for path in COMMANDS:
        command = typer.main.get_command(app)
        for name in path:
            command = command.commands[name]  # type: ignore[attr-defined]
        options = {option for one in command.params for option in one.opts}
        if "--user" in options:
            found += 1
            assert place <= options
            assert options & {"--model", "--checkpoint"}
    assert found > 10


def test_help_of_the_whole_lists_all_commands(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for path in COMMANDS:
        assert f" {path[0]} " in result.stdout


def test_help_names_every_exit_code(run: Run) -> None:
    codes = run("--help").stdout.partition("Exit codes:")[2]
    assert re.findall(r"\b\d+\b", codes) == ["0", "1", "2", "130"]


def test_help_loads_neither_torch_nor_a_database() -> None:
    code = (
        "import sys\n"
        "from r3mem_agents.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = {'torch', 'r3mem_agents.store', 'matplotlib', 'zstandard'} & set(sys.modules)\n"
        "print(sorted(loaded))"
    )
    assert new_process.run(code).splitlines()[-1] == "[]"


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"r3mem-agents {r3mem_agents.__version__}\n"
    assert run("version").stdout == run("--version").stdout


def test_version_names_what_it_runs_on(run_json: Any) -> None:
    found = run_json("version", "--all")
    assert found["r3mem-agents"] == r3mem_agents.__version__
    assert found["python"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert found["kernel"] in KERNELS
    assert "missing" not in found.values()
