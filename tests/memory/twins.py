"""Two empty memories with one secret, so that the same turns have the same terms in both."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory
from tests.conftest import OpenMemory


def twins(open_memory: OpenMemory, **options: Any) -> tuple[CompressiveMemory, CompressiveMemory]:
    """Open them; otherwise sums of evidence differ in their last digits, by the order of terms."""
    first = open_memory(name="first.db", **options)
    first.close()
    path = Path(first.location)
    shutil.copy(path, path.with_name("second.db"))
    return open_memory(name="first.db", **options), open_memory(name="second.db", **options)
