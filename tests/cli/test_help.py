from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import r3mem_agents
from r3mem_agents import CompressiveMemory
from r3mem_agents.cli import app
from r3mem_agents.cli.commands import PANELS
from r3mem_agents.model.native.library import KERNELS
from tests import new_process
from tests.cli.running import Run

LISTED = {name: command.help for name, command in app.commands.items()}
COMMANDS = sorted(LISTED)


def loaded(name: str) -> Any:
    """A command with its options."""
    return app.resolve_command(click.Context(app), [name])[1]


def test_all_promised_commands_exist() -> None:
    promised = {
        "backup", "chat", "connect", "context", "demo", "distil", "edit", "export", "fetch",
        "forget", "history", "hook", "import", "latent", "log", "mcp", "pin", "recall",
        "recompress", "remember", "serve", "sessions", "stats", "summary", "supersede", "token",
        "train", "tune", "users", "verify", "version", "versions",
    }  # fmt: skip
    assert {*COMMANDS} == promised


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    example = result.stdout.split("Example", 1)[1]
    assert f"r3mem {name}" in example


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_its_own_help_begins_with(name: str) -> None:
    command = loaded(name)
    assert command.name == name
    assert " ".join(command.help.partition("\n\n")[0].split()) == LISTED[name]


def test_whoever_takes_a_user_takes_a_whole_place() -> None:
    place = {"--db", "--user", "--agent"}
    found = 0
    for name in COMMANDS:
        options = {option for one in loaded(name).params for option in one.opts}
        if "--user" in options:
            found += 1
            assert place <= options
            assert options & {"--model", "--checkpoint"}
    assert found > 10


def test_help_of_the_whole_lists_all_commands(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f" {name} " in result.stdout


def test_help_names_every_exit_code(run: Run) -> None:
    codes = run("--help").stdout.partition("Exit codes:")[2]
    assert re.findall(r"\b\d+\b", codes) == ["0", "1", "2", "130"]


def _loads(*arguments: str) -> set[str]:
    """Modules that a process has loaded once a command has run."""
    code = (
        "import sys\n"
        "from r3mem_agents.cli import app\n"
        f"try: app({[*arguments]!r})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    return {*new_process.run(code).splitlines()[-1].split()}


HEAVY = {
    "torch", "matplotlib", "zstandard", "transformers", "langchain_core", "asyncio", "pydantic",
    "typer",
}  # fmt: skip
OF_COMMANDS = {
    f"r3mem_agents.{module}" for panel in PANELS.values() for module, _ in panel.values()
}


def test_help_loads_no_command_and_no_engine() -> None:
    assert not _loads("--help") & {*HEAVY, *OF_COMMANDS, "numpy", "r3mem_agents.store"}


@pytest.mark.parametrize(("name", "module"), [("recall", "cli.read"), ("sessions", "cli.browse")])
def test_a_command_loads_no_other_one(
    tmp_path: Path, checkpoint: Path, name: str, module: str
) -> None:
    db = str(tmp_path / "memory.db")
    with CompressiveMemory(db, model=checkpoint) as memory:
        memory.remember("user", "My cat is called Miso.")
    asked = ["What pet do I have?"] if name == "recall" else []
    found = _loads(name, *asked, "--db", db, "--model", str(checkpoint))
    assert found & OF_COMMANDS == {f"r3mem_agents.{module}"}
    assert not found & HEAVY


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"r3mem-agents {r3mem_agents.__version__}\n"
    assert run("version").stdout == run("--version").stdout


def test_version_names_what_it_runs_on(run_json: Any) -> None:
    found = run_json("version", "--all")
    assert found["r3mem-agents"] == r3mem_agents.__version__
    assert found["python"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert found["kernel"] in KERNELS
    assert "missing" not in found.values()
