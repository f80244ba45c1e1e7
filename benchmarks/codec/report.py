"""The tables and the picture of the codec benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.canvas import GRID, canvas, tidy
from benchmarks.codec.measure import (
    OURS,
    OURS_WITH_GIST,
    PACKED,
    STATIC,
    TARGET_RANGE,
    Measurement,
    by_turn_size,
)

EDGES = (1, 25, 50, 100, 150, 250, 500, 1000, 1_000_000_000)
"""Bins of turn size in bytes; chosen."""

SHORT = {
    OURS_WITH_GIST: "+ gist",
    STATIC: "static",
    PACKED: "packed",
    "zstd-19": "zstd",
    "zstd-19 + dictionary": "zstd + dict",
    "brotli-11": "brotli",
}
"""Short names of coders."""

STYLES: Mapping[str, tuple[str, str, float]] = {
    OURS: ("#C8382E", "-", 2.8),
    OURS_WITH_GIST: ("#C8382E", ":", 2.0),
    STATIC: ("#22262B", "--", 1.8),
    PACKED: ("#8A9099", "--", 1.5),
    "zstd-19": ("#B279A2", "-", 1.4),
    "zstd-19 + dictionary": ("#4C78A8", "-", 1.4),
    "brotli-11": ("#5BA38B", "-", 1.4),
}


def show(console: Console, figures: Mapping[str, Any]) -> None:
    """Print the tables."""
    low, high = TARGET_RANGE
    table = Table(
        title=f"Bytes per byte of text: {figures['turns']:,} turns, "
        f"{figures['text_bytes']:,} bytes, {figures['tokens']:,} tokens",
        title_justify="left",
    )
    table.add_column("coder")
    for column in ("bytes", "all turns", f"{low} to {high} bytes", "bits per token"):
        table.add_column(column, justify="right")
    in_range = figures[f"ratio_{low}_to_{high}_bytes"]
    for name, size in figures["bytes"].items():
        table.add_row(
            name,
            f"{size:,}",
            number(figures["ratio"][name]),
            number(in_range[name]),
            number(figures["bits_per_token"][name], 2),
            style="bold" if name == OURS else "",
        )
    console.print(table)
    _show_sources(console, figures)
    _show_rounds(console, figures)
    wins = figures["share_smaller_than_static_coder"]
    console.print(
        f"exact: {figures['turns_byte_exact']:,} of {figures['turns']:,} turns\n"
        f"smaller than the static coder: {percent(wins)} of the "
        f"{figures[f'turns_of_{low}_bytes_and_more']:,} turns of {low} bytes and more\n"
        f"fall-backs: of {figures['segments']:,} segments "
        f"{percent(figures['segments_packed_share'])} packed, "
        f"{percent(figures['segments_literal_share'])} literal\n"
        f"speed: compress {figures['compress_tokens_per_s'] or 0:,.0f}, "
        f"expand {figures['expand_tokens_per_s'] or 0:,.0f} tokens/s",
        soft_wrap=True,
    )


def _show_sources(console: Console, figures: Mapping[str, Any]) -> None:
    by_source = figures["ratio_by_source"]
    names = [name for name in STYLES if name in figures["bytes"]]
    table = Table(title="Bytes per byte of text, by data set", title_justify="left")
    table.add_column("data set", overflow="fold")
    for name in names:
        table.add_column(SHORT.get(name, name), justify="right")
    for source, ratios in by_source.items():
        table.add_row(source, *(number(ratios[name]) for name in names))
    console.print(table)


def _show_rounds(console: Console, figures: Mapping[str, Any]) -> None:
    table = Table(title="By round of the expansion", title_justify="left")
    for column in ("round", "tokens", "bits per token", "inferred"):
        table.add_column(column, justify="right")
    for row in figures["rounds"]:
        table.add_row(
            str(row["round"]),
            f"{row['tokens']:,}",
            number(row["bits_per_token"], 2),
            percent(row["inferred_share"]),
        )
    console.print(table)


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure with a number of digits, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """Return a share in percent, or a dash."""
    return "-" if value is None else f"{value:.1%}"


def plot(path: Path, result: Measurement, turns: int) -> None:
    """Draw bytes per byte of text by turn size, for us and the peers, as PNG.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    ratios = by_turn_size(result, EDGES)
    used = [bin_ for bin_ in range(len(EDGES) - 1) if ratios[OURS][bin_] is not None]
    labels = [_bin_label(bin_) for bin_ in used]
    figure = canvas(10.5, 6.0)
    axes = figure.subplots()
    for name, (colour, line, width) in STYLES.items():
        if name not in ratios:
            continue
        axes.plot(
            range(len(used)),
            [ratios[name][bin_] or 0.0 for bin_ in used],
            color=colour,
            linestyle=line,
            linewidth=width,
            marker="o",
            markersize=4,
            label=name,
        )
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 1.4)
    axes.set_xlabel("bytes of the turn")
    axes.set_ylabel("stored bytes per byte of text")
    axes.set_title(
        f"What a turn costs: {turns:,} held-out turns, each stored alone",
        loc="left",
        fontsize=13,
        fontweight="bold",
    )
    axes.grid(axis="y", color=GRID)
    tidy(axes)
    axes.legend(frameon=False, ncols=2)
    figure.tight_layout()
    figure.savefig(path)


def _bin_label(bin_: int) -> str:
    low, high = EDGES[bin_], EDGES[bin_ + 1]
    return f"{low:,} and more" if high == EDGES[-1] else f"{low} to {high - 1}"
