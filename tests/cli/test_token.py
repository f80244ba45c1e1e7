from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.running import Run

TABLES = "SELECT name FROM sqlite_master WHERE name = 'tokens'"


def test_a_token_is_shown_once_and_kept_as_a_hash(run: Run, tmp_path: Path) -> None:
    made = run("token", "add", "alice", "--agent", "planner")
    token = made.stdout.strip()
    assert made.exit_code == 0
    assert len(token) > 43  # 256 bits
    connection = sqlite3.connect("r3mem.db")
    [(digest, owner)] = connection.execute("SELECT digest, owner FROM tokens")
    connection.close()
    assert digest == hashlib.sha256(token.encode()).digest()
    assert b"alice" not in owner
    whole = b"".join(path.read_bytes() for path in tmp_path.glob("r3mem.db*"))
    assert token.encode() not in whole
    assert b"alice" not in whole
    assert token not in run("token", "list").stdout


def test_tokens_are_listed_and_removed_by_id(run: Run, run_json: Callable[..., Any]) -> None:
    for user in ("alice", "bob"):
        run("token", "add", user)
    alice, bob = run_json("token", "list")
    assert [alice["user"], bob["user"], bob["agent"]] == ["alice", "bob", "default"]
    assert run("token", "remove", alice["id"]).exit_code == 0
    assert run_json("token", "list") == [bob]
    again = run("token", "remove", alice["id"])
    assert again.exit_code == 1
    assert "r3mem token list" in again.stderr


def test_a_file_without_tokens_has_no_table_of_them(run: Run) -> None:
    run("remember", "My dog is called Biscuit.")
    for command in (("token", "list"), ("token", "remove", "00000000")):
        run(*command)
    connection = sqlite3.connect("r3mem.db")
    assert connection.execute(TABLES).fetchall() == []
    connection.close()


def test_a_token_for_nobody_is_refused(run: Run) -> None:
    refused = run("token", "add", " ")
    assert refused.exit_code == 1
    assert "user is blank" in refused.stderr


def test_a_damaged_token_opens_nothing(run: Run, run_json: Callable[..., Any]) -> None:
    run("token", "add", "alice")
    connection = sqlite3.connect("r3mem.db")
    connection.execute("UPDATE tokens SET made_us = made_us + 1")
    connection.commit()
    connection.close()
    assert run_json("token", "list") == []
    told = run("verify")
    assert told.exit_code == 1
    assert "row 1 of tokens: it is not what was written, so it opens nothing" in told.stdout
