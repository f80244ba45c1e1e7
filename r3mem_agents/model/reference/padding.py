"""From rows of several lengths to batches of tensors, and back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.predictions import Integers

ROWS_AT_ONCE = 16
"""Size of batches whose intermediate tensors malloc keeps, instead of mapping and faulting them in
anew each time (docs/LOG.md, 2026-11-21, "Small batches")."""


def padded(flat: Integers, count: Integers, padding: int = 0) -> Integers:
    """Rows that stand one after the other, as a rectangle.

    Args:
        flat: ``(sum of count,)``.
        count: ``(rows,)``.
        padding: What fills rows up.

    Returns:
        ``(rows, largest count)``.
    """
    inside = inside_of(count)
    found = np.full(inside.shape, padding, np.int64)
    found[inside] = flat
    return found


def inside_of(count: Integers) -> NDArray[np.bool_]:
    """What is no padding, ``(rows, largest count)``."""
    return np.asarray(np.arange(count.max(initial=0)) < count[:, None])


def batches(count: Integers) -> Iterator[Integers]:
    """Rows of similar length together, so that little is padded."""
    order = np.argsort(count, kind="stable")
    for start in range(0, len(order), ROWS_AT_ONCE):
        yield order[start : start + ROWS_AT_ONCE]
