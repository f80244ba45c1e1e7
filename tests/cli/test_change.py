"""Turns that expire, are pinned and edited from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Run


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("45m", timedelta(minutes=45)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_turn_expires_after_a_while(run_json: Any, value: str, length: timedelta) -> None:
    before = datetime.now(UTC)
    turn = run_json("remember", "The code is 4711.", "--expires", value)
    assert before + length <= datetime.fromisoformat(turn["expires"]) <= datetime.now(UTC) + length
    assert run_json("history") == [turn]


def test_a_turn_expires_at_a_time(run: Run, run_json: Any) -> None:
    turn = run_json("remember", "The code is 4711.", "--expires", "2999-01-31T10:00+00:00")
    assert turn["expires"] == "2999-01-31T10:00:00+00:00"
    assert "until 2999-01-31 " in run("history").stdout
    run_json("remember", "Old news.", "--expires", "2020-01-01")
    assert run_json("history") == [turn]
    for wrong in ("soon", "30y", "999999999w", "-3d"):
        refused = run("remember", "Text.", f"--expires={wrong}")
        assert refused.exit_code == 1
        assert "expires" in refused.stderr


def test_a_turn_is_edited_and_its_versions_are_shown(run: Run, run_json: Any) -> None:
    turn = run_json("remember", "My dog is called Biscuit.", "--time", "2026-01-01T10:00+00:00")
    number = str(turn["id"])
    edited = run_json("edit", number, "My dog is called Rex.", "--keep-versions")
    assert edited == turn | {"text": "My dog is called Rex."}
    assert run_json("history") == [edited]
    assert run_json("versions", number) == [turn]
    assert "Biscuit" in run("versions", number).stdout
    asked = ("What is my dog called?", "--as-of", "2026-01-02")
    assert [hit["text"] for hit in run_json("recall", *asked)] == [turn["text"]]
    assert "Biscuit" in run("context", *asked).stdout
    assert "Rex" in run("context", asked[0]).stdout
    assert run_json("recall", asked[0], "--as-of", "2025-12-31") == []
    assert run("edit", number, "-", stdin="No dog.\n").exit_code == 0
    assert run_json("history")[0]["text"] == "No dog.\n"
    assert run_json("versions", number) == []
    assert "no earlier text of turn" in run("versions", number).stdout


def test_turns_are_pinned_and_let_go_of(run: Run, run_json: Any) -> None:
    turn = run_json("remember", "I must not eat nuts.", "--name", "Alice")
    number = str(turn["id"])
    assert run_json("pin", number) == {"turn_ids": [turn["id"]], "pinned": True}
    assert "Alice (pinned): I must" in run("history").stdout
    assert "nuts" in run("context", "quantum physics").stdout
    assert run("pin", number, "--undo").stdout == "1 turn no longer pinned\n"
    assert run_json("history") == [turn]


@pytest.mark.parametrize("command", [("edit", "99", "text"), ("versions", "99"), ("pin", "99")])
def test_an_unknown_turn_is_an_error(run: Run, run_json: Any, command: tuple[str, ...]) -> None:
    run_json("remember", "Here.")
    refused = run(*command)
    assert refused.exit_code == 1
    assert "no turn 99" in refused.stderr


def test_export_and_import_take_expiries_and_pins_along(
    run: Run, run_json: Any, tmp_path: Path
) -> None:
    for text in ("one", "two", "three"):
        run_json("remember", text, "--expires", "2999-01-31T10:00+00:00")
    run_json("pin", "2")
    run_json("edit", "3", "four", "--keep-versions")
    assert run("export", "out.jsonl").exit_code == 0
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["one", "two", "four"]
    gone = {"role": "user", "text": "gone", "expires": "2020-01-01T00:00+00:00"}
    more = [json.dumps(gone), json.dumps(gone | {"text": "stays", "pinned": True})]
    (tmp_path / "more.jsonl").write_text("\n".join([*lines, *more]), "utf-8")
    assert run_json("import", "more.jsonl", "--user", "bob")["imported"] == 5
    found = run_json("history", "--user", "bob")
    end = "2999-01-31T10:00:00+00:00"
    assert [(turn["text"], turn["expires"], turn["pinned"]) for turn in found] == [
        ("one", end, False),
        ("two", end, True),
        ("four", end, False),
        ("stays", None, True),
    ]
    for wrong in ({"pinned": 1}, {"expires": 5}, {"expires": "soon"}):
        (tmp_path / "bad.jsonl").write_text(json.dumps(gone | wrong), "utf-8")
        refused = run("import", "bad.jsonl")
        assert refused.exit_code == 1
        assert "line 1" in refused.stderr
