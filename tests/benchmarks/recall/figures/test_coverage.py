from __future__ import annotations

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.figures.coverage import CONTEXT, coverage, written
from benchmarks.recall.figures.run import Run
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import Ask
from benchmarks.recall.systems.names import OURS
from tests.benchmarks.recall.talks import TALKS, count_words


def _line(number: int, text: str) -> SaidTurn:
    return TALKS[0].turns[0].model_copy(update={"id": f"t{number}", "text": text})


def test_coverage_by_hand() -> None:
    # a line is its text and three words more: date, time, speaker
    texts = ["a " * 496 + "end", "one two", "two", "three four five"]
    talk = TALKS[0].model_copy(
        update={
            "turns": tuple(_line(n, text.strip()) for n, text in enumerate(texts)),
            "questions": (TALKS[0].questions[0].model_copy(update={"gold": ("t1", "t2", "t3")}),),
        }
    )
    asks = [Ask(0, talk.questions[0], None, timed=False, filled=True)]
    ranking = [(id_, 1.0) for id_ in ("t0", "t1", "t3", "t2")]
    lines = [written(turn) for turn in talk.turns]
    mine = Measured(rankings=[ranking], elsewhere=[None])
    mine.contexts = {0: {500: lines[3], 1000: f"{lines[3]}\n{lines[1]}", 2000: "Nothing."}}
    figures = coverage(Run([talk], asks, {OURS: mine}, 0), count_words)
    # t2's text is part of t1's, so it does not count; 500 tokens are filled by t0
    assert figures["questions"] == 1
    found = {
        name: {int(budget): one["value"] for budget, one in row.items()}
        for name, row in figures["budgets"].items()
    }
    assert found == {
        OURS: {500: 0, 1000: 1, 2000: 1},
        f"{OURS} {CONTEXT}": {500: 0.5, 1000: 1, 2000: 0},
    }
