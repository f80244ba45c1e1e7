"""How the engine is loaded, and what threads it computes with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from r3mem_agents.errors import EngineError
from r3mem_agents.model.native import library as loading
from r3mem_agents.model.native.library import KERNELS, VERSION, Library, library, pointer, runnable
from tests.new_process import run

AT_EXIT = """
import atexit
from r3mem_agents.model import ReversibleModel
from r3mem_agents.model.native import threads

threads.allowed = lambda: 3
texts = [f"Turn {n}: I saw {n} gulls over the harbour, she said." for n in range(60)]
model = ReversibleModel.from_pretrained("tests/golden/tiny")
atexit.register(lambda: print(model.expand(model.compress(texts)) == texts))
"""


def test_a_model_computes_until_python_exits() -> None:
    """When no thread can be started any more, too: hosts save what they have at the very end."""
    assert run(AT_EXIT).strip() == "True"


def test_the_fastest_kernel_that_runs_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("R3MEM_KERNEL", raising=False)
    library.cache_clear()
    assert library().kernel == runnable()[0]
    assert runnable()[-1] == "portable"
    assert runnable() == sorted(runnable(), key=list(KERNELS).index)


def test_another_kernel_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R3MEM_KERNEL", "portable")
    library.cache_clear()
    assert library().kernel == "portable"
    library.cache_clear()


@pytest.mark.parametrize("name", ["nonsense", "../portable", "avx2", "neon"])
def test_a_kernel_that_this_processor_does_not_run_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "runnable", lambda: ["portable"])
    monkeypatch.setenv("R3MEM_KERNEL", name)
    library.cache_clear()
    with pytest.raises(EngineError, match=rf"no kernel '{name}' .* one of portable, or not"):
        library()


def test_a_missing_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_FOLDER", tmp_path)
    with pytest.raises(EngineError, match=r"from a wheel .* or from its source"):
        Library("portable")


def test_a_library_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "VERSION", VERSION + 1)
    with pytest.raises(EngineError, match=f"version {VERSION} .* needs {VERSION + 1}"):
        Library("portable")


@pytest.mark.parametrize("size", [0, 1, 7, 128, 300])
def test_checksums_see_any_change_within_a_word_and_are_those_of_every_kernel(size: int) -> None:
    random = np.random.default_rng(size)
    data = random.integers(0, 256, size, np.uint8)

    def checksum(before: int, kernel: str = "portable") -> int:
        return int(Library(kernel).calls.r3_checksum(before, pointer(data), len(data)))

    whole = checksum(5)
    assert {checksum(5, kernel) for kernel in runnable()} == {whole}
    found = {whole, checksum(4), checksum(whole)}
    for place in range(size):
        for change in (1, 128, 255):
            data[place] ^= change
            found.add(checksum(5))
            data[place] ^= change
    assert len(found) == 3 + 3 * size
    data = np.append(data, np.uint8(0))
    assert checksum(5) != whole
