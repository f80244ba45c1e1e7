"""Errors of the benchmarks, beside those of the package."""

from __future__ import annotations

from r3mem_agents.errors import R3MemError


class BenchmarkError(R3MemError):
    """A system under a benchmark that did not finish."""


class MissingPackageError(R3MemError, ImportError):
    """A package of a dependency group that is not installed."""

    def __init__(self, package: str, group: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install --group {group}")
