"""Configurations as people and hosts write them: any layout, comments, commas."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from(["mcpServers", "hooks", "model", "r3mem-notes", "ümlaut", "a", "b", 'q"'])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
MARK = "what others change"
"""A value in every configuration, at its key ``mark``."""

SPACE = st.sampled_from(["", " ", "\n", "\n    ", "\r\n\t", "  "])
COMMENT = st.sampled_from(["", ' // it\'s "so"\n', "/* } , */", "\n/* a\n b */\n"])


@st.composite
def configurations(draw: st.DrawFn, *, comments: bool) -> str:
    """An object with servers and hooks, if any, of the shape that hosts read."""
    servers = st.dictionaries(KEYS, st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2)
    hooks = st.dictionaries(
        st.sampled_from(["UserPromptSubmit", "Stop", "PreToolUse"]),
        st.lists(st.just({"hooks": [{"type": "command", "command": "say hook done"}]}), max_size=2),
        max_size=2,
    )
    value: dict[str, Any] = draw(st.dictionaries(KEYS, VALUES, max_size=3))
    value |= draw(st.fixed_dictionaries({}, optional={"mcpServers": servers, "hooks": hooks}))
    value = dict(draw(st.permutations([*value.items(), ("mark", MARK)])))
    for key in ("mcpServers", "hooks"):
        if not isinstance(value.get(key), dict):
            value.pop(key, None)
    if any(not isinstance(one, list) for one in value.get("hooks", {}).values()):
        del value["hooks"]
    return draw(written(value, comments=comments))


@st.composite
def written(draw: st.DrawFn, value: Any, *, comments: bool) -> str:
    """A value as JSON, white space and comments anywhere."""

    def gap() -> str:
        return draw(SPACE) + (draw(COMMENT) if comments else "") + draw(SPACE)

    def write(one: Any) -> str:
        if isinstance(one, dict):
            parts = [
                f"{gap()}{json.dumps(key, ensure_ascii=False)}{gap()}:{gap()}{write(inner)}{gap()}"
                for key, inner in one.items()
            ]
        elif isinstance(one, list):
            parts = [f"{gap()}{write(inner)}{gap()}" for inner in one]
        else:
            return json.dumps(one)
        trailing = "," + gap() if comments and parts and draw(st.booleans()) else ""
        inside = ",".join(parts) + trailing if parts else gap()
        return f"{{{inside}}}" if isinstance(one, dict) else f"[{inside}]"

    return f"{gap()}{write(value)}{gap()}"


LINES = st.sampled_from(
    ["", "# a comment", "[tools]", 'web = "on"', "[mcp_servers.other]", 'args = ["a", "b"]']
    + ["[[profiles]]", "list = [\n  1,\n]", 'text = """\n[mcp_servers.no]\n"""']
)


@st.composite
def toml_texts(draw: st.DrawFn) -> str:
    """Lines that are TOML together, with the line ends of either world, and often no last one."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = f'mark = "{MARK}"{newline}'
    for line in draw(st.lists(LINES, max_size=8)):
        longer = text + line.replace("\n", newline) + newline
        try:
            tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        text = longer
    return text if draw(st.booleans()) else text.removesuffix(newline)
