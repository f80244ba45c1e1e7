"""The plot of the recall benchmark: systems side by side, by depth and by category."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.canvas import GRID, canvas, tidy
from benchmarks.recall.figures.summary import HEADLINE
from benchmarks.recall.plan import DEPTHS
from benchmarks.recall.systems.names import (
    COLOURS,
    OURS,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.34
"""Height of a category in inches."""

SPREAD = 0.7
"""Share of the distance between two categories over which the systems' points are spread."""


def plot(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw the systems side by side, with their intervals, as PNG.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    by_source = len(figures["questions_by_source"]) > 1
    label = "source" if by_source else "category"
    groups = figures["questions_by_source"] if by_source else figures["questions_counted"]
    figure = canvas(14.0, max(5.0, 1.6 + ROW * len(groups)))
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 3, 4))
    _overall(left, figures)
    _by_depth(middle, figures)
    _by_group(right, figures, label, groups)
    for axes in (left, middle, right):
        tidy(axes)
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


def _overall(axes: Axes, figures: Mapping[str, Any]) -> None:
    # A bar for the share of the gold turns, with marks for any and all of them.
    systems = list(figures["systems"])
    rows = [figures["systems"][name]["overall"] for name in systems]
    places = range(len(systems))
    shares = [row[HEADLINE] for row in rows]
    axes.barh(
        places,
        [one["value"] for one in shares],
        color=[COLOURS[name] for name in systems],
        height=0.62,
        xerr=[
            [one["value"] - one["low"] for one in shares],
            [one["high"] - one["value"] for one in shares],
        ],
        error_kw={"elinewidth": 0.9, "ecolor": "#6B7178"},
    )
    for metric, mark in (("any@5", ">"), ("all@5", "<")):
        axes.scatter(
            [row[metric]["value"] for row in rows],
            places,
            marker=mark,
            s=26,
            color="white",
            edgecolors="#22262B",
            zorder=3,
            label=metric,
        )
    axes.set_yticks(places, systems)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.grid(axis="x", color=GRID)
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    axes.set_title(f"{HEADLINE}, with 95% intervals", loc="left", fontsize=10)


def _by_depth(axes: Axes, figures: Mapping[str, Any]) -> None:
    places = range(len(DEPTHS))
    for system, row in figures["systems"].items():
        axes.plot(
            places,
            [row["overall"][f"recall@{k}"]["value"] for k in DEPTHS],
            color=COLOURS[system],
            linewidth=2.6 if system == OURS else 1.4,
            marker="o",
            markersize=3.5,
            label=system,
        )
    axes.set_xticks(places, [str(k) for k in DEPTHS])
    axes.set_xlabel("turns returned")
    axes.set_ylim(0, 1)
    axes.grid(axis="y", color=GRID)
    axes.legend(frameon=False, loc="upper left", fontsize=8)
    axes.set_title("share of gold turns found", loc="left", fontsize=10)


def _by_group(
    axes: Axes, figures: Mapping[str, Any], label: str, groups: Mapping[str, int]
) -> None:
    systems = figures["systems"]
    for place, (system, row) in enumerate(systems.items()):
        shift = SPREAD * ((place + 0.5) / len(systems) - 0.5)
        points = [row[f"by_{label}"][name][HEADLINE] for name in groups]
        axes.errorbar(
            [one["value"] for one in points],
            [number + shift for number in range(len(groups))],
            xerr=[
                [one["value"] - one["low"] for one in points],
                [one["high"] - one["value"] for one in points],
            ],
            fmt="o",
            markersize=5.5 if system == OURS else 3.5,
            elinewidth=0.8,
            color=COLOURS[system],
        )
    axes.set_yticks(range(len(groups)), [f"{name} ({n:,})" for name, n in groups.items()])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.grid(axis="x", color=GRID)
    axes.set_title(f"{HEADLINE} by {label} (questions)", loc="left", fontsize=10)
