"""The picture of the scale benchmark: lookups and memory by turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.canvas import GRID, canvas, tidy
from benchmarks.recall.systems.names import BM25, COLOURS, MINILM, OURS


def plot(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw both curves on logarithmic axes, as PNG.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    figure = canvas(10.0, 4.4)
    left, right = figure.subplots(1, 2)
    panels: list[tuple[Any, str, Callable[[Mapping[str, Any]], float]]] = [
        (left, "median lookup of 5 turns, ms", lambda one: one["lookup_ms"]["p50"]),
        (right, "peak memory of the process, MB", lambda one: one["peak_memory_bytes"] / 1e6),
    ]
    for axes, title, value in panels:
        for name in (OURS, BM25, MINILM):
            points = [
                (row["turns"], value(row[name]))
                for row in figures["one_user"]
                if name in row and row[name]["lookup_ms"] and row[name]["peak_memory_bytes"]
            ]
            axes.plot(*zip(*points, strict=True), color=COLOURS[name], marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("turns of one user")
        axes.set_title(title, loc="left", fontsize=10)
        axes.grid(color=GRID)
        tidy(axes)
    left.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)
