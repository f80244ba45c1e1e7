from __future__ import annotations

from collections import Counter

from benchmarks.recall.ablation import ABLATIONS
from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from benchmarks.recall.measure import Task, measure
from benchmarks.recall.plan import BUDGETS, plan
from benchmarks.recall.systems.names import OURS
from benchmarks.recall.systems.system import Options
from tests.benchmarks.recall.talks import TALKS, task_for


def test_ours_is_asked_through_its_verbs(checkpoint: str) -> None:
    steps: Counter[str] = Counter()

    def advance(stage: str, count: int) -> None:
        steps[stage] += count

    task = task_for(OURS, checkpoint, tuple(ABLATIONS))
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
