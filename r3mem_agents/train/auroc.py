"""The area under an ROC curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auroc(positive: ArrayLike, negative: ArrayLike) -> float | None:
    """Share of pairs whose positive scores higher, ties counting half; ``None`` without pairs."""
    upper, lower = np.asarray(positive, float), np.sort(np.asarray(negative, float))
    if not len(upper) or not len(lower):
        return None
    below = np.searchsorted(lower, upper, "left") + np.searchsorted(lower, upper, "right")
    return float(below.mean() / 2 / len(lower))
