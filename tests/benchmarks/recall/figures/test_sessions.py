from __future__ import annotations

import pytest

from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from benchmarks.recall.figures.run import Run
from benchmarks.recall.figures.sessions import BY_SESSION, sessions
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import plan
from benchmarks.recall.systems.names import OURS


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
    found = sessions(Run([talk, single], asks, {OURS: mine}, 0))
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
