"""What a text costs as memory tokens, token by token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Explanation:
    """The cost of each token of a text.

    Attributes:
        tokens: Bytes of each token.
        rounds: Round that fills it in.
        bits: Its cost in the stream.
        inferred: Whether it was the model's first prediction.
    """

    tokens: list[bytes]
    rounds: NDArray[np.int64]
    bits: NDArray[np.float64]
    inferred: NDArray[np.bool_]
