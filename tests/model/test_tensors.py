"""Laws of tensors that are mapped from their file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from r3mem_agents.model.tensors import let_go, mapped

MEBIBYTE = 1 << 20


def _mapped_bytes() -> int:
    """Memory that mapped files of this process take."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(fields["RssFile"].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what mapped files take")
def test_what_was_read_is_let_go_and_read_again(tmp_path: Path) -> None:
    numbers = np.arange(2 * MEBIBYTE, dtype=np.int64)
    save_file({"numbers": numbers}, tmp_path / "x.safetensors")
    held = mapped(tmp_path / "x.safetensors")
    assert (held["numbers"] == numbers).all()
    before = _mapped_bytes()
    let_go(held)
    assert before - _mapped_bytes() > 12 * MEBIBYTE
    assert (held["numbers"] == numbers).all()


def test_tensors_in_memory_are_left_alone() -> None:
    numbers = np.arange(3)
    let_go({"numbers": numbers})
    assert numbers.tolist() == [0, 1, 2]
