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


@pytest.mark.parametrize("named", ["no-such-compiler -O3", '"cc'])
def test_a_compiler_that_is_none_is_named(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", named)
    with pytest.raises(SystemExit, match=re.escape(named.split()[0])):
        build.build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_target_is_refused_by_those_that_are_known() -> None:
    with pytest.raises(SystemExit, match="'beos'.*linux-x86_64.*windows-x86_64"):
        build.target_of("beos")


def test_a_user_without_a_home_has_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zig stops without one; in a container, or as a service, nobody may have a home."""
    telling = (
        "import os, sys; made = sys.argv[sys.argv.index('-o') + 1]\n"
        "open(made, 'w').write(os.environ.get('ZIG_GLOBAL_CACHE_DIR', 'none'))"
    )
    monkeypatch.setenv("CC", shlex.join([sys.executable, "-S", "-c", telling]))
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "one.c").touch()
    for name in ("XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def caches() -> set[str]:
        return {path.read_text() for path in build.build(tmp_path)}

    (own,) = caches()  # one for all kernels
    assert own != "none"
    assert not Path(own).exists()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert caches() == {"none"}
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    assert caches() not in ({own}, {"none"})
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", "theirs")
    assert caches() == {"theirs"}
