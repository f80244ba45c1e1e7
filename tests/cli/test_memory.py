from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.cli import places
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


def test_where_compares_metadata_and_names(run: Run, run_json: Any) -> None:
    for number, role in enumerate(("user", "tool", "user")):
        run_json("remember", f"Biscuit barks {number}.", "--role", role, "--metadata",
                 json.dumps({"n": number, "a": {"b": str(number)}}))  # fmt: skip

    def found(*conditions: str) -> list[int]:
        options = [part for one in conditions for part in ("--where", one)]
        return sorted(hit["metadata"]["n"] for hit in run_json("recall", "Biscuit", *options))

    assert found() == [0, 1, 2]
    assert found("metadata.n=1") == found("metadata.n = 1") == [1]
    assert found("metadata.n>=1", "metadata.n<2") == [1]
    assert found("metadata.n>0", "role!=tool") == [2]
    assert found('metadata.a={"b": "1"}') == [1]
    assert found('metadata.a.b="2"') == [2]
    assert found("metadata.a.b=2") == [], "text is no number"
    assert found("metadata.a.b<=1") == [0, 1], "but is compared as one"
    assert found("role=user") == [0, 2]
    for wrong in ("metadata.n", "=3", "", "channel=mail"):
        refused = run("recall", "Biscuit", "--where", wrong)
        assert refused.exit_code == 1
        assert "metadata." in refused.stderr
    assert "twice" in run("recall", "Biscuit", "--where", "role=a", "--where", "role=b").stderr
    shown = run_json("context", "Biscuit", "--where", "metadata.n=1")["context"]
    assert "barks 1" in shown
    assert "barks 2" not in shown


@pytest.mark.parametrize(
    ("now", "first"),
    [("2021-03-10T09:00+00:00", "We painted the fence."), ("2021-03-17", "We went to Lisbon.")],
)
def test_now_is_what_last_week_is_before(
    run_json: Any, monkeypatch: pytest.MonkeyPatch, now: str, first: str
) -> None:
    # Its gists mean something: those of the tiny model are alike by chance.
    monkeypatch.setattr(places, "load_model", lambda _: FakeModel())
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
    assert run_json("recall", "zzz qqq", "--min-score", "1") == []
    result = run("recall", "zzz qqq", "--min-score", "1")
    assert result.stdout == "nothing relevant is remembered\n"


