"""The record of a training of memory tokens, and a plot of it."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from r3mem_agents.errors import MissingExtraError
from r3mem_agents.train.record import Record

FILE = "record.json"

NATS = {
    "none": "no history",
    "raw": "its last tokens",
    "memory": "memory tokens",
    "beside": "both",
    "full": "the whole history",
}
SHARES = {"share": "of the whole history's gain", "share_beside": "of what last tokens leave"}
COLOURS = ("#8a8a8a", "#9db4c8", "#1f4e79", "#5b8c5a", "#c8553d")


def peak_memory_gb() -> float:
    """The most memory that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


def write(folder: Path, record: Record) -> None:
    """Write the record into the folder of a run."""
    (folder / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def draw(curve: list[dict[str, Any]], path: Path) -> None:
    """Plot the held-out figures of a curve as a PNG.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    measured = [point for point in curve if "held_out" in point]
    seen = [point["tokens"] / 1e6 for point in measured]
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, lines, title, unit in (
        (left, NATS, "held-out texts, after", "nats a token"),
        (right, SHARES, "what memory tokens keep", "share"),
    ):
        for (name, label), colour in zip(lines.items(), COLOURS, strict=False):
            axes.plot(
                seen,
                [point["held_out"][name] for point in measured],
                color=colour, marker="o", markersize=3, label=label,
            )  # fmt: skip
        axes.set(title=title, xlabel="million tokens read", ylabel=unit)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
