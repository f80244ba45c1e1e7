#!/usr/bin/env bash
# While an MCP server of the Python SDK 2.3 serves stdio, descriptor 1 is turned to stderr, so that what a
# tool prints misses the protocol, as its documentation says. But `print` to a pipe only fills a buffer:
# the SDK turns the descriptor back when the host closes stdin, the buffer is emptied at exit, and the
# prints of the whole session reach the host as its last lines. They do not with PYTHONUNBUFFERED=1, as
# in many containers. One expects the guard to hold for what was printed under it. Exits with 1 if it is
# otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check mcp==2.3.0
"$folder/venv/bin/python" <<'PY'
import json
import os
import subprocess
import sys
from importlib.metadata import version

SERVER = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("notes")

@server.tool()
def keep(text: str) -> str:
    print("kept:", text)
    return "done"

server.run()
"""
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
CALL = {"name": "keep", "arguments": {"text": "a note"}}
TALK = [
    {"id": 1, "method": "initialize", "params": HELLO},
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/call", "params": CALL},
]


def session(**more: str) -> tuple[list[bool], str]:
    """Whether each line while it serves is of the protocol, and what stdout holds after that."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment | more,
    )
    lines = []
    for message in TALK:
        server.stdin.write(json.dumps(message | {"jsonrpc": "2.0"}) + "\n")
        server.stdin.flush()
        if "id" in message:
            lines.append(json.loads(server.stdout.readline())["id"] == message["id"])
    return lines, server.communicate()[0]


print(f"mcp {version('mcp')}, Python {sys.version.split()[0]}")
buffered, unbuffered = session(), session(PYTHONUNBUFFERED="1")
print(f"  after the session, on stdout: {buffered[1]!r}; with PYTHONUNBUFFERED=1: {unbuffered[1]!r}")
sys.exit((buffered, unbuffered) != (([True, True], "kept: a note\n"), ([True, True], "")))
PY
