"""The picture of ``r3mem bench scale``: lookups and memory by turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from r3mem_agents.errors import MissingExtraError

SYSTEMS = {"r3mem": "#C8382E", "bm25": "#4C78A8", "minilm": "#5BA38B"}
"""The systems with their colours, those of ``r3mem bench recall``."""


def plot(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw both curves on logarithmic axes, as PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "bench") from error

    figure = Figure(figsize=(10.0, 4.4), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    panels: list[tuple[Any, str, Callable[[Mapping[str, Any]], float]]] = [
        (left, "median lookup of 5 turns, ms", lambda one: one["lookup_ms"]["p50"]),
        (right, "peak memory of the process, MB", lambda one: one["peak_memory_bytes"] / 1e6),
    ]
    for axes, title, value in panels:
        for name, colour in SYSTEMS.items():
            points = [
                (row["turns"], value(row[name]))
                for row in figures["one_user"]
                if name in row and row[name]["lookup_ms"] and row[name]["peak_memory_bytes"]
            ]
            axes.plot(*zip(*points, strict=True), color=colour, marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("turns of one user")
        axes.set_title(title, loc="left", fontsize=10)
        axes.grid(color="#E7E9EC")
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    left.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)
