"""What other programs wrote, imported as people do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.running import Run
from tests.imports.chatgpt_export import conversation, export


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
