#!/usr/bin/env bash
# In the MCP Python SDK 2.3 a tool's argument `text: str | None` is parsed as JSON before it is validated,
# since some hosts send lists and objects as strings: the text "null" arrives as None, and a text that is
# a JSON object or list, such as a configuration to keep, is refused as "not a valid string". The same
# argument as plain `str` takes all of them. One expects an optional text to take the texts that a
# required one takes. Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check mcp==2.3.0 pydantic==2.13.4
"$folder/venv/bin/python" <<'PY'
import asyncio
import logging
import sys
from importlib.metadata import version

from mcp import Client
from mcp.server.mcpserver import MCPServer

server = MCPServer("notes", log_level="ERROR")


@server.tool(structured_output=False)
def required(text: str) -> str:
    return repr(text)


@server.tool(structured_output=False)
def optional(text: str | None = None) -> str:
    return repr(text)


TEXTS = ["a note", "null", '{"colour": "red"}', "[1, 2]", "7"]


async def main() -> dict[str, list[str]]:
    async with Client(server) as client:
        seen: dict[str, list[str]] = {}
        for tool in ("required", "optional"):
            results = [await client.call_tool(tool, {"text": text}) for text in TEXTS]
            seen[tool] = ["refused" if one.is_error else one.content[0].text for one in results]
        return seen


seen = asyncio.run(main())
print(f"mcp {version('mcp')}, pydantic {version('pydantic')}")
for text, one, other in zip(TEXTS, seen["required"], seen["optional"], strict=True):
    print(f"  {text:18} text: str {one:22} text: str | None {other}")
as_they_are = [repr(text) for text in TEXTS]
parsed = [repr("a note"), "None", "refused", "refused", repr("7")]
sys.exit(seen != {"required": as_they_are, "optional": parsed})
PY
