"""``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.app import app

RUNNER = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "codec",
        "compare",
        "latent",
        "latent-questions",
        "layout",
        "question",
        "recall",
        "scale",
        "speed",
    ],
)  # fmt: skip
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = RUNNER.invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"python -m benchmarks {name}" in shown.stdout.split("Example")[1]


def test_bad_input_is_one_line_that_names_it() -> None:
    result = RUNNER.invoke(app, ["codec", "--data", "no-such"])
    assert result.exit_code == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert "no-such" in line


def test_wrong_usage_exits_with_2() -> None:
    result = RUNNER.invoke(app, ["codec"])
    assert result.exit_code == 2
    assert "Usage" in result.stderr


def test_it_is_run_as_a_module() -> None:
    run = [sys.executable, "-m", "benchmarks", "--help"]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "python -m benchmarks" in done.stdout
