from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from benchmarks.recall.figures.run import Run
from benchmarks.recall.figures.summary import summarize
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import plan
from benchmarks.recall.systems.names import BM25, OURS
from tests.benchmarks.recall.talks import TALKS, count_words


def test_figures_by_hand() -> None:
    asks = [replace(ask, filled=False) for ask in plan(TALKS, 0)]
    # gold: t0; t1 and t2; t3; none; t0; t2
    rankings = [
        [("t0", 0.9)],
        [("t4", 0.8), ("t2", 0.7)],
        [],
        [("t1", 0.3)],
        [("t1", 0.5), ("t2", 0.4), ("t0", 0.2)],
        [("t2", 0.2)],
    ]
    elsewhere = [0.1, None, 0.95, None, None, 0.1]
    mine = Measured(2.0, [3.0, 1.0, 2.0], 1000, 5000, rankings, elsewhere)
    mine.ablations = {"without gist": [["t0"], ["t1"], [], ["t0"], []]}
    peer = Measured(rankings=[[]] * 6, elsewhere=[None] * 6)
    figures = summarize(Run(TALKS, asks, {OURS: mine, BM25: peer}, 0), count_words)

    assert figures["questions_counted"] == {"fact": 3, "place": 1, "uncategorized": 1}
    assert (figures["turns"], figures["questions"]) == (8, 6)
    assert figures["questions_unanswerable"] == 1
    row = figures["systems"][OURS]
    overall = {name: one["value"] for name, one in row["overall"].items()}
    assert overall["recall@1"] == pytest.approx(2 / 5)
    assert overall["recall@5"] == pytest.approx((1 + 0.5 + 0 + 1 + 1) / 5)
    assert overall["any@5"] == pytest.approx(4 / 5)
    assert overall["all@5"] == pytest.approx(3 / 5)
    assert (overall["any@1"], overall["all@1"]) == (pytest.approx(2 / 5), pytest.approx(2 / 5))
    assert overall["mrr"] == pytest.approx((1 + 1 / 2 + 0 + 1 / 3 + 1) / 5, abs=1e-5)
    fact = row["by_category"]["fact"]["recall@5"]
    assert fact["value"] == pytest.approx((1 + 0.5 + 1) / 3, abs=1e-5)
    assert fact["low"] <= fact["value"] <= fact["high"]
    assert row["by_category"]["place"]["any@20"] == {"value": 0, "low": 0, "high": 0}
    assert figures["questions_by_source"] == {"data": 5}
    assert row["by_source"]["data"] == row["overall"]
    assert row["lookup_ms"] == {"p50": 2.0, "p95": 3.0}
    assert row["write_turns_per_s"] == 4.0
    assert (row["disk_bytes"], row["peak_memory_bytes"]) == (1000, 5000)

    silence = row["silence"]["overall"]
    # best of those with an answer: 0.9, 0.8, nothing, 0.5, 0.2; of the one without: 0.3
    assert (silence["answered"]["questions"], silence["answered"]["value"]) == (5, 0.8)
    assert silence["answered"]["low"] < 0.8 < silence["answered"]["high"]
    assert silence["unanswerable"] == {
        "questions": 1,
        "value": 0,
        "low": 0,
        "high": 0,
        "auroc": 0.6,
        "balanced_accuracy": 0.4,
    }
    # elsewhere: 0.1, nothing, 0.95, nothing, 0.1
    wrong = silence["wrong_conversation"]
    assert wrong["auroc"] == pytest.approx((4 + 4 + 0.5 * 2 + 4 + 4) / 25)
    assert wrong["value"] == pytest.approx(0.4)
    assert wrong["balanced_accuracy"] == pytest.approx((0.8 + 0.4) / 2)
    assert row["silence"]["by_source"] == {"data": silence}
    mute = figures["systems"][BM25]["silence"]["overall"]
    assert (mute["answered"]["value"], mute["unanswerable"]["value"]) == (0, 1)

    ahead = figures["ahead_of"][BM25]
    assert ahead["overall"]["recall@5"]["value"] == overall["recall@5"]
    lost = figures["ablation"]["without gist"]["lost"]
    assert lost["overall"]["recall@5"]["value"] == pytest.approx((0 + 0 + 0 + 0 + 1) / 5)
    assert figures["coverage"] == {"questions": 0, "budgets": {}}


def test_any_turn_of_a_gold_session_will_do() -> None:
    said = [
        SaidTurn(id=f"t{i}", text=f"Turn {i}.", session=("monday", "friday", "sunday")[i // 3])
        for i in range(9)
    ]
    question = Question(question="When?", gold=("t0", "t1", "t2", "t6", "t7", "t8"))
    talk = Conversation(id="c", turns=tuple(said), questions=(question,), unit="session")
    ranking = [(id_, 1.0) for id_ in ("t3", "t1", "t2", "t0", "t4", "t8")]
    mine = Measured(rankings=[ranking], elsewhere=[None])
    mine.ablations = {"without gist": [["t8", "t0"]]}
    figures = summarize(Run([talk], plan([talk], 0), {OURS: mine}, 0), count_words)
    overall = {name: one["value"] for name, one in figures["systems"][OURS]["overall"].items()}
    assert [overall[f"recall@{k}"] for k in (1, 3, 5, 10)] == [0, 0.5, 0.5, 1]
    assert [overall[f"any@{k}"] for k in (1, 3)] == [0, 1]
    assert [overall[f"all@{k}"] for k in (5, 10)] == [0, 1]
    assert overall["mrr"] == 0.5
    assert figures["ablation"]["without gist"]["overall"]["all@3"]["value"] == 1
    assert figures["coverage"]["questions"] == 0


def test_gold_before_its_rivals() -> None:
    questions = (
        Question(question="Now?", gold=("t1",), rivals=("t0",), category="present"),
        Question(question="Today?", gold=("t1",), rivals=("t0",), category="present"),
        Question(question="Then?", gold=("t0",), rivals=("t1",), category="past"),
        Question(question="What?", gold=("t3",)),
    )
    talks = [TALKS[0].model_copy(update={"questions": questions})]
    rankings = [[("t2", 3.0), ("t1", 2.0), ("t0", 1.0)], [], [("t1", 1.0)], [("t3", 1.0)]]
    measured = {OURS: Measured(rankings=rankings, elsewhere=[None] * 4)}
    figures = summarize(Run(talks, plan(talks, 0), measured, 0), count_words)
    found = figures["systems"][OURS]["before_rivals"]
    assert found["questions"] == {"past": 1, "present": 2}
    assert found["overall"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert {group: one["value"] for group, one in found["by_category"].items()} == {
        "past": 0,
        "present": 0.5,
    }


def test_figures_are_broken_down_by_source() -> None:
    talks = [
        talk.model_copy(update={"source": source})
        for talk, source in zip(TALKS, ("one", "two"), strict=True)
    ]
    asks = plan(talks, 0)
    rankings = [[("t0", 1.0)], [], [], [("t0", 1.0)], [("t0", 1.0)], [("t2", 1.0)]]
    mine = Measured(rankings=rankings, elsewhere=[None] * 6)
    figures = summarize(Run(talks, asks, {OURS: mine}, 0), count_words)
    assert figures["questions_by_source"] == {"one": 3, "two": 2}
    row = figures["systems"][OURS]
    assert row["by_source"]["one"]["recall@5"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert row["by_source"]["two"]["recall@5"]["value"] == 1
    by_source = row["silence"]["by_source"]
    assert by_source["one"]["answered"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert by_source["one"]["unanswerable"]["value"] == 0
    assert by_source["two"]["unanswerable"] is None
