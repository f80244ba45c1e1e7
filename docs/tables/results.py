"""The committed results, and how their figures are written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent

Cells = Iterable[str]
"""One row of a table."""


@cache
def figures(result: str) -> Any:
    """The figures of one result."""
    return record(result)["figures"]


@cache
def record(result: str) -> Any:
    """One result: figures, and what they were measured with."""
    return json.loads((DOCS / "results" / f"{result}.json").read_text(encoding="utf-8"))


def ms(milliseconds: float) -> str:
    """A time, with a decimal if it is a short one."""
    return f"{milliseconds:,.{1 if milliseconds < 10 else 0}f} ms"


def megabytes(size: int, decimals: int = 0) -> str:
    """A size in units of a million bytes."""
    return f"{size / 1e6:,.{decimals}f} MB"
