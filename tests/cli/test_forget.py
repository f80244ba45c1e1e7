"""``r3mem forget`` with its receipts, and the log that stays."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.cli import write
from tests.cli.running import Run


def test_forget_turns_and_sessions(run: Run, run_json: Any) -> None:
    first = run_json("remember", "One.", "--session", "a")
    run_json("remember", "Two.", "--session", "a")
    run_json("remember", "Three.", "--session", "b")
    assert run("forget", str(first["id"]), "--yes").stdout == "forgot 1 turn\n"
    assert run_json("forget", "--session", "b", "--yes")["turns"] == 1
    assert [turn["text"] for turn in run_json("history")] == ["Two."]


def test_a_receipt_says_what_was_forgotten_and_how_the_file_is_now(
    run: Run, run_json: Any, tmp_path: Path
) -> None:
    told = run_json("remember", "One.", "--session", "a")
    run_json("remember", "Two.", "--session", "b")
    assert run("forget", "1", "--yes", "--receipt", "receipt.json").exit_code == 0
    receipt = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    assert receipt["turn_ids"] == [told["id"]]
    assert receipt["sessions"] == ["a"]
    file = (tmp_path / "r3mem.db").read_bytes()
    assert receipt["file_hash"] == hashlib.sha256(file).hexdigest()


@pytest.mark.parametrize("path", ["there.json", "no/folder.json", "."])
def test_without_room_for_a_receipt_nothing_is_forgotten(
    run: Run, run_json: Any, tmp_path: Path, path: str
) -> None:
    run_json("remember", "One.")
    (tmp_path / "there.json").write_text("kept")
    refused = run("forget", "1", "--yes", "--receipt", path)
    assert refused.exit_code == 1
    assert path in refused.stderr
    assert len(run_json("history")) == 1
    assert (tmp_path / "there.json").read_text() == "kept"


def test_without_forgetting_no_receipt_is_left(run: Run, run_json: Any, tmp_path: Path) -> None:
    run_json("remember", "One.")
    assert run("forget", "4711", "--yes", "--receipt", "receipt.json").exit_code == 1
    assert not (tmp_path / "receipt.json").exists()


def test_a_log_says_what_was_done_and_not_what_was_said(run: Run, run_json: Any) -> None:
    assert run("log", "--db", "nowhere.db").exit_code == 1
    run_json("remember", "Before.")
    assert "no log" in run("log").stdout
    assert [one["verb"] for one in run_json("log", "--on")] == ["keep_log"]
    turn = run_json("remember", "Biscuit barks.", "--session", "Zanzibar")
    run("forget", str(turn["id"]), "--yes")
    entries = run_json("log")[1:]
    assert [(one["verb"], one["turn_ids"], one["door"]) for one in entries] == [
        ("remember", [turn["id"]], "cli"),
        ("forget", [turn["id"]], "cli"),
    ]
    shown = run("log").stdout
    assert "forget" in shown
    assert not [word for word in ("Biscuit", "Zanzibar") if word in shown]
    assert run_json("log", "--user", "bob") == []
    assert run_json("log", "--off") == []
    assert "no log" in run("log").stdout


FORGETTINGS = [
    (["1"], "1 turn of session 'a'", ["Two.", "Three."]),
    (["1", "3", "1"], "2 turns of 2 sessions", ["Two."]),
    (["--session", "a"], "2 turns of session 'a'", ["Three."]),
    (["--everything"], "3 turns of 2 sessions", []),
]


@pytest.mark.parametrize(("which", "told", "left"), FORGETTINGS, ids=lambda one: str(one[:1]))
def test_forgetting_asks_first(
    run: Run,
    run_json: Any,
    monkeypatch: pytest.MonkeyPatch,
    which: list[str],
    told: str,
    left: list[str],
) -> None:
    said = [run_json("remember", text, "--session", name)["text"]
            for text, name in (("One.", "a"), ("Two.", "a"), ("Three.", "b"))]  # fmt: skip

    def texts() -> list[str]:
        return [turn["text"] for turn in run_json("history")]

    script = run("forget", *which, stdin="y\n")
    assert script.exit_code == 1
    assert f"add --yes to forget {told}, user 'default'" in script.stderr
    assert texts() == said, "a script must say --yes"

    monkeypatch.setattr(write, "asks_people", lambda: True)
    for answer in ("n\n", "\n", ""):
        refused = run("forget", *which, stdin=answer)
        assert refused.exit_code == 1
        assert f"Forget {told}, user 'default', agent 'default' in r3mem.db?" in refused.stderr
    assert texts() == said
    assert run("forget", *which, stdin="y\n").exit_code == 0
    assert texts() == left


def test_nothing_to_forget_is_no_question(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "asks_people", lambda: True)
    run_json("remember", "One.")
    assert "4711" in run("forget", "1", "4711").stderr
    assert "'nowhere'" in run("forget", "--session", "nowhere").stderr
    assert len(run_json("history")) == 1
    assert run("forget", "--everything", "--yes").stdout == "forgot 1 turn\n"
    assert run("forget", "--everything").stdout == "forgot 0 turns\n"


def test_a_session_in_the_environment_is_never_forgotten_by_it(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_json("remember", "One.", "--session", "keep")
    monkeypatch.setenv("R3MEM_SESSION", "keep")
    assert run("forget").exit_code == 2
    assert len(run_json("history")) == 1
