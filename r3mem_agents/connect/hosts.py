"""Where each host keeps its configuration, and what belongs into it.

Sources, as read in November 2026:

- Claude Code: code.claude.com/docs/en/mcp (``~/.claude.json`` for a user, ``.mcp.json`` for a
  project) and /hooks (``~/.claude/settings.json``, ``.claude/settings.local.json``); both stand
  elsewhere if ``CLAUDE_CONFIG_DIR`` says so.
- Claude Desktop: modelcontextprotocol.io/quickstart/user (``claude_desktop_config.json``); it has
  no hooks and no projects.
- Cursor: cursor.com/docs/context/mcp (``~/.cursor/mcp.json``, ``.cursor/mcp.json``) and
  /docs/hooks (``hooks.json`` beside them).
- Codex: developers.openai.com/codex/mcp (``mcp_servers`` in ``~/.codex/config.toml``, or in the
  ``.codex/config.toml`` of a trusted project) and /codex/hooks (``hooks.json`` beside it, of the
  form of Claude Code's); ``CODEX_HOME`` moves the folder of the user.
- VS Code: code.visualstudio.com/docs/copilot/reference/mcp-configuration (``servers`` in
  ``.vscode/mcp.json`` or in the ``mcp.json`` of the user's profile, JSON with comments). Its own
  hooks are a preview whose end of a turn does not say what the model answered, so it gets none;
  those of Claude Code it reads itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from r3mem_agents.connect.invocation import Invocation
from r3mem_agents.errors import InvalidInputError

NAME = "r3mem"
"""What the server is called in every host."""

TIMEOUT_S = 30
"""How long a host waits for a hook: what Claude Code waits by default for a prompt's; Codex would
wait for ten minutes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The computer that a host runs on.

    Attributes:
        home: The user's home folder.
        project: The folder of a project, if it is to be connected and not the user.
        platform: As ``sys.platform`` says it.
        variables: Environment variables.
    """

    home: Path = field(default_factory=Path.home)
    project: Path | None = None
    platform: str = sys.platform
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def folder(self, variable: str, default: Path) -> Path:
        """The folder that a variable names, or else a default."""
        named = self.variables.get(variable)
        return Path(named).expanduser() if named else default

    def application_data(self) -> Path:
        """Where applications of the user keep their configuration."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return self.folder("APPDATA", self.home / "AppData" / "Roaming")
        return self.folder("XDG_CONFIG_HOME", self.home / ".config")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What belongs into one file.

    Attributes:
        path: The file.
        form: Strict JSON, JSON with comments and trailing commas, or TOML.
        server: Keys that lead to the entry of the server, and the entry.
        hooks: Events with the element that their arrays get.
        version: Of a file that is new, what it says of its version.
    """

    path: Path
    form: Literal["json", "jsonc", "toml"]
    server: tuple[tuple[str, ...], dict[str, Any]] | None = None
    hooks: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    version: int | None = None


def _entry(by: Invocation, *, captured: bool = True, **more: Any) -> dict[str, Any]:
    command, arguments = by.server(captured=captured)
    return {**more, "command": command, "args": arguments}


def _groups(by: Invocation) -> dict[str, dict[str, Any]]:
    one = {"type": "command", "command": by.hook(), "timeout": TIMEOUT_S}
    return {event: {"hooks": [one]} for event in ("UserPromptSubmit", "Stop")}


def _claude_code(by: Invocation, at: Surroundings) -> list[Wanted]:
    moved = at.variables.get("CLAUDE_CONFIG_DIR")
    settings = at.folder("CLAUDE_CONFIG_DIR", at.home / ".claude") / "settings.json"
    servers = (Path(moved).expanduser() if moved else at.home) / ".claude.json"
    if at.project:
        # Not settings.json, which projects share: the paths are those of this computer.
        settings = at.project / ".claude" / "settings.local.json"
        servers = at.project / ".mcp.json"
    server = ("mcpServers", NAME), _entry(by, type="stdio")
    return [Wanted(servers, "json", server), Wanted(settings, "json", hooks=_groups(by))]


def _claude_desktop(by: Invocation, at: Surroundings) -> list[Wanted]:
    if at.project:
        raise InvalidInputError("Claude Desktop has no projects; leave out --project")
    path = at.application_data() / "Claude" / "claude_desktop_config.json"
    return [Wanted(path, "json", (("mcpServers", NAME), _entry(by, captured=False)))]


def _cursor(by: Invocation, at: Surroundings) -> list[Wanted]:
    folder = (at.project or at.home) / ".cursor"
    hooks = {
        event: {"command": by.hook()} for event in ("beforeSubmitPrompt", "afterAgentResponse")
    }
    return [
        Wanted(folder / "mcp.json", "jsonc", (("mcpServers", NAME), _entry(by))),
        Wanted(folder / "hooks.json", "jsonc", hooks=hooks, version=1),
    ]


def _codex(by: Invocation, at: Surroundings) -> list[Wanted]:
    folder = at.folder("CODEX_HOME", at.home / ".codex")
    folder = at.project / ".codex" if at.project else folder
    return [
        Wanted(folder / "config.toml", "toml", (("mcp_servers", NAME), _entry(by))),
        Wanted(folder / "hooks.json", "json", hooks=_groups(by)),
    ]


def _vscode(by: Invocation, at: Surroundings) -> list[Wanted]:
    folder = at.project / ".vscode" if at.project else at.application_data() / "Code" / "User"
    server = ("servers", NAME), _entry(by, captured=False, type="stdio")
    return [Wanted(folder / "mcp.json", "jsonc", server)]


@dataclass(frozen=True, slots=True)
class Host:
    """A host of agents.

    Attributes:
        files: Says what its files should hold.
        then: What is to be done once they do.
    """

    files: Callable[[Invocation, Surroundings], list[Wanted]]
    then: str


HOSTS = {
    "claude-code": Host(_claude_code, "start Claude Code again"),
    "claude-desktop": Host(_claude_desktop, "quit Claude Desktop and start it again"),
    "cursor": Host(_cursor, "begin a new chat in Cursor"),
    "codex": Host(_codex, "start Codex again, and trust the two hooks there: /hooks"),
    "vscode": Host(_vscode, "VS Code asks whether it may start the server"),
}
"""The hosts that can be connected."""
