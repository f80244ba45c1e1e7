from __future__ import annotations

import subprocess
import sys

import pytest

import r3mem_agents


def test_exports_are_sorted_and_there() -> None:
    assert r3mem_agents.__all__ == sorted(r3mem_agents.__all__)
    for name in r3mem_agents.__all__:
        assert getattr(r3mem_agents, name) is not None
    assert dir(r3mem_agents) == r3mem_agents.__all__


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Compressive'"):
        r3mem_agents.Compressive  # noqa: B018


def test_import_is_light() -> None:
    code = (
        "import sys, r3mem_agents; r3mem_agents.Turn;"
        "print([m for m in ('torch', 'numpy', 'sqlalchemy', 'Stemmer') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_memory_is_loaded_without_torch() -> None:
    code = "import sys; from r3mem_agents import CompressiveMemory; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
