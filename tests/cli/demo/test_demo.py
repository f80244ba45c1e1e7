from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.cli.demo import meetings
from tests.cli.running import Run

TURNS = 8
RESULTS = Path(__file__).parents[3] / "docs" / "results"


def test_the_whole_demo_on_a_slice(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--turns", str(TURNS))
    assert result.exit_code == 0, result.stderr
    assert f"{TURNS} of {TURNS} turns are the same to the byte" in result.stdout
    assert "vector store, at least (computed)" in result.stdout
    for number, question in enumerate(meetings.SHOWN_QUESTIONS, 1):
        assert f"Q{number}  {question}" in result.stdout
    assert "2000-01" not in result.stdout  # stand-in times are not shown
    picture = (tmp_path / "r3mem-demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == 1950  # 13 inches at 150 dots
    assert (tmp_path / "r3mem-demo.db").exists()


def test_json_holds_the_same_figures(run_json: Any, run: Run) -> None:
    report = run_json("demo", "--turns", str(TURNS))
    told = meetings.load(TURNS).turns
    size = sum(len(turn.text.encode()) for turn in told)
    assert report["turns"] == report["byte_exact_turns"] == len(told) == TURNS
    assert report["text_bytes"] == report["stored"]["text_bytes"] == size
    assert report["vector_store_bytes_computed"] == TURNS * 384 * 4 + size
    assert report["questions"] == len(meetings.SHOWN_QUESTIONS)
    assert [shown["question"] for shown in report["shown"]] == list(meetings.SHOWN_QUESTIONS)
    by_id = {(turn.metadata or {})["id"]: turn.text for turn in told}
    for shown in report["shown"]:
        assert len(shown["hits"]) <= 5
        for hit in shown["hits"]:
            assert hit["text"] == by_id[hit["id"]]
    stats = json.loads(run("stats", "--db", "r3mem-demo.db", "--user", "demo", "--json").stdout)
    assert stats["code_bytes"] == report["stored"]["code_bytes"]


def _phrases(figures: Mapping[str, Any]) -> list[str]:
    """What a text of these figures has to say."""
    stored = figures["stored"]
    names = ("text_bytes", "code_bytes", "gist_bytes", "term_bytes", "file_bytes")
    sizes = [*(stored[name] for name in names), figures["vector_store_bytes_computed"]]
    return [
        f"compressed {figures['turns']:,} turns (",
        f"in {figures['write_seconds']:.1f} s: ",
        f"again in {figures['read_seconds']:.1f} s: {figures['byte_exact_turns']:,} of",
        *(f"│ {size:,} │ {size / stored['text_bytes']:.1%} │" for size in sizes),
        f"{stored['bits_per_token']:.2f} bits per token; {stored['inferred_share']:.1%} of",
        f"{stored['tokens']:,} tokens",
        *(f"{asked['question']} {asked['milliseconds']:.0f} ms" for asked in figures["shown"]),
        f"for {figures['questions_with_a_gold_turn']} of all {figures['questions']} questions",
        f"median {figures['recall_ms_p50']:.0f} ms",
    ]


def _assert_of_one_run(folder: Path) -> None:
    """The text and the JSON say the same numbers."""
    figures = json.loads((folder / "demo.json").read_text(encoding="utf-8"))["figures"]
    text = (folder / "demo.txt").read_text(encoding="utf-8")
    flat = " ".join(text.split())
    for phrase in _phrases(figures):
        assert phrase in flat
    assert re.findall(r"^ (\d\.\d\d)  ([●○])  .*, (meeting \d), turn (\d+) of", text, re.M) == [
        (f"{hit['score']:.2f}", "●" if hit["gold"] else "○", hit["session"], str(hit["turn"]))
        for asked in figures["shown"]
        for hit in asked["hits"]
    ]


def test_one_run_writes_text_json_and_picture(run: Run, run_json: Any, tmp_path: Path) -> None:
    shown = run_json("demo", "--turns", str(TURNS), "--out", "results")
    _assert_of_one_run(tmp_path / "results")
    written = json.loads((tmp_path / "results/demo.json").read_text(encoding="utf-8"))
    assert written["figures"] == shown
    assert written["machine"]["cores"] > 0
    assert shown["picture"] == "results/demo.png"
    assert (tmp_path / "results/demo.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "results/demo.txt").read_text(encoding="utf-8")
    quoted = [line for line in text.splitlines() if line.startswith(" " * 10)]
    assert max(map(len, quoted)) <= 80, "whatever the terminal"
    for words in ("compressed ", "again in ", "median ", "\n 0."):
        changed = text.replace(words, f"{words}9")  # as if it came from another run
        assert changed != text
        (tmp_path / "results/demo.txt").write_text(changed, encoding="utf-8")
        with pytest.raises(AssertionError):
            _assert_of_one_run(tmp_path / "results")


def test_what_is_published_is_of_one_run() -> None:
    _assert_of_one_run(RESULTS)


def test_a_second_run_replaces_the_first(run_json: Any) -> None:
    assert run_json("demo", "--turns", "8")["stored"]["turns"] == 8
    assert run_json("demo", "--turns", "4")["stored"]["turns"] == 4


def test_another_file_is_replaced_only_by_force(run: Run, run_json: Any, tmp_path: Path) -> None:
    run_json("remember", "Precious.", "--db", "mine.db")
    refused = run("demo", "--turns", "4", "--db", "mine.db")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert [turn["text"] for turn in run_json("history", "--db", "mine.db")] == ["Precious."]
    assert run_json("demo", "--turns", "4", "--db", "mine.db", "--force")["turns"] == 4
    assert (tmp_path / "mine.png").exists()


@pytest.mark.parametrize("folder", ["", "/", "."])
def test_a_folder_is_no_place_for_the_memory(run: Run, folder: str) -> None:
    refused = run("demo", "--turns", "4", "--db", folder, "--force")
    assert refused.exit_code == 1
    assert "is a folder" in refused.stderr


def test_without_matplotlib_only_the_picture_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = run("demo", "--turns", "4")
    assert result.exit_code == 0
    assert "r3mem-agents[plot]" in result.stderr
    assert "to the byte" in result.stdout
    assert not (tmp_path / "r3mem-demo.png").exists()


def test_the_meetings_are_what_the_attribution_says() -> None:
    loaded = meetings.load()
    assert len(loaded.turns) == 632
    assert len(loaded.sessions) == 4
    assert sum(len(turn.text.encode()) for turn in loaded.turns) == 260_764
    assert len(loaded.questions) == 48
    assert sum(question.shown for question in loaded.questions) == 5
    ids = {(turn.metadata or {})["id"] for turn in loaded.turns}
    assert all(question.gold and question.gold <= ids for question in loaded.questions)
    times = [turn.time for turn in loaded.turns if turn.time]
    assert times == sorted(times)
    assert len(set(times)) == 632
