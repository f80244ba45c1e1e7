"""Python code in a process of its own, where nothing is loaded yet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(code: str, *, without: Sequence[str] = ()) -> str:
    """What the code prints, if it runs without a warning.

    Args:
        code: It can import the adapters.
        without: Packages that are not found, as if they were not installed.
    """
    before = (
        "import sys, importlib.util as util\n"
        "sys.path.insert(0, 'integrations')\n"
        "real = util.find_spec\n"
        f"util.find_spec = lambda name, *rest: None if name in {without!r} else real(name, *rest)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", before + code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stderr == ""
    return done.stdout


def loaded(code: str, modules: Sequence[str]) -> list[str]:
    """Those of the modules that are loaded once the code has run."""
    return run(f"{code}\nprint(*sorted({{*{modules!r}}} & {{*sys.modules}}))").split()
