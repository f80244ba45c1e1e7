from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.testing import tiny_model
from tests.cli.running import Run


def _one_error_line(result: Any) -> str:
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "Traceback" not in result.stderr
    return str(lines[0])


@pytest.mark.parametrize("db", ["nowhere.db", "sqlite:///nowhere.db"])
@pytest.mark.parametrize(
    "command", [["recall", "x"], ["summary"], ["history"], ["stats"], ["export"]]
)
def test_reading_where_nothing_is_makes_no_file(
    run: Run, tmp_path: Path, command: list[str], db: str
) -> None:
    line = _one_error_line(run(*command, "--db", db))
    assert "nowhere.db" in line
    assert "--db" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["remember", "x", "--time", "yesterday"], ["--time", "yesterday", "2026-11-20"]),
        (["remember", "x", "--time", "0001-01-01"], ["--time", "0001-01-01"]),
        (["remember", "x", "--metadata", "{"], ["--metadata", "JSON"]),
        (["remember", "x", "--metadata", "[1]"], ["--metadata", "object"]),
        (["remember", "x", "--metadata", "[" * 100_000], ["--metadata", "deep"]),
        (["remember", "x", "--metadata", '{"a": "\\ud800"}'], ["metadata", "surrogate"]),
        (["remember", "x", "--session", ""], ["session"]),
        (["remember", "bad \udcff byte"], ["surrogate"]),
        (["remember", "x", "--db", "no/such/folder/x.db"], ["no/such/folder"]),
        (["recall", "x", "--db", ":memory:", "--now", "soon"], ["--now", "soon", "2026-11-20"]),
        (["context", "x", "--db", ":memory:", "--now", "soon"], ["--now", "soon", "2026-11-20"]),
        (["import", "no-such.jsonl"], ["no-such.jsonl"]),
        (["remember", "x", "--model", "no-such-model"], ["no-such-model"]),
        (["chat", "--model", "nobody:nothing"], ["no chat model nobody:nothing"]),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    run: Run, arguments: list[str], names: list[str]
) -> None:
    line = _one_error_line(run(*arguments))
    for name in names:
        assert name in line


@pytest.mark.parametrize("variable", ["R3MEM_DB", "R3MEM_USER", "R3MEM_AGENT", "R3MEM_SESSION"])
def test_a_variable_that_is_set_to_nothing_names_nobody(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    assert f"{variable} is empty" in _one_error_line(run("remember", "My secret."))
    assert list(tmp_path.iterdir()) == []
    option = f"--{variable.removeprefix('R3MEM_').lower()}"
    assert run("remember", "My secret.", option, "named.db").exit_code == 0


def test_stdin_that_is_no_text(run: Run) -> None:
    assert "UTF-8" in _one_error_line(run("remember", "-", stdin=b"\xff\xfe"))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["export", "no/such/x.jsonl"], ["no/such/x.jsonl", "create its folder"]),
        (["export", "folder"], ["folder: it is a folder"]),
        (["export", ""], ["it is a folder"]),
        (["export", "r3mem.db/x.jsonl"], ["r3mem.db/x.jsonl", "is a file"]),
        (["export", "x" * 300], ["the name is too long"]),
        (["export", "/dev/full"], ["/dev/full: the disk is full"]),
        (["import", "folder"], ["folder: it is a folder"]),
        (["import", "r3mem.db/x.jsonl"], ["r3mem.db/x.jsonl", "is a file"]),
        (["demo", "--db", "d.db", "--turns", "4", "--out", "r3mem.db"], ["r3mem.db", "another"]),
        (["recompress", ""], ["path of a memory"]),
    ],
)
def test_a_path_that_cannot_be_is_named_with_what_to_do(
    run: Run, tmp_path: Path, arguments: list[str], names: list[str]
) -> None:
    (tmp_path / "folder").mkdir()
    run("remember", "One.")
    before = (tmp_path / "r3mem.db").read_bytes()
    line = _one_error_line(run(*arguments))
    assert "Errno" not in line
    for name in names:
        assert name in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "r3mem.db"]
    assert (tmp_path / "r3mem.db").read_bytes() == before


def test_k_below_one(run: Run) -> None:
    run("remember", "One.")
    assert "k" in _one_error_line(run("recall", "One", "-k", "0"))
    assert "k" in _one_error_line(run("summary", "-k", "0"))


@pytest.mark.parametrize("command", ["summary", "history"])
def test_an_unknown_session_is_named(run: Run, command: str) -> None:
    run("remember", "One.")
    assert "'nowhere'" in _one_error_line(run(command, "--session", "nowhere"))


def test_a_number_too_large_for_any_turn_is_unknown(run: Run, run_json: Any) -> None:
    run_json("remember", "One.")
    assert f"no turn {2**70} in" in _one_error_line(run("fetch", str(2**70)))


def test_unknown_turns_are_named_and_nothing_is_forgotten(run: Run, run_json: Any) -> None:
    run_json("remember", "One.")
    assert "4711" in _one_error_line(run("forget", "4711", "--yes"))
    assert len(run_json("history")) == 1


def test_the_file_of_another_program(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"These are my notes. " * 300)
    line = _one_error_line(run("history", "--db", "notes.db"))
    assert "notes.db" in line
    assert (tmp_path / "notes.db").read_bytes() == b"These are my notes. " * 300


def test_a_memory_of_another_model_names_both(run: Run, run_json: Any, tmp_path: Path) -> None:
    run_json("remember", "One.")
    other = tiny_model(seed=1)
    other.save_pretrained(tmp_path / "other")
    line = _one_error_line(run("history", "--model", str(tmp_path / "other")))
    assert other.expander_fingerprint in line
    assert tiny_model().expander_fingerprint in line
    assert "r3mem recompress" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["forget"],
        ["forget", "1", "--everything"],
        ["forget", "one"],
        ["recall"],
        ["recall", "x", "--level", "page"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr
