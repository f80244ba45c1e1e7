from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from benchmarks.app import app
from benchmarks.errors import BenchmarkError
from benchmarks.processes import peak_bytes, run
from benchmarks.recall import plot, report
from benchmarks.recall.ablation import ABLATIONS, WORDS, WORDS_AND_GIST
from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from benchmarks.recall.figures.coverage import CONTEXT, coverage, written
from benchmarks.recall.figures.sessions import BY_SESSION, sessions
from benchmarks.recall.figures.summary import summarize
from benchmarks.recall.measure import Measured, Task, measure
from benchmarks.recall.plan import BUDGETS, FILL, Ask, plan
from benchmarks.recall.systems.choice import NAMES
from benchmarks.recall.systems.system import BM25, OURS, Options
from tests.benchmarks.talks import TALKS

QUESTIONS = [(user, question) for user, talk in enumerate(TALKS) for question in talk.questions]


def _words(text: str) -> int:
    return len(text.split())


def _task(system: str, model: str = "unused", ablated: tuple[str, ...] = ()) -> Task:
    return Task(system, TALKS, tuple(plan(TALKS, 0)), Options(model, None), ablated)


def test_a_plan_repeats_with_its_seed() -> None:
    many = [talk.model_copy(update={"questions": talk.questions * 200}) for talk in TALKS]
    first = plan(many, 3)
    assert first == plan(many, 3)
    other = plan(many, 4)
    assert [ask.timed for ask in first] != [ask.timed for ask in other]
    assert [ask.filled for ask in first] != [ask.filled for ask in other]
    assert [ask.question for ask in first] == [ask.question for ask in other]
    assert sum(ask.timed for ask in first) == 200
    assert sum(ask.filled for ask in first) == 200


def test_what_is_asked_of_whom() -> None:
    asks = plan(TALKS, 0)
    assert [(ask.user, ask.question) for ask in asks] == QUESTIONS
    for ask in asks:
        assert ask.elsewhere == (1 - ask.user if ask.question.answerable else None)
        assert ask.filled == ask.question.counted
        assert ask.depth == (FILL if ask.question.counted else 1)
    assert all(ask.elsewhere is None for ask in plan(TALKS[:1], 0))


def test_another_conversation_is_one_of_the_same_source() -> None:
    sources = ["de", "en", "en", "fr", "en"]
    talks = [TALKS[0].model_copy(update={"source": source}) for source in sources]
    asks = [ask for ask in plan(talks, 0) if ask.question.answerable]
    for ask in asks:
        if ask.elsewhere is None:
            assert sources[ask.user] != "en"
        else:
            assert sources[ask.elsewhere] == sources[ask.user] == "en"
            assert ask.elsewhere != ask.user
    assert {ask.elsewhere for ask in asks} == {None, 1, 2, 4}


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
    figures = summarize(TALKS, asks, {OURS: mine, BM25: peer}, _words, seed=0)

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
    figures = summarize([talk], plan([talk], 0), {OURS: mine}, _words, seed=0)
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
    figures = summarize(talks, plan(talks, 0), measured, _words, seed=0)
    found = figures["systems"][OURS]["before_rivals"]
    assert found["questions"] == {"past": 1, "present": 2}
    assert found["overall"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert {group: one["value"] for group, one in found["by_category"].items()} == {
        "past": 0,
        "present": 0.5,
    }
    shown = _shown(figures)
    table = shown[next(n for n, line in enumerate(shown) if "before their rivals" in line) :]
    row = next(line for line in table if line.startswith("│ present "))
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["2", "0.500"]


def test_figures_are_broken_down_by_source() -> None:
    talks = [
        talk.model_copy(update={"source": source})
        for talk, source in zip(TALKS, ("one", "two"), strict=True)
    ]
    asks = plan(talks, 0)
    rankings = [[("t0", 1.0)], [], [], [("t0", 1.0)], [("t0", 1.0)], [("t2", 1.0)]]
    figures = summarize(
        talks, asks, {OURS: Measured(rankings=rankings, elsewhere=[None] * 6)}, _words, seed=0
    )
    assert figures["questions_by_source"] == {"one": 3, "two": 2}
    row = figures["systems"][OURS]
    assert row["by_source"]["one"]["recall@5"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert row["by_source"]["two"]["recall@5"]["value"] == 1
    by_source = row["silence"]["by_source"]
    assert by_source["one"]["answered"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert by_source["one"]["unanswerable"]["value"] == 0
    assert by_source["two"]["unanswerable"] is None


def _line(number: int, text: str) -> SaidTurn:
    return TALKS[0].turns[0].model_copy(update={"id": f"t{number}", "text": text})


def test_sessions_by_hand() -> None:
    said = [
        SaidTurn(id=f"t{i}", text=f"Turn {i}.", session="monday" if i < 7 else "friday")
        for i in range(9)
    ]
    questions = (
        Question(question="One?", gold=("t0",)),
        Question(question="Two?", gold=("t1", "t8")),
    )
    talk = Conversation(id="c", turns=tuple(said), questions=questions)
    single = Conversation(id="d", turns=tuple(said[:2]), questions=questions[:1])
    asks = plan([talk, single], 0)
    monday, friday = [turn.id for turn in said[:7]], [turn.id for turn in said[7:]]
    # a ranking that a context is filled from is longer than what sessions are taken from
    deep = [(f"t{i}", 1.0) for i in (3, 4, 5, 6) * 5] + [("t7", 0.1)]
    mine = Measured(rankings=[[("t7", 1.0), ("t2", 0.5)], deep, []])
    mine.sessions = {0: ["t2", "t7"], 1: ["t3", "t8"], 2: []}
    mine.summaries = [(0, monday, ["t0", "t1", "t2", "t3", "t4"]), (0, friday, friday)]
    found = sessions([talk, single], asks, {OURS: mine}, seed=0)
    assert found["questions"] == 2
    shares = {
        name: [row[f"recall@{k}"]["value"] for k in (1, 3, 5)]
        for name, row in found["systems"].items()
    }
    assert shares == {OURS: [0.25, 0.75, 0.75], f"{OURS} {BY_SESSION}": [0.75, 1.0, 1.0]}
    mine_by_turns = found["systems"][OURS]
    assert [mine_by_turns[name]["value"] for name in ("any@1", "all@1", "any@3", "all@3")] == [
        0.5,
        0,
        1,
        0.5,
    ]
    summaries = found["summaries"]  # of Monday alone: Friday has no more turns than a gist
    assert (summaries["sessions"], summaries["gold_share"]["value"]) == (1, 0.4)
    assert summaries["gold_share_of_all_turns"]["value"] == pytest.approx(2 / 7, abs=1e-5)


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
    figures = coverage([talk], asks, {OURS: mine}, _words, seed=0)
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


def test_a_process_does_what_is_done_here() -> None:
    steps: Counter[str] = Counter()

    def advance(stage: str, count: int) -> None:
        steps[stage] += count

    task = _task(BM25)
    there = run(measure, task, advance, BM25, "")
    here = measure(task, lambda stage, count: None)
    assert there.rankings == here.rankings
    assert there.elsewhere == here.elsewhere
    assert there.disk_bytes == here.disk_bytes
    assert len(there.lookup_ms) == sum(ask.timed for ask in task.asks)
    assert steps.total() == task.steps
    own = peak_bytes()
    assert there.peak_bytes is not None
    assert own is not None
    assert 10_000_000 < there.peak_bytes < own  # this process has torch in it, that one has not


class Deadly:
    """Ends the process that unpickles it, as the system does when memory runs out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_a_process_that_dies_is_named() -> None:
    options = Options("unused", Deadly())  # type: ignore[arg-type]
    with pytest.raises(BenchmarkError, match=r"bm25.*--limit"):
        task = replace(_task(BM25), options=options)
        run(measure, task, lambda stage, count: None, BM25, "measure fewer with --limit")


def test_a_parent_that_is_killed_takes_its_process_along() -> None:
    code = (
        "from benchmarks.processes import run\n"
        "from benchmarks.recall.conversations import Conversation, Question, SaidTurn\n"
        "from benchmarks.recall.measure import Task, measure\n"
        "from benchmarks.recall.systems.system import Options\n"
        "turns = tuple(SaidTurn(id=str(n), text=f'word{n}') for n in range(3000))\n"
        "talks = tuple(Conversation(id=str(n), turns=turns) for n in range(3000))\n"
        "task = Task('bm25', talks, (), Options('unused', None), ())\n"
        "run(measure, task, lambda stage, count: print(stage, flush=True), 'bm25', '')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        parent.stdout.readline()  # the child is at work
        children = psutil.Process(parent.pid).children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()  # type: ignore[union-attr]
    assert children
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_ours_is_asked_through_its_verbs(checkpoint: str) -> None:
    steps: Counter[str] = Counter()

    def advance(stage: str, count: int) -> None:
        steps[stage] += count

    task = _task(OURS, checkpoint, tuple(ABLATIONS))
    result = measure(task, advance)
    assert steps.total() == task.steps
    for ask, hits in zip(task.asks, result.rankings, strict=True):
        assert len(hits) <= ask.depth
        assert all(0 <= score <= 1 for _, score in hits)
    assert list(result.contexts) == [p for p, ask in enumerate(task.asks) if ask.filled]
    for texts in result.contexts.values():
        assert list(texts) == list(BUDGETS)
        assert len(texts[500]) <= len(texts[2000])
    # the whole of a short conversation fits
    for turn in TALKS[0].turns:
        if turn.id in [id_ for id_, _ in result.rankings[0]]:
            assert turn.text in result.contexts[0][2000]
    assert set(result.ablations) == set(ABLATIONS)
    assert all(len(found) == 5 for found in result.ablations.values())
    assert result.disk_bytes > 0


def test_a_question_is_asked_at_its_time(checkpoint: str) -> None:
    days = [f"2024-05-{day:02}T10:00:00Z" for day in (6, 7, 13, 14)]
    turns = tuple(
        SaidTurn.model_validate({"id": day[8:10], "text": "We went swimming.", "time": day})
        for day in days
    )
    asked = [
        Question.model_validate(
            {"question": "Where did we go swimming yesterday?", "gold": ["06"], "time": time}
        )
        for time in ("2024-05-07T20:00:00Z", "2024-05-14T20:00:00Z", None)
    ]
    talk = Conversation(id="c", turns=turns, questions=tuple(asked))
    task = Task(OURS, (talk,), tuple(plan([talk], 0)), Options(checkpoint, None), ("without gist",))
    result = measure(task, lambda stage, count: None)
    assert [hits[0][0] for hits in result.rankings] == ["06", "13", "13"]
    assert [ids[0] for ids in result.ablations["without gist"]] == ["06", "13", "13"]
    assert [ids[0] for ids in result.sessions.values()] == ["06", "13", "13"]


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
    figures = summarize(talks, asks, measured, _words, seed=0)
    lines = _shown(figures)
    assert "…" not in "".join(lines)
    silence = lines[next(n for n, line in enumerate(lines) if "Silence: " in line) :]
    said = {name: next(line for line in silence if line.startswith(f"│ {name} ")) for name in NAMES}
    assert said[OURS].count("100.0%") == 3  # answered, and silent of both kinds
    assert all("always answers" in said[name] for name in NAMES if name != OURS)
    assert any("german" in line and "100% of 2" in line for line in silence)
    plot.plot(tmp_path / "recall.png", figures)
    assert (tmp_path / "recall.png").read_bytes().startswith(b"\x89PNG")


def _save(folder: Path, talks: tuple[Conversation, ...]) -> Path:
    path = folder / "talks.jsonl"
    path.write_text("".join(talk.model_dump_json() + "\n" for talk in talks))
    return path


def _run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["recall", *arguments])


def _steady(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures without those that a clock or a machine gives."""
    for row in figures["systems"].values():
        for name in ("lookup_ms", "write_s", "write_turns_per_s", "peak_memory_bytes"):
            del row[name]
        if row["disk_bytes"] > 20_000:
            del row["disk_bytes"]  # a database
    return figures


def test_the_command_writes_figures_and_a_plot(tmp_path: Path, checkpoint: str) -> None:
    first = TALKS[0]
    broken = first.questions[0].model_copy(update={"gold": ("t0", "t99")})
    talks = (first.model_copy(update={"questions": (broken, *first.questions[1:])}), TALKS[1])
    common = ["--data", str(_save(tmp_path, talks)), "--model", checkpoint, "--seed", "5"]
    common += ["--systems", "bm25,r3mem", "--ablate"]
    shown = _run(*common, "--out", str(tmp_path / "one"))
    assert shown.exit_code == 0, shown.stderr
    assert "alice, question 1: no turn 't99'" in shown.stderr
    for word in (
        "recall@5",
        "mrr",
        "any@5",
        "all@5",
        "Silence",
        "r3mem context()",
        "without session",
        "its teacher to all the rest",
    ):
        assert word in shown.stdout
    record = json.loads((tmp_path / "one" / "recall.json").read_text())
    assert record["benchmark"] == "recall"
    assert record["config"]["seed"] == 5
    assert list(record["config"]["data"]) == ["talks.jsonl"]
    assert record["config"]["problems"] == ["alice, question 1: no turn 't99'"]
    assert record["versions"]["bm25s"]
    assert list(record["figures"]["systems"]) == ["bm25", "r3mem"]
    assert list(record["figures"]["ahead_of"]) == ["bm25"]
    ablation = record["figures"]["ablation"]
    alone, both = (
        ablation[name]["overall"]["recall@5"]["value"] for name in (WORDS, WORDS_AND_GIST)
    )
    added = {
        name: row["overall"]["recall@5"]["value"]
        for name, row in record["figures"]["added"].items()
    }
    assert len(added) == 4
    assert added["the gist to words alone"] == pytest.approx(both - alone, abs=2e-5)
    lost = ablation["without gist"]["lost"]["overall"]["recall@5"]["value"]
    assert added["the gist to all the rest"] == pytest.approx(lost, abs=2e-5)
    assert (tmp_path / "one" / "recall.png").read_bytes().startswith(b"\x89PNG")

    printed = _run(*common, "--out", str(tmp_path / "two"), "--json")
    assert printed.exit_code == 0, printed.stderr
    again = json.loads(printed.stdout)["figures"]
    assert _steady(again) == _steady(record["figures"])


def test_a_limit_keeps_the_first_conversations(tmp_path: Path, checkpoint: str) -> None:
    data = str(_save(tmp_path, TALKS))
    arguments = ["--data", data, "--model", checkpoint, "--systems", "bm25", "--limit", "1"]
    result = _run(*arguments, "--out", str(tmp_path / "out"), "--json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)["figures"]
    assert (figures["conversations"], figures["turns"]) == (1, 5)
    assert figures["systems"]["bm25"]["silence"]["overall"]["wrong_conversation"] is None


def test_without_data_the_demonstrations_meetings_are_asked_about(
    tmp_path: Path, checkpoint: str
) -> None:
    arguments = ["--model", checkpoint, "--systems", "bm25", "--out", str(tmp_path), "--json"]
    result = _run(*arguments)
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert list(record["config"]["data"]) == ["committee.json"]
    assert (record["figures"]["turns"], record["figures"]["questions"]) == (632, 48)
    assert record["figures"]["systems"]["bm25"]["overall"]["recall@20"]["value"] > 0.3


def test_errors_are_named(tmp_path: Path) -> None:
    path = _save(tmp_path, TALKS)
    unknown = _run("--data", str(path), "--systems", "faiss")
    assert unknown.exit_code == 1
    assert "no system 'faiss'" in unknown.stderr
    path.write_text(path.read_text() + "{broken\n")
    broken = _run("--data", str(path))
    assert broken.exit_code == 1
    assert "line 3 is not a conversation" in broken.stderr
    silent = TALKS[0].model_copy(update={"questions": ()})
    nothing = _run("--data", str(_save(tmp_path, (silent,))))
    assert nothing.exit_code == 1
    assert "no question with gold turns" in nothing.stderr
