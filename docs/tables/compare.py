"""Tables of this build beside an earlier one, and of its lookups beside peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from docs.tables.results import Cells, figures, megabytes, ms, record

MODES = {"all_instructions": "with VNNI", "without_vnni": "without VNNI"}

SYSTEMS = {
    "fts5": "SQLite FTS5, plain text in a file",
    "bm25": "BM25 in memory",
    "minilm": "all-MiniLM-L6-v2 and numpy, in memory",
    "now": "**r3mem**",
    "earlier": "r3mem, the earlier build",
}


class Row(NamedTuple):
    """One line of the comparison.

    Attributes:
        label: What was measured.
        what: Its name in the result.
        shown: How an amount is written.
        targets: What was to be reached with VNNI and without.
    """

    label: str
    what: str
    shown: Callable[[Any], str]
    targets: tuple[str, str]


def rate(value: float) -> str:
    """An amount a second."""
    return f"{value:,.0f}/s"


def seconds(value: float) -> str:
    """A time in seconds."""
    return f"{value:.2f} s"


def rows() -> Iterator[Row]:
    """The lines of the comparison."""
    config = record("compare")["config"]
    third = ("1/3, aim 1/6", "1/3, aim 1/6")
    yield Row("expand a batch, tokens", "expand_tokens_per_s", rate, ("4, aim 8", "3, aim 5"))
    yield Row("the same, bytes of text", "expand_bytes_per_s", rate, ("-", "-"))
    yield Row(f"recall and expand 5 turns among {config['turns']:,}", "recall_ms", ms, third)
    yield Row("the same with the texts in the cache", "recall_again_ms", ms, ("-", "-"))
    yield Row("recall and expand 5 long turns of the meetings", "meetings_ms", ms, ("-", "-"))
    yield Row("the same with the texts in the cache", "meetings_again_ms", ms, ("-", "-"))
    yield Row("write one turn", "write_one_ms", ms, ("1/3", "1/3"))
    yield Row("write in batches, turns", "write_turns_per_s", rate, ("3", "3"))
    yield Row("`r3mem recall`, processor time", "shell_cpu_s", seconds, ("1/8", "1/8"))
    yield Row(
        f"open a file of {config['many']:,} turns, first lookup", "first_lookup_ms", ms,
        ("1/5", "1/5"),
    )  # fmt: skip
    yield Row(
        f"peak memory with {config['turns']:,} turns", "peak_bytes", megabytes, ("1/3", "1/3")
    )


def builds() -> Iterator[Cells]:
    """An earlier build and this one, and what was to be reached."""
    found = figures("compare")
    modes = [mode for mode in MODES if mode in found["modes"]]
    yield "", *(cell for mode in modes for cell in (MODES[mode], "times", "target"))
    for label, what, shown, targets in rows():
        yield (
            label,
            *(
                cell
                for mode in modes
                for cell in (*_change(found["modes"][mode][what], shown), targets[_place(mode)])
            ),
        )
    sizes = found["installed_bytes"]
    size = f"{megabytes(sizes['earlier'])} → {megabytes(sizes['now'])}"
    yield (
        "installed packages",
        *(cell for _ in modes for cell in (size, times(sizes["ratio"]), "1/6")),
    )


def peers() -> Iterator[Cells]:
    """Lookups of five long turns, by this build, the earlier one and others."""
    found = figures("compare")["modes"]
    modes = [mode for mode in MODES if mode in found]
    yield (
        "five turns of the demo's meetings",
        *(cell for mode in modes for cell in (MODES[mode], "times MiniLM")),
    )
    for name, label in SYSTEMS.items():
        yield label, *_beside(found, modes, "meetings_ms", name)
        if name == "now":
            yield (
                f"{label}, the texts in the cache",
                *_beside(found, modes, "meetings_again_ms", name),
            )


def times(ratio: float) -> str:
    """A multiple, or a part as a fraction."""
    return f"{ratio:.1f}" if ratio >= 1 else f"1/{1 / ratio:.1f}"


def _beside(found: Any, modes: list[str], what: str, name: str) -> Iterator[str]:
    for mode in modes:
        median = found[mode][what][name]["median"]
        yield ms(median)
        yield f"{median / found[mode]['meetings_ms']['minilm']['median']:.2f}"


def _change(row: Any, shown: Callable[[Any], str]) -> tuple[str, str]:
    earlier, now = (shown(row[name]["median"]) for name in ("earlier", "now"))
    return f"{earlier} → {now}", times(row["ratio"])


def _place(mode: str) -> int:
    return list(MODES).index(mode)
