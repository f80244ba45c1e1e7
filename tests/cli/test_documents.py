"""``r3mem remember --file``, as people use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.documents import storing
from tests.cli.running import Run

GUIDE = "# Cats\n\nThey eat tuna.\n\n## Night\n\nThey sleep under the stove.\n"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "guide.md").write_text(GUIDE)
    (folder / "dogs.txt").write_text("Dogs eat all.")
    (folder / "empty.md").write_text("")
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    return folder


def test_a_folder_twice_is_there_once(run: Run, run_json: Any, notes: Path) -> None:
    first = run("remember", "--file", "notes")
    assert first.stdout == "2 documents in r3mem.db, 3 passages: 3 new\n"
    assert "empty.md: there is no text in it" in first.stderr
    assert "left out: 1 other files" in first.stderr
    before = Path("r3mem.db").read_bytes()
    again = run("remember", "--file", str(notes))
    assert again.stdout == "2 documents in r3mem.db, 3 passages: 3 there before\n"
    assert Path("r3mem.db").read_bytes() == before
    (notes / "guide.md").write_text("New.\n\n" + GUIDE.replace("tuna", "all"))
    changed = run_json("remember", "--file", "notes/guide.md")
    assert changed["documents"] == [
        {"session": (notes / "guide.md").as_posix(), "added": 2, "kept": 1, "forgotten": 1}
    ]
    assert "They eat tuna." not in run("history").stdout


def test_passages_are_shown_with_their_places(run: Run, notes: Path) -> None:
    run("remember", "--file", "notes")
    place = "guide.md, line 5, Cats > Night"
    assert place in run("recall", "Who sleeps under the stove?").stdout
    assert f"] {place}: ## Night" in run("context", "Who sleeps under the stove?").stdout
    assert place in run("history").stdout


def test_nothing_is_made_for_a_file_that_cannot_be_read(run: Run, notes: Path) -> None:
    for name, why in {"empty.md": "no text", "picture.png": "neither", "no.md": "no such"}.items():
        refused = run("remember", "--file", f"notes/{name}")
        assert refused.exit_code == 1
        assert why in refused.stderr
    assert not Path("r3mem.db").exists()


def test_a_document_has_no_speaker(run: Run, notes: Path) -> None:
    for option in ("--role", "--name", "--session", "--time", "--metadata", "--expires"):
        refused = run("remember", "--file", "notes", option, "x")
        assert refused.exit_code == 2
        assert f"--file and {option} do not go together" in refused.stderr
    assert "--file and text do not" in run("remember", "x", "--file", "notes").stderr
    assert run("remember").exit_code == 2


def test_what_was_stopped_goes_on(
    run: Run, run_json: Any, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "AT_ONCE", 1)
    from r3mem_agents import CompressiveMemory

    remember_many, runs = CompressiveMemory.remember_many, iter(range(9))

    def remember(memory: CompressiveMemory, *turns: Any, **options: Any) -> Any:
        if next(runs) == 2:
            raise KeyboardInterrupt
        return remember_many(memory, *turns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(CompressiveMemory, "remember_many", remember)
        assert "run the same again to go on" in run("remember", "--file", "notes").stderr
    again = run_json("remember", "--file", "notes")
    assert [(one["added"], one["kept"]) for one in again["documents"]] == [(0, 1), (1, 1)]
