from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.cli import options
from tests.cli.running import Run
from tests.memory.fake_model import FakeModel

DOG = "My dog is called Biscuit, and he loves Saturday walks."


def test_a_turn_comes_back_with_all_that_was_said_of_it(run_json: Any) -> None:
    told = run_json(
        "remember", DOG, "--role", "user", "--name", "Alice", "--session", "s1",
        "--time", "2026-11-20T09:30:00+01:00", "--metadata", '{"channel": "mail"}',
    )  # fmt: skip
    assert told["text"] == DOG
    assert run_json("history") == [told]
    assert told["name"] == "Alice"
    assert told["session"] == "s1"
    assert told["metadata"] == {"channel": "mail"}
    assert told["time"].startswith("2026-11-20T09:30:00") or told["time"].startswith(
        "2026-11-20T08:30:00"
    )


def test_recall_finds_the_turn_that_answers(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--name", "Alice")
    run_json("remember", "The train to Lisbon leaves at ten.", "--name", "Bob")
    hits = run_json("recall", "What is the dog called?", "-k", "1")
    assert [hit["text"] for hit in hits] == [DOG]
    shown = run("recall", "What is the dog called?", "-k", "1").stdout
    assert DOG in shown
    assert "Alice" in shown
    assert "Lisbon" not in shown


def test_recall_keeps_to_sessions_roles_and_times(run_json: Any) -> None:
    run_json("remember", "Biscuit barks.", "--session", "a", "--time", "2026-01-01T00:00+00:00")
    run_json("remember", "Biscuit sleeps.", "--session", "b", "--role", "assistant",
             "--time", "2026-02-01T00:00+00:00")  # fmt: skip

    def texts(*options: str) -> list[str]:
        return sorted(hit["text"] for hit in run_json("recall", "Biscuit", *options))

    assert texts() == ["Biscuit barks.", "Biscuit sleeps."]
    assert texts("--session", "a") == ["Biscuit barks."]
    assert texts("--role", "assistant") == ["Biscuit sleeps."]
    assert texts("--since", "2026-01-15T00:00+00:00") == ["Biscuit sleeps."]
    assert texts("--until", "2026-01-15T00:00+00:00") == ["Biscuit barks."]
    assert texts("--level", "session", "-k", "1") in (["Biscuit barks."], ["Biscuit sleeps."])


@pytest.mark.parametrize(
    ("now", "first"),
    [("2021-03-10T09:00+00:00", "We painted the fence."), ("2021-03-17", "We went to Lisbon.")],
)
def test_now_is_what_last_week_is_before(
    run_json: Any, monkeypatch: pytest.MonkeyPatch, now: str, first: str
) -> None:
    # Its gists mean something: those of the tiny model are alike by chance.
    monkeypatch.setattr(options, "load_model", lambda _: FakeModel())
    for day, text in (
        ("2021-03-02", "We painted the fence."),
        ("2021-03-09", "We went to Lisbon."),
        ("2021-03-16", "We baked bread."),
    ):
        run_json("remember", text, "--time", day)
    question = "What did we do last week?"
    assert run_json("recall", question, "--now", now)[0]["text"] == first
    lines = run_json("context", question, "--now", now)["context"].splitlines()
    assert [line.partition(": ")[2] for line in lines if line.startswith("[")] == [first]
    assert run_json("recall", question) == [], "last week of the present is another"


def test_nothing_relevant_says_so(run: Run, run_json: Any) -> None:
    run_json("remember", DOG)
    assert run_json("recall", "zzz qqq", "--min-score", "1.5") == []
    result = run("recall", "zzz qqq", "--min-score", "1.5")
    assert result.stdout == "nothing relevant is remembered\n"


def test_stdin_is_kept_to_the_byte(run_json: Any) -> None:
    text = "  first\r\nsecond\tthird  \n\n"
    told = run_json("remember", "-", stdin=text.encode())
    assert told["text"] == text
    assert run_json("history")[0]["text"] == text


def test_users_are_apart_and_options_come_from_the_environment(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_json("remember", DOG, "--user", "alice")
    assert run_json("history") == []
    monkeypatch.setenv("R3MEM_USER", "alice")
    assert [turn["text"] for turn in run_json("history")] == [DOG]
    monkeypatch.setenv("R3MEM_DB", str(tmp_path / "other.db"))
    run_json("remember", "Elsewhere.")
    assert (tmp_path / "other.db").exists()
    assert [turn["text"] for turn in run_json("history")] == ["Elsewhere."]


def test_history_shows_sessions_in_order(run: Run, run_json: Any) -> None:
    run_json("remember", "One.", "--session", "first", "--name", "Alice")
    run_json("remember", "Two.", "--session", "second")
    shown = run("history").stdout
    places = [shown.index(part) for part in ("session first", "One.", "session second", "Two.")]
    assert places == sorted(places)
    assert [turn["text"] for turn in run_json("history", "--session", "second")] == ["Two."]


def test_gist_says_what_a_session_was_about(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "We should plan the wedding in Lisbon for June.",
        "Yes.",
        "The tax declaration has to be done, the accountant asks for receipts.",
    )
    told = [run_json("remember", text, "--session", "today") for text in said]
    own = run_json("remember", DOG)
    assert run_json("gist", "--session", "today", "-k", "2") == [told[0], told[2]]
    shown = run("gist", "--session", "today", "-k", "2").stdout
    places = [shown.index(part) for part in ("session today", said[0], said[2])]
    assert places == sorted(places)
    assert said[1] not in shown
    assert run_json("gist") == [own], "the memory's own session"
    monkeypatch.setenv("R3MEM_SESSION", "today")
    assert run_json("gist", "-k", "2") == [told[0], told[2]]


def test_the_gist_of_an_empty_session_says_so(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--session", "other")
    assert run_json("gist") == []
    assert run("gist").stdout == "nothing is remembered here\n"


def test_context_is_plain_text_that_names_the_speaker(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--name", "Alice")
    text = run("context", "What is the dog called?").stdout
    assert DOG in text
    assert "Alice" in text
    assert run_json("context", "What is the dog called?")["context"] + "\n" == text


def test_stats_counts_what_is_stored(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--session", "a")
    run_json("remember", "Ünïcode ✓", "--session", "b")
    stats = run_json("stats")
    assert stats["turns"] == 2
    assert stats["sessions"] == 2
    assert stats["text_bytes"] == len(DOG.encode()) + len("Ünïcode ✓".encode())
    assert stats["file_bytes"] > 0
    shown = run("stats").stdout
    for label in ("turns", "memory tokens", "gists", "bits per token", "whole file"):
        assert label in shown


def test_forget_turns_and_sessions(run: Run, run_json: Any) -> None:
    first = run_json("remember", "One.", "--session", "a")
    run_json("remember", "Two.", "--session", "a")
    run_json("remember", "Three.", "--session", "b")
    assert run("forget", str(first["id"])).stdout == "forgot 1 turn\n"
    assert run_json("forget", "--session", "b") == {"forgotten": 1}
    assert [turn["text"] for turn in run_json("history")] == ["Two."]


def test_forgetting_everything_asks_first(run: Run, run_json: Any) -> None:
    run_json("remember", "One.")
    refused = run("forget", "--everything", stdin="n\n")
    assert refused.exit_code == 1
    assert "Forget all 1 turns" in refused.stderr
    assert len(run_json("history")) == 1
    assert run("forget", "--everything", stdin="y\n").exit_code == 0
    assert run_json("history") == []
    run_json("remember", "Two.")
    assert run("forget", "--everything", "--yes").stdout == "forgot 1 turn\n"
    assert run_json("history") == []


def test_a_session_in_the_environment_is_never_forgotten_by_it(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_json("remember", "One.", "--session", "keep")
    monkeypatch.setenv("R3MEM_SESSION", "keep")
    assert run("forget").exit_code == 2
    assert len(run_json("history")) == 1
