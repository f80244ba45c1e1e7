"""Use an installed wheel as its first user does: ``python .ci/smoke.py [EXTRA]``.

Every module is imported: one that needs an extra must name it, and not the one that is installed.
Then a turn is remembered and recalled, in Python and on the command line.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path

from r3mem_agents import CompressiveMemory

SAID, ASKED = "My dog is called Biscuit.", "What is my dog called?"

NOT_IN_ALL = {"adk", "agent-framework", "openai-agents", "pydantic-ai", "strands"}


def missing_extras() -> set[str]:
    """Extras that the modules of the wheel ask for."""
    missing = set()
    for file in files("r3mem-agents") or ():
        if file.suffix != ".py" or file.stem == "__main__":
            continue
        name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
        except ImportError as error:
            extra = re.search(r"pip install 'r3mem-agents\[([\w-]+)\]'", str(error))
            if extra is None and not name.startswith("r3mem_agents.server."):
                raise
            # What is served is begun by r3mem_agents.server.serving, which names the extra.
            missing.add(extra.group(1) if extra else "server")
    return missing


def main(installed: str = "") -> None:
    """Fail unless the wheel works."""
    missing = missing_extras()
    assert installed not in missing, f"{installed} is installed, and asked for"
    assert installed != "all" or missing <= NOT_IN_ALL, f"not in all: {missing - NOT_IN_ALL}"
    assert installed or missing, "all extras are there: this environment is not a new one"
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "memory.db"))
        with CompressiveMemory(path) as memory:
            memory.remember("user", SAID)
            assert [found.text for found in memory.recall(ASKED)] == [SAID]
        command = ["r3mem", "recall", ASKED, "--db", path]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        assert "Biscuit" in done.stdout, done.stdout
    sys.stdout.write(f"{installed or 'the wheel'} works; not installed: {sorted(missing)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
