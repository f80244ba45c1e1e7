"""One run of the benchmark: what all figures are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.recall.conversations import Conversation
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import Ask


class Run(NamedTuple):
    """One run of the benchmark.

    Attributes:
        conversations: The data.
        asks: The questions put.
        measured: The measurement of each system.
        seed: Seed of the bootstrap.
    """

    conversations: Sequence[Conversation]
    asks: Sequence[Ask]
    measured: Mapping[str, Measured]
    seed: int
