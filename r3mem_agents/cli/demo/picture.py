"""The plot of a memory: the cost of each turn, and which turns were recalled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from r3mem_agents.cli.demo.run import Answer
from r3mem_agents.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from r3mem_agents.cli.demo.costs import TurnCost

COLOURS = ("#4C78A8", "#72B7B2", "#B279A2", "#E0A458")
"""One per meeting, in turn."""

INK, SOFT, MARK = "#22262B", "#8A9099", "#C8382E"

LABEL_CHARACTERS = 76
LABEL_SHARE = 0.4
"""Room that the label of a row takes: so many characters, about this share of the width."""

HEADROOM = 1.28
"""End of the axis, in multiples of the bits of a packed token id; chosen."""

SIZE_INCHES = (13.0, 6.4)
DOTS_PER_INCH = 150


def draw(
    path: Path,
    costs: list[TurnCost],
    answers: list[Answer],
    *,
    packed_bits: float,
    static_bits: float,
) -> None:
    """Draw bits per token along the conversation and save it as PNG.

    Each bar is a turn: its width is the number of tokens, its height the bits per token, so its
    area is the cost of the turn. Above the bars is a numbered row for each question, with the turns
    that were recalled for it.

    Args:
        path: File to write.
        costs: Costs of the turns, in order.
        answers: The questions to mark, in order.
        packed_bits: Bits per token of packed token ids, drawn as a line.
        static_bits: Bits per token of the static entropy coder, drawn as a line.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    rows, axes = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [max(len(answers), 1), 8], "hspace": 0.06}
    )
    figure.subplots_adjust(left=0.06, right=0.985, top=0.86, bottom=0.095)
    tokens = sum(cost.tokens for cost in costs)
    mean = sum(cost.bits for cost in costs) / max(tokens, 1)
    ceiling = HEADROOM * packed_bits
    clipped = sum(cost.bits_per_token > ceiling for cost in costs)
    _titles(rows, len(costs), tokens, mean, clipped)
    centres = _bars(axes, costs, answers, ceiling)
    _lines(axes, tokens, packed_bits, static_bits, mean)
    _marks(rows, centres, answers, tokens)
    figure.savefig(path, dpi=DOTS_PER_INCH)


def _titles(axes: Axes, turns: int, tokens: int, mean: float, clipped: int) -> None:
    figure = axes.figure
    cut = f" Cut off at the top: {clipped}." if clipped else ""
    figure.text(0.06, 0.945, "A memory, turn by turn", fontsize=17, fontweight="bold", color=INK)
    figure.text(
        0.06,
        0.9,
        f"{turns:,} turns, {tokens:,} tokens, {mean:.2f} bits stored per token on average. "
        f"A bar is a turn: its width is its tokens, its area what it costs.{cut}",
        fontsize=10.5,
        color=SOFT,
    )


def _bars(
    axes: Axes, costs: list[TurnCost], answers: list[Answer], ceiling: float
) -> dict[str, float]:
    """Draw the bars; returns the middle of each turn, by its ``id``."""
    recalled = {hit.turn.metadata.get("id") for answer in answers for hit in answer.hits}
    centres: dict[str, float] = {}
    left = 0
    meeting_start: dict[int, int] = {}
    for cost in costs:
        facts = cost.turn.metadata or {}
        meeting = int(facts["meeting"])
        if meeting not in meeting_start:
            meeting_start[meeting] = left
            axes.axvline(left, color="white", linewidth=1.5)
        picked = facts["id"] in recalled
        axes.bar(
            left,
            min(cost.bits_per_token, ceiling),
            width=cost.tokens,
            align="edge",
            color=COLOURS[(meeting - 1) % len(COLOURS)],
            alpha=1.0 if picked else 0.45,
            edgecolor="none",
            linewidth=0,
        )
        centres[facts["id"]] = left + cost.tokens / 2
        left += cost.tokens
    ends = [*list(meeting_start.values())[1:], left]
    for (meeting, start), end in zip(meeting_start.items(), ends, strict=True):
        axes.annotate(
            f"meeting {meeting}",
            ((start + end) / 2, 0),
            xytext=(0, 9),
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
            ha="center",
            color=INK,
            fontsize=11,
            fontweight="bold",
        )
    axes.set_xlim(0, max(left, 1))
    axes.set_ylim(0, ceiling)
    return centres


def _lines(axes: Axes, tokens: int, packed: float, static: float, mean: float) -> None:
    axes.set_ylabel("bits per token", color=INK)
    axes.set_xlabel("tokens of the conversation", color=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.tick_params(colors=SOFT, labelsize=9, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5}
    for height, label, colour in (
        (packed, f"token ids packed: {packed:.1f}", SOFT),
        (static, f"static entropy coder: {static:.1f}", SOFT),
        (mean, f"this memory: {mean:.1f}", INK),
    ):
        axes.axhline(height, color=colour, linewidth=1.1, linestyle=(0, (5, 3)))
        axes.annotate(
            label,
            (tokens, height),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=9.5,
            color=colour,
            bbox=box,
        )


def _marks(axes: Axes, centres: dict[str, float], answers: list[Answer], tokens: int) -> None:
    """Mark the recalled turns: a row per question, filled where the turn answers it."""
    axes.set_ylim(len(answers) + 0.6, 0.4)
    axes.set_yticks(range(1, len(answers) + 1), [f"Q{i}" for i in range(1, len(answers) + 1)])
    axes.tick_params(colors=INK, length=0, labelsize=10, labelbottom=False)
    for side in axes.spines.values():
        side.set_visible(False)
    for row, answer in enumerate(answers, 1):
        axes.axhline(row, color="#E7E9EC", linewidth=0.8, zorder=0)
        marks = [(centres[hit.turn.metadata["id"]], answer.is_gold(hit)) for hit in answer.hits]
        _label_row(axes, row, answer.question.text, [x for x, _ in marks], tokens)
        for x, gold in sorted(marks, key=lambda mark: mark[1]):
            axes.plot(
                x,
                row,
                marker="o",
                markersize=6.5,
                markerfacecolor=MARK if gold else "white",
                markeredgecolor=MARK,
                markeredgewidth=1.1,
                linestyle="none",
                zorder=3,
            )
    axes.annotate(
        "recalled turns:  ● answers the question   ○ does not",
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        ha="right",
        fontsize=9.5,
        color=MARK,
    )


def _label_row(axes: Axes, row: int, question: str, marks: list[float], tokens: int) -> None:
    """Write the question on its row, at the end with fewer marks in the way."""
    room = LABEL_SHARE * tokens
    left = sum(x < room for x in marks)
    right = sum(x > tokens - room for x in marks)
    axes.annotate(
        question if len(question) <= LABEL_CHARACTERS else question[: LABEL_CHARACTERS - 1] + "…",
        (1, row) if right < left else (0, row),
        xycoords=("axes fraction", "data"),
        xytext=(-6 if right < left else 6, 0),
        textcoords="offset points",
        ha="right" if right < left else "left",
        va="center",
        fontsize=8.5,
        color=SOFT,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        zorder=1,
    )
