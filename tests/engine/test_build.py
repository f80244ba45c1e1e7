"""How the engine is compiled: what goes wrong is said."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from engine import build


def test_a_compiler_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = shlex.join([sys.executable, "-c", "raise SystemExit(1)"])
    monkeypatch.setenv("CC", failing)
    with pytest.raises(SystemExit, match=f"was not compiled.*{re.escape(failing)}"):
        build.build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_compiler_the_ways_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="install one, or `pip install ziglang`"):
        build.build(tmp_path / "libraries")
