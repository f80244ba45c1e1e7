"""What other programs wrote, imported as people do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli import transfer
from tests.cli.running import Run
from tests.imports.chatgpt_export import conversation, export
from tests.imports.test_logs import CLAUDE_CODE


def test_importing_twice_changes_nothing(run: Run, run_json: Any, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(export(*map(conversation, range(5))))
    first = run_json("import", "c.json")
    assert (first["conversations"], first["imported"], first["there_before"]) == (5, 15, 0)
    before = run_json("history")
    again = run("import", "c.json")
    assert again.stdout == "15 turns stored in r3mem.db, 15 of them were there before\n"
    assert "ChatGPT: 5 conversations, 15 turns, 2023-11-14, by user, assistant" in again.stderr
    assert "left out: 15 messages of other branches, 5 system messages" in again.stderr
    assert run_json("history") == before
    (tmp_path / "c.json").write_bytes(export(*(conversation(one, extra=1) for one in range(5))))
    later = run_json("import", "c.json")
    assert (later["imported"], later["there_before"]) == (20, 15)


def test_nothing_is_stored_of_a_file_that_is_broken_at_its_end(run: Run, tmp_path: Path) -> None:
    chats = [conversation(1), conversation(2) | {"mapping": None}]
    (tmp_path / "c.json").write_text(json.dumps(chats))
    assert run("import", "c.json").exit_code == 1
    assert not (tmp_path / "r3mem.db").exists()


def test_an_export_gives_the_same_keys_back(run: Run, run_json: Any, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(export(*map(conversation, range(3))))
    run("import", "c.json")
    assert run("export", "out.jsonl").exit_code == 0
    again = run_json("import", "out.jsonl")
    assert (again["imported"], again["there_before"]) == (9, 9)
    run("import", "out.jsonl", "--db", "other.db")
    assert run_json("import", "c.json", "--db", "other.db")["there_before"] == 9
    assert run("export", "--db", "other.db").stdout == run("export").stdout


def test_an_export_that_a_shell_wrote_as_utf_16_is_read(run: Run, run_json: Any) -> None:
    run_json("remember", "Grüße 👋", "--session", "s")
    exported = run("export").stdout.encode("utf-16")
    assert run_json("import", "-", "--db", "other.db", stdin=exported)["imported"] == 1
    assert run("export", "--db", "other.db").stdout == run("export").stdout


def test_an_import_that_was_stopped_goes_on(
    run: Run, run_json: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.json").write_bytes(export(*map(conversation, range(4))))
    remember_many, runs = CompressiveMemory.remember_many, iter(range(3))

    def remember(memory: CompressiveMemory, turns: Any) -> Any:
        if next(runs) == 2:
            raise KeyboardInterrupt
        return remember_many(memory, turns)

    monkeypatch.setattr(transfer, "BATCH_TURNS", 2)
    with monkeypatch.context() as patch:
        patch.setattr(CompressiveMemory, "remember_many", remember)
        stopped = run("import", "c.json")
    assert "first 4 of 12 turns are stored, see: r3mem history; import the file again" in (
        stopped.stderr
    )
    went_on = run_json("import", "c.json")
    assert (went_on["imported"], went_on["there_before"]) == (12, 4)
    run("import", "c.json", "--db", "other.db")
    assert run("export", "--db", "other.db").stdout == run("export").stdout


def test_columns_are_named_on_the_command_line(run: Run, run_json: Any, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("author,message\nAnn,My dog is called Biscuit.\n")
    run_json("import", "log.csv", "--column", "text=message", "--column", "name=author")
    assert [(turn["name"], turn["text"]) for turn in run_json("history")] == [
        ("Ann", "My dog is called Biscuit.")
    ]
    for bad in ("text", "colour=red"):
        refused = run("import", "log.csv", "--column", bad)
        assert f"--column '{bad}' names no field" in refused.stderr


def test_markdown_is_a_page_a_session(run: Run, run_json: Any, tmp_path: Path) -> None:
    texts = ["# A heading\n\nand\r\nmore", "Yes."]
    for session in ("../Trip: Rome", ".. trip rome"):
        for role, text in zip(("user", "assistant"), texts, strict=True):
            run_json("remember", text, "--role", role, "--session", session, "--name", "Ann")
    written = run("export", "pages", "--to", "markdown")
    assert written.stderr == "4 turns written to 2 files in pages\n"
    pages = {path.name: path.read_bytes().decode() for path in (tmp_path / "pages").iterdir()}
    assert sorted(pages) == ["Trip-Rome.md", "trip-rome-2.md"]
    first = pages["Trip-Rome.md"]
    assert first.startswith("# ../Trip: Rome\n\n## Ann (user), 20")
    assert all(f"\n\n{text}\n" in first for text in texts)
    again = run("export", "pages", "--to", "markdown")
    assert "pages is not empty" in again.stderr
    assert "give the path of a new folder" in run("export", "--to", "markdown").stderr
    assert {path.name for path in tmp_path.iterdir()} == {"pages", "r3mem.db"}


def test_what_was_edited_or_forgotten_is_as_the_file_has_it(
    run: Run, run_json: Any, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_bytes(export(conversation(1)))
    run("import", "c.json")
    before = [(turn["key"], turn["text"]) for turn in run_json("history")]
    run("edit", "1", "Something else.")
    run("forget", "2", "--yes")
    assert len(run_json("history")) == 2
    run("import", "c.json")
    assert sorted((turn["key"], turn["text"]) for turn in run_json("history")) == sorted(before)


def test_what_hooks_remembered_is_counted_and_of_several_users_one_is_meant(
    run: Run, run_json: Any, tmp_path: Path
) -> None:
    run_json("remember", "Fix the test.", "--session", "s1")
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    found = run_json("import", "s1.jsonl")
    assert (found["imported"], found["skipped"]["turns that hooks remembered"]) == (2, 1)
    memories = [{"id": name, "memory": "x", "user_id": name} for name in ("ann", "bob")]
    (tmp_path / "m.json").write_text(json.dumps(memories))
    assert "none of them 'default': say by --user" in run("import", "m.json").stderr
    assert run_json("import", "m.json", "--user", "bob")["imported"] == 1
    assert [turn["key"] for turn in run_json("history", "--user", "bob")] == ["bob"]