def test_recall_explains_itself(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--name", "Alice")
    asked = ("recall", "Is the dog called Rex?", "--explain", "-k", "1")
    found = run_json(*asked)
    assert found["explanation"]["words"] == ["dog", "called", "rex"]
    [hit] = found["recalled"]
    assert hit["text"] == DOG
    assert hit["explanation"]["said"] == ["dog", "called"]
    words = hit["explanation"]["evidence"]["words"]
    assert words["reasons"][:2] == ["said: dog, called", "not said: rex"]
    shown = run(*asked).stdout
    assert found["explanation"]["outcome"] in shown
    row = next(line.split(maxsplit=2) for line in shown.splitlines() if "not said" in line)
    assert row[:2] == ["words", f"{words['log_odds']:+.2f}"]
    assert row[2].rstrip() == "; ".join(words["reasons"])
    assert "explanation" not in run_json("recall", "Is the dog called Rex?")[0]


def test_recall_explains_why_nothing_is_found(run: Run, run_json: Any) -> None:
    run_json("remember", DOG)
    asked = ("recall", "Is the dog called Rex?", "--explain", "--until", "2020-01-01")
    found = run_json(*asked)
    assert found["recalled"] == []
    assert "until lets 0 through" in found["explanation"]["outcome"]
    shown = run(*asked).stdout
    assert shown.startswith("nothing relevant is remembered\n")
    assert found["explanation"]["outcome"] in shown


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
    assert run_json("summary", "--session", "today", "-k", "2") == [told[0], told[2]]
    shown = run("summary", "--session", "today", "-k", "2").stdout
    places = [shown.index(part) for part in ("session today", said[0], said[2])]
    assert places == sorted(places)
    assert said[1] not in shown
    assert run_json("summary") == [own], "the memory's own session"
    monkeypatch.setenv("R3MEM_SESSION", "today")
    assert run_json("summary", "-k", "2") == [told[0], told[2]]


def test_the_gist_of_an_empty_session_says_so(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--session", "other")
    assert run_json("summary") == []
    assert run("summary").stdout == "nothing is remembered here\n"


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


READS = [
    ["recall", "dog"],
    ["context", "dog"],
    ["summary"],
    ["history"],
    ["stats"],
    ["sessions"],
    ["export"],
    ["forget", "--everything", "--yes"],
]


@pytest.mark.parametrize("command", READS, ids=lambda command: command[0])
def test_an_empty_result_for_a_user_who_is_not_there_names_the_others(
    run: Run, run_json: Any, command: list[str]
) -> None:
    assert run(*command, "--db", ":memory:").stderr == ""
    run_json("remember", DOG, "--user", "alice")
    run_json("remember", DOG, "--user", "bob", "--agent", "helper")
    lost = run(*command)
    assert lost.exit_code == 0
    (note,) = lost.stderr.splitlines()
    for part in ("note: ", "user 'default'", "r3mem.db", "'alice', 'bob'", "--user"):
        assert part in note
    (note,) = run(*command, "--user", "bob").stderr.splitlines()
    for part in ("agent 'default'", "'bob'", "'helper'", "--agent"):
        assert part in note
    assert run(*command, "--user", "bob", "--agent", "helper").stderr == ""


def test_an_unknown_session_of_an_unknown_user_names_the_users(run: Run, run_json: Any) -> None:
    run_json("remember", DOG, "--user", "alice", "--session", "monday")
    note, error = run("history", "--session", "monday").stderr.splitlines()
    assert "'alice'" in note
    assert "'monday'" in error


def test_many_users_are_counted_not_listed(run: Run, run_json: Any) -> None:
    for number in range(8):
        run_json("remember", DOG, "--user", f"user {number}")
    (note,) = run("history").stderr.splitlines()
    assert "'user 4', 3 more has" in note
    assert "user 5" not in note


def test_users_and_sessions_are_listed(run: Run, run_json: Any) -> None:
    assert run_json("users", "--db", ":memory:") == []
    run_json("remember", DOG, "--user", "alice", "--session", "monday")
    run_json("remember", "Fine.", "--user", "alice", "--session", "monday")
    run_json("remember", "Hi.", "--user", "alice", "--session", "friday")
    run_json("remember", "Hi.", "--user", "b\u001b[2Jb", "--agent", "helper")
    assert run_json("users") == [
        {"user": "alice", "agent": "default", "turns": 3, "sessions": 2},
        {"user": "b\u001b[2Jb", "agent": "helper", "turns": 1, "sessions": 1},
    ]
    assert run("users").stdout.splitlines() == [
        "alice, agent default: 3 turns in 2 sessions",
        "b\\u001b[2Jb, agent helper: 1 turn in 1 session",
    ]
    found = run_json("sessions", "--user", "alice")
    assert [(one["session"], one["turns"]) for one in found] == [("monday", 2), ("friday", 1)]
    first = found[0]["first"]
    assert first <= found[0]["last"] <= found[1]["first"] == found[1]["last"]
    listed = run("sessions", "--user", "alice").stdout
    assert listed.startswith(f"monday: 2 turns, {first[:16].replace('T', ' ')} to 2")


def test_turns_are_fetched_by_number_and_key(run: Run, run_json: Any) -> None:
    told = [run_json("remember", text) for text in (DOG, "Two.", "Three.")]
    first, _, third = (str(turn["id"]) for turn in told)
    assert run_json("fetch", third, first) == [told[2], told[0]]
    assert DOG in run("fetch", first).stdout
    keyed = b'{"role": "user", "text": "Keyed.", "session": "s", "key": "k"}'
    run("import", "-", stdin=keyed)
    [found] = run_json("fetch", "--key", "k", "--session", "s")
    assert (found["text"], found["key"]) == ("Keyed.", "k")
    part = run("fetch", first, "4711")
    assert part.exit_code == 1
    assert DOG in part.stdout
    assert "no turn 4711" in part.stderr
    nothing = run("fetch", "--key", "k", "--key", "other")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "no key 'k', no key 'other'" in nothing.stderr
    assert run("fetch").exit_code == run("fetch", "1", "--key", "k").exit_code == 2


def test_a_turn_is_one_turn(run: Run, run_json: Any, tmp_path: Path) -> None:
    run_json("remember", DOG)
    assert run("export", "one.jsonl").stderr == "1 turn written to one.jsonl\n"
    assert run("import", "one.jsonl", "--db", "[x].db").stdout == "1 turn stored in [x].db\n"
    assert "1 turn, 1 session; " in run("chat", stdin="/quit\n").stdout
    run_json("remember", "Two.")
    assert run("export", "two.jsonl").stderr == "2 turns written to two.jsonl\n"


def test_a_backup_is_made_and_overwrites_nothing(run: Run, run_json: Any) -> None:
    told = run_json("remember", DOG, "--user", "alice")
    assert run("backup", "copy.db").stdout == "r3mem.db copied to copy.db\n"
    assert run_json("history", "--db", "copy.db", "--user", "alice") == [told]
    refused = run("backup", "copy.db")
    assert refused.exit_code == 1
    assert "copy.db already" in refused.stderr


def test_damage_is_told_and_the_rest_is_shown(run: Run, run_json: Any, tmp_path: Path) -> None:
    told = [run_json("remember", text, "--session", "s") for text in (DOG, "Two.", "Three.")]
    whole = run("verify")
    assert (whole.exit_code, whole.stdout) == (0, "3 turns read: all is as it was written\n")
    with sqlite3.connect(tmp_path / "r3mem.db") as connection:
        connection.execute("UPDATE turns SET time_us = 1 << 62 WHERE id = 2")
    connection.close()
    for command in (
        ["history"],
        ["fetch", "1", "2", "3"],
        ["summary", "--session", "s"],
        ["export"],
    ):
        found = run(*command)
        assert found.exit_code == 1
        assert DOG in found.stdout
        assert "Two." not in found.stdout
        (note,) = found.stderr.splitlines()
        assert "turn 2 in session 's'" in note
    report = run("verify")
    assert report.exit_code == 1
    line, verdict = report.stdout.splitlines()
    assert line.startswith("turn 2 (user default, agent default, session s): ")
    assert verdict == "3 turns read: r3mem.db is damaged"
    found = run("verify", "--json")
    assert found.exit_code == 1
    [damaged] = json.loads(found.stdout)["damaged"]
    assert (damaged["id"], damaged["user"], damaged["time"]) == (2, "default", None)
    assert run("forget", "2", "--yes").exit_code == 0
    assert run_json("history") == [told[0], told[2]]
    assert run_json("verify") == {"turns": 2, "damaged": [], "problems": []}
