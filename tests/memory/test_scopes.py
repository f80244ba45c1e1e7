from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, SessionStats, StoredTurn
from tests.conftest import OpenMemory

USERS = AGENTS = st.sampled_from(["alice", "bob", "default"])
SESSIONS = st.sampled_from(["one", "two"])
WRITE = st.tuples(st.just("write"), USERS, AGENTS, SESSIONS)
FORGET = st.tuples(st.sampled_from(["session", "everything"]), USERS, AGENTS, SESSIONS)


def summed(turns: list[StoredTurn]) -> SessionStats:
    times = [turn.time for turn in turns]
    [session] = {turn.session for turn in turns}
    return SessionStats(session=session, turns=len(turns), first=min(times), last=max(times))


@given(steps=st.lists(WRITE | WRITE | FORGET, max_size=12))
@settings(max_examples=15, deadline=None)
def test_nothing_crosses_a_scope(
    steps: list[tuple[str, str, str, str]], model: Any, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("scopes") / "memory.db"
    expected: dict[tuple[str, str], list[StoredTurn]] = defaultdict(list)
    with CompressiveMemory(path, model=model):  # keeps the file open, as a server would
        for number, (verb, user, agent, session) in enumerate(steps):
            mine = expected[user, agent]
            with CompressiveMemory(
                path, user=user, agent=agent, session=session, model=model
            ) as memory:
                if verb == "write":
                    mine.append(memory.remember("user", f"secret{number} of {user}"))
                else:
                    doomed = [t for t in mine if verb == "everything" or t.session == session]
                    expected[user, agent] = [turn for turn in mine if turn not in doomed]
                    receipt = (
                        memory.forget(everything=True)
                        if verb == "everything"
                        else memory.forget(session=session)
                    )
                    assert receipt.turns == len(doomed)
        for (user, agent), turns in expected.items():
            with CompressiveMemory(path, user=user, agent=agent, model=model) as memory:
                assert memory.history() == turns
                assert memory.stats().turns == len(turns)
                assert memory.session_stats() == [
                    summed([turn for turn in turns if turn.session == session])
                    for session in dict.fromkeys(turn.session for turn in turns)
                ]
                questions = [f"secret{number}" for number in range(len(steps))]
                hits = [hit for question in questions for hit in memory.recall(question, k=1000)]
                assert {hit.turn.id for hit in hits} == {turn.id for turn in turns}


def test_an_unknown_user_is_an_empty_memory(open_memory: OpenMemory) -> None:
    open_memory(user="alice").remember("user", "My dog is called Biscuit.")
    stranger = open_memory(user="bob")
    assert stranger.recall("What is the dog called?") == []
    assert stranger.history() == []
    assert stranger.forget(everything=True).turns == 0
    assert stranger.stats().turns == 0
    assert "Nothing relevant" in stranger.context("What is the dog called?")


def test_users_and_agents_are_not_mixed_up(open_memory: OpenMemory) -> None:
    open_memory(user="a", agent="b").remember("user", "Biscuit")
    assert open_memory(user="b", agent="a").recall("Biscuit") == []
