"""The picture of ``r3mem bench recall``: recall by depth, and by category."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from r3mem_agents.bench.canvas import GRID, canvas, tidy
from r3mem_agents.bench.recall.figures import HEADLINE
from r3mem_agents.bench.recall.plan import DEPTHS
from r3mem_agents.bench.recall.systems import BM25, BOTH, MEM0, OURS, VECTORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    OURS: "#C8382E",
    BOTH: "#22262B",
    BM25: "#4C78A8",
    VECTORS: "#5BA38B",
    MEM0: "#B279A2",
}

GROUP_WIDTH = 0.8
"""Of the distance between two groups of bars."""


def plot(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw the systems side by side, with their intervals, as PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = canvas(11.5, 5.0)
    left, right = figure.subplots(1, 2, width_ratios=(2, 3), sharey=True)
    _by_depth(left, figures)
    _by_category(right, figures)
    for axes in (left, right):
        axes.set_ylim(0, 1)
        axes.grid(axis="y", color=GRID)
        tidy(axes)
    left.set_ylabel("share of gold turns found")
    left.legend(frameon=False, loc="upper left")
    counted = sum(figures["questions_counted"].values())
    figure.suptitle(
        f"Do lookups find the turns that answer? {counted:,} questions, {figures['turns']:,} turns",
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
    )
    figure.tight_layout()
    figure.savefig(path)


def _by_depth(axes: Axes, figures: Mapping[str, Any]) -> None:
    places = range(len(DEPTHS))
    for system, row in figures["systems"].items():
        points = [row["overall"][f"recall@{k}"] for k in DEPTHS]
        axes.plot(
            places,
            [point["value"] for point in points],
            color=COLOURS[system],
            linewidth=2.6 if system == OURS else 1.6,
            marker="o",
            markersize=4,
            label=system,
        )
        axes.fill_between(
            places,
            [point["low"] for point in points],
            [point["high"] for point in points],
            color=COLOURS[system],
            alpha=0.12,
            linewidth=0,
        )
    axes.set_xticks(places, [str(k) for k in DEPTHS])
    axes.set_xlabel("turns returned")
    axes.set_title("all questions, with 95% intervals", loc="left", fontsize=10)


def _by_category(axes: Axes, figures: Mapping[str, Any]) -> None:
    counts = figures["questions_counted"]
    systems = figures["systems"]
    width = GROUP_WIDTH / len(systems)
    for place, (system, row) in enumerate(systems.items()):
        points = [row["by_category"][name][HEADLINE] for name in counts]
        values = [point["value"] for point in points]
        axes.bar(
            [group + (place + 0.5) * width - GROUP_WIDTH / 2 for group in range(len(counts))],
            values,
            width=0.9 * width,
            color=COLOURS[system],
            yerr=[
                [value - point["low"] for value, point in zip(values, points, strict=True)],
                [point["high"] - value for value, point in zip(values, points, strict=True)],
            ],
            error_kw={"elinewidth": 0.8, "ecolor": "#6B7178"},
        )
    axes.set_xticks(range(len(counts)), [f"{name}\n({n:,})" for name, n in counts.items()])
    axes.set_title(f"{HEADLINE} by category (questions)", loc="left", fontsize=10)
