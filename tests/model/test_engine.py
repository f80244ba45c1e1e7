"""The engine's libraries: what is missing, damaged or another version's is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from r3mem_agents.errors import EngineError
from r3mem_agents.model.native import library
from r3mem_agents.model.native.library import Library


def test_a_library_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    there, wanted = library.VERSION, library.VERSION + 1
    monkeypatch.setattr(library, "VERSION", wanted)
    with pytest.raises(
        EngineError, match=rf"portable\.\w+ is of version {there} .* needs {wanted}"
    ):
        Library("portable")


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_without_a_library_the_ways_out_are_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_FOLDER", tmp_path)
    if content is not None:
        (tmp_path / f"portable{library._SUFFIX}").write_bytes(content)
    with pytest.raises(EngineError, match="a wheel for this platform, or from its source"):
        library.runnable.__wrapped__()
