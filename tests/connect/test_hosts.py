"""Files as the hosts document them."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.connect.changes import make, plan, plan_undo
from r3mem_agents.connect.hosts import HOSTS, Surroundings
from r3mem_agents.connect.invocation import Invocation, invocation, is_hook
from r3mem_agents.connect.records import Records
from r3mem_agents.errors import InvalidInputError
from tests.connect.wanted import BY, files

ANN = Path("/home/ann")

LINUX = {
    "claude-code": [".claude.json", ".claude/settings.json"],
    "claude-desktop": [".config/Claude/claude_desktop_config.json"],
    "cursor": [".cursor/mcp.json", ".cursor/hooks.json"],
    "codex": [".codex/config.toml", ".codex/hooks.json"],
    "vscode": [".config/Code/User/mcp.json"],
}
SUPPORT = "Library/Application Support"
MAC = LINUX | {
    "claude-desktop": [f"{SUPPORT}/Claude/claude_desktop_config.json"],
    "vscode": [f"{SUPPORT}/Code/User/mcp.json"],
}
WINDOWS = LINUX | {
    "claude-desktop": ["AppData/Roaming/Claude/claude_desktop_config.json"],
    "vscode": ["AppData/Roaming/Code/User/mcp.json"],
}
PROJECT = {
    "claude-code": [".mcp.json", ".claude/settings.local.json"],
    "cursor": [".cursor/mcp.json", ".cursor/hooks.json"],
    "codex": [".codex/config.toml", ".codex/hooks.json"],
    "vscode": [".vscode/mcp.json"],
}


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", LINUX), ("darwin", MAC), ("win32", WINDOWS)]
)
def test_files_of_a_user_are_where_the_host_reads_them(
    platform: str, expected: dict[str, list[str]]
) -> None:
    at = Surroundings(ANN, platform=platform, variables={})
    found = {
        host: [one.path.relative_to(ANN).as_posix() for one in what.files(BY, at)]
        for host, what in HOSTS.items()
    }
    assert found == expected


@pytest.mark.parametrize("host", [*PROJECT])
def test_files_of_a_project_are_in_it(host: str) -> None:
    project = Path("/src/app")
    found = files(host, ANN, project=project)
    assert [one.path.relative_to(project).as_posix() for one in found] == PROJECT[host]


def test_claude_desktop_has_no_projects() -> None:
    with pytest.raises(InvalidInputError, match="has no projects; leave out --project"):
        files("claude-desktop", ANN, project=Path("/src/app"))


@pytest.mark.parametrize(
    ("host", "variable", "expected"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", [".claude.json", "settings.json"]),
        ("codex", "CODEX_HOME", ["config.toml", "hooks.json"]),
        ("vscode", "XDG_CONFIG_HOME", ["Code/User/mcp.json"]),
    ],
)
def test_variables_of_a_host_move_its_files(host: str, variable: str, expected: list[str]) -> None:
    at = Surroundings(ANN, platform="linux", variables={variable: "/moved"})
    found = HOSTS[host].files(BY, at)
    assert [one.path.relative_to("/moved").as_posix() for one in found] == expected


CLAUDE_CODE = """\
{
  "numStartups": 41,
  "tipsHistory": {
    "new-user-warmup": 1
  },
  "projects": {
    "/src/app": {
      "allowedTools": [],
      "mcpServers": {}
    }
  },
  "mcpServers": {
    "playwright": {
      "type": "stdio",
      "command": "npx",
      "args": [
        "@playwright/mcp@latest"
      ],
      "env": {}
    }
  }
}
"""
SETTINGS = """\
{
  "permissions": {
    "allow": ["Bash(npm run lint)"]
  },
  "hooks": {
    "Stop": [
      {
        "matcher": "",
        "hooks": [{ "type": "command", "command": "say done" }]
      }
    ]
  }
}
"""
CODEX = """\
model = "gpt-5.6"   # the large one
notify = ["python3", "/home/ann/notify.py"]

