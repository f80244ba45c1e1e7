from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from r3mem_agents.cli import app
from tests.cli.running import Run


@pytest.fixture
def run(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``r3mem`` in an empty folder with the tiny model; results show as on a wide terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("R3MEM_DB", "R3MEM_USER", "R3MEM_AGENT", "R3MEM_SESSION"):
        monkeypatch.delenv(name, raising=False)
    runner = CliRunner(env={"COLUMNS": "200", "R3MEM_MODEL": str(checkpoint), "TERM": "dumb"})

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Any:
        return runner.invoke(app, list(arguments), input=stdin)

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Run ``r3mem ... --json`` and return what it printed."""

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Any:
        result = run(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return invoke
