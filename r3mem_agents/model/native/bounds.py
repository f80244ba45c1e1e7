"""Bounds of what the engine is handed: it looks none of it up again, and reads where it points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.predictions import Integers


def whole(values: NDArray[Any], least: int, most: int, what: str) -> Integers:
    """Numbers as the engine reads them: int64, one after the other.

    Args:
        values: Integers.
        least: Smallest that the engine knows.
        most: Largest.
        what: What they are, for the error.

    Raises:
        InvalidInputError: One of them is out of bounds.
    """
    if values.size and not least <= int(values.min()) <= int(values.max()) <= most:
        raise InvalidInputError(
            f"{what} from {values.min()} to {values.max()}, where the model takes {least} to {most}"
        )
    return np.ascontiguousarray(values, np.int64)


def shaped(values: NDArray[Any], shape: tuple[int, ...], what: str) -> None:
    """Refuse an array of another shape than the counts beside it say.

    Raises:
        InvalidInputError: It names both.
    """
    if values.shape != shape:
        raise InvalidInputError(f"{what} of shape {values.shape}, where {shape} belongs")