[mcp_servers.docs]
command = "docs-server"
supports_parallel_tool_calls = true

[projects."/src/app"]
trust_level = "trusted"
"""
VSCODE = """\
{
\t// Servers of this workspace
\t"inputs": [
\t\t{ "type": "promptString", "id": "key", "description": "Key", "password": true },
\t],
\t"servers": {
\t\t"github": { "type": "http", "url": "https://api.githubcopilot.com/mcp" }, // ours
\t},
}
"""
CURSOR_HOOKS = '{"version": 1, "hooks": {"stop": [{"command": "but cursor stop"}]}}'


def connected(host: str, home: Path, **there: str) -> dict[str, str]:
    """What the files of a host hold once it is connected; undone, they hold what they did."""
    wanted, records = files(host, home), Records(home)
    for one in wanted:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        name = one.path.name.replace(".", "_")
        if name in there:
            one.path.write_text(there[name])
    make(plan(wanted, records), records)
    found = {one.path.name: one.path.read_text() for one in wanted}
    make(plan_undo(wanted, records), records)
    left = {one.path.name.replace(".", "_"): one.path.read_text() for one in wanted}
    assert left == there
    return found


def test_claude_code(tmp_path: Path) -> None:
    found = connected("claude-code", tmp_path, _claude_json=CLAUDE_CODE, settings_json=SETTINGS)
    servers = json.loads(found[".claude.json"])["mcpServers"]
    assert [*servers] == ["playwright", "r3mem"]
    assert servers["r3mem"] == {
        "type": "stdio",
        "command": "/opt/it's here/r3mem",
        "args": ["mcp", "--db", "/home/ann/.r3mem/memory.db", "--user", "ann", "--captured"],
    }
    hooks = json.loads(found["settings.json"])["hooks"]
    ours = {
        "type": "command",
        "command": "'/opt/it'\"'\"'s here/r3mem' hook --db /home/ann/.r3mem/memory.db --user ann",
        "timeout": 30,
    }
    assert hooks["UserPromptSubmit"] == [{"hooks": [ours]}]
    assert hooks["Stop"][1:] == [{"hooks": [ours]}]


def test_codex(tmp_path: Path) -> None:
    hooks = json.dumps({"hooks": {"SessionStart": []}})
    found = connected("codex", tmp_path, config_toml=CODEX, hooks_json=hooks)
    assert found["config.toml"].startswith(CODEX)
    config = tomllib.loads(found["config.toml"])
    assert config["mcp_servers"]["r3mem"]["args"][0] == "mcp"
    assert [*json.loads(found["hooks.json"])["hooks"]] == [
        "SessionStart",
        "UserPromptSubmit",
        "Stop",
    ]


def test_vscode_keeps_comments_commas_and_tabs(tmp_path: Path) -> None:
    found = connected("vscode", tmp_path, mcp_json=VSCODE)["mcp.json"]
    before, _, after = found.partition('\n\t\t"r3mem": {\n\t\t\t"type": "stdio",\n')
    assert VSCODE.startswith(before)
    assert after.endswith("\t\t},\n\t},\n}\n")


def test_cursor(tmp_path: Path) -> None:
    servers = '{"mcpServers": {}}'
    found = connected("cursor", tmp_path, mcp_json=servers, hooks_json=CURSOR_HOOKS)
    hooks = json.loads(found["hooks.json"])
    assert [*hooks] == ["version", "hooks"]
    assert [*hooks["hooks"]] == ["stop", "beforeSubmitPrompt", "afterAgentResponse"]
    assert is_hook(hooks["hooks"]["afterAgentResponse"][0]["command"])


TWO = [{"command": "/opt/r3mem hook --db a"}, {"command": "say done"}]
MIXED = json.dumps({"hooks": {"Stop": [{"hooks": TWO}]}})


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("settings.json", '{"hooks": []}', "hooks is not an object"),
        ("settings.json", '{"hooks": {"Stop": {}}}', "hooks.Stop is not an array"),
        ("settings.json", '{"hooks": {},}', "line 1, column 14: a comma before the end"),
        ("settings.json", MIXED, "stands in one group with others"),
        (".claude.json", '{"mcpServers": 3}', "mcpServers is not an object"),
        (".claude.json", '{"mcpServers" {}}', "line 1, column 15: no colon after a key"),
        ("config.toml", "model = \n", "not TOML: Invalid value (at line 1, column 9)"),
        ("config.toml", "mcp_servers = {}\n", "mcp_servers is written in a form"),
        ("config.toml", 'mcp_servers.r3mem.command = "x"\n', "is no table of its own"),
        (
            "config.toml",
            '[mcp_servers.r3mem]\ncommand = "x"\nenabled = false\n',
            "has settings of your own",
        ),
    ],
)
def test_what_is_no_configuration_is_named_and_left(
    name: str, text: str, fault: str, tmp_path: Path
) -> None:
    wanted = [*files("claude-code", tmp_path), *files("codex", tmp_path)]
    [path] = [one.path for one in wanted if one.path.name == name]
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(InvalidInputError) as raised:
        plan(wanted, Records(tmp_path))
    assert fault in str(raised.value)
    assert str(path) in str(raised.value) or text == MIXED
    assert "nothing was changed" in str(raised.value)


def test_the_command_works_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    command, arguments = invocation("notes.db", user="ann", agent="coder", model="model").server()
    assert Path(command).is_file()
    assert arguments[-9:] == [
        *("mcp", "--db", f"{tmp_path}/notes.db", "--user", "ann"),
        *("--agent", "coder", "--model", f"{tmp_path}/model"),
    ]


@pytest.mark.parametrize("db", [":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_memory_without_a_file_is_refused(db: str) -> None:
    with pytest.raises(InvalidInputError, match="is gone when a command ends|not supported"):
        invocation(db, user="ann")


@pytest.mark.parametrize(("db", "user"), [("a.db", " "), ("a\udcff.db", "ann"), ("a.db", "\ud800")])
def test_what_no_command_can_say_is_refused(db: str, user: str) -> None:
    with pytest.raises(InvalidInputError, match="blank|UTF-8"):
        invocation(db, user=user)


def test_names_and_urls_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, arguments = invocation("sqlite:///a.db", user="ann", model="r3mem-base-1").server()
    options = ["--user", "ann", "--model", "r3mem-base-1"]
    assert arguments[-6:] == ["--db", f"{tmp_path}/a.db", *options]
    assert invocation("sqlite:////data/a.db", user="ann").db == "/data/a.db"
    uri = "sqlite:///file:/data/a.db?mode=ro&uri=true"
    assert invocation(uri, user="ann").db == uri


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (BY.hook(), True),
        ("/opt/r3mem hook --db a", True),
        ('"C:/Program Files/r3mem.exe" hook --db a', True),
        ("/usr/bin/python3 -m r3mem_agents hook --db a", True),
        ("/opt/other-r3mem hook --db a", False),
        ("/opt/r3mem recall hook", False),
        ("say the hook is done", False),
    ],
)
def test_hooks_of_ours_are_known(command: str, ours: bool) -> None:
    assert is_hook(command) is ours


ODD = st.lists(
    st.sampled_from(
        ["a", " hook ", " r3mem hook", "it's", "\u00fc", "\\", '"', "$HOME", "\n", "//"]
    )
).map("".join)


@given(ODD, ODD, st.sampled_from([("/r3mem",), ("/python3", "-m", "r3mem_agents")]))
def test_a_hook_is_known_whatever_the_folders_are_called(
    folder: str, db: str, program: tuple[str, ...]
) -> None:
    first, *others = program
    by = Invocation((f"/opt/{folder}{first}", *others), f"/{db}.db", ("--user", db or "ann"))
    assert is_hook(by.hook())
    assert not is_hook(shlex.join([f"/opt/{folder}/other", "hook", "--db", by.hook()]))
