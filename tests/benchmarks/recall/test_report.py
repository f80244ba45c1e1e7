from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.recall import plot, report
from benchmarks.recall.conversations import Question
from benchmarks.recall.figures.run import Run
from benchmarks.recall.figures.summary import summarize
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import plan
from benchmarks.recall.systems.names import NAMES, OURS
from tests.benchmarks.recall.talks import TALKS, count_words


def _shown(figures: dict[str, Any]) -> list[str]:
    console = Console(width=110, record=True, file=io.StringIO())
    report.show(console, figures)
    return console.export_text().splitlines()


def test_tables_fit_and_say_who_always_answers(tmp_path: Path) -> None:
    names = ["a rather long category", *(f"category {n}" for n in range(12))]
    questions = tuple(
        Question(question=f"{name}?", gold=("t0", "t1"), category=name) for name in names
    ) + (Question(question="None?", answerable=False),)
    talks = [
        TALKS[0].model_copy(update={"questions": questions, "source": source})
        for source in ("english", "german", "german")
    ]
    asks = plan(talks, 0)
    eager = Measured(rankings=[[("t0", 1.0)] for _ in asks], elsewhere=[0.5] * len(asks))
    picky = Measured(
        rankings=[[("t0", 1.0)] if ask.question.answerable else [] for ask in asks],
        elsewhere=[None] * len(asks),
    )
    measured = {name: picky if name == OURS else eager for name in NAMES}
    figures = summarize(Run(talks, asks, measured, 0), count_words)
    lines = _shown(figures)
    assert "…" not in "".join(lines)
    silence = lines[next(n for n, line in enumerate(lines) if "Silence: " in line) :]
    said = {name: next(line for line in silence if line.startswith(f"│ {name} ")) for name in NAMES}
    assert said[OURS].count("100.0%") == 3  # answered, and silent of both kinds
    assert all("always answers" in said[name] for name in NAMES if name != OURS)
    assert any("german" in line and "100% of 2" in line for line in silence)
    plot.plot(tmp_path / "recall.png", figures)
    assert (tmp_path / "recall.png").read_bytes().startswith(b"\x89PNG")


def test_gold_and_rivals_have_a_table() -> None:
    questions = (
        Question(question="Now?", gold=("t1",), rivals=("t0",), category="present"),
        Question(question="Today?", gold=("t1",), rivals=("t0",), category="present"),
    )
    talks = [TALKS[0].model_copy(update={"questions": questions})]
    measured = {OURS: Measured(rankings=[[("t1", 2.0), ("t0", 1.0)], []], elsewhere=[None] * 2)}
    figures = summarize(Run(talks, plan(talks, 0), measured, 0), count_words)
    shown = _shown(figures)
    table = shown[next(n for n, line in enumerate(shown) if "before their rivals" in line) :]
    row = next(line for line in table if line.startswith("│ present "))
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["2", "0.500"]
