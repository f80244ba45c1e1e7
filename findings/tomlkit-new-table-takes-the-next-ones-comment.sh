#!/usr/bin/env bash
# tomlkit edits TOML and keeps its style. A table that is added beside a sibling is put between the comment
# above the next table and that table, so that the comment, a warning perhaps, stands above the new one. One
# expects that what is written above [profiles] stays there. In a file with CRLF line ends the new lines end
# in LF. Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check tomlkit==0.15.2
"$folder/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import tomlkit

lines = ["[servers.docs]", 'command = "docs"', "", "# Never trust these on a shared computer:"]
source = "\r\n".join([*lines, "[profiles]", "trusted = true", ""])
document = tomlkit.parse(source)
document["servers"]["memory"] = {"command": "memory"}
written = tomlkit.dumps(document)

print(f"tomlkit {version('tomlkit')} makes of\n\n{source}\nthis, with a table servers.memory:\n\n{written}")
shown = [line for line in written.splitlines() if line]
below = shown[shown.index(lines[-1]) + 1]
alone = written.replace("\r\n", "").count("\n")
print(f"below the comment is: {below}; lines that end in LF alone: {alone}")
sys.exit(below == "[profiles]" or not alone)
PY
