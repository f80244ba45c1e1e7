from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.app import app
from benchmarks.recall.ablation import WORDS, WORDS_AND_GIST
from benchmarks.recall.conversations import Conversation
from tests.benchmarks.recall.talks import TALKS


def _save(folder: Path, talks: tuple[Conversation, ...]) -> Path:
    path = folder / "talks.jsonl"
    path.write_text("".join(talk.model_dump_json() + "\n" for talk in talks))
    return path


def _run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["recall", *arguments])


def _steady(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures without those that a clock or a machine gives."""
    for row in figures["systems"].values():
        for name in ("lookup_ms", "write_s", "write_turns_per_s", "peak_memory_bytes"):
            del row[name]
        if row["disk_bytes"] > 20_000:
            del row["disk_bytes"]  # a database
    return figures


@pytest.mark.usefixtures("one_process")
def test_the_command_writes_figures_and_a_plot(tmp_path: Path, checkpoint: str) -> None:
    first = TALKS[0]
    broken = first.questions[0].model_copy(update={"gold": ("t0", "t99")})
    talks = (first.model_copy(update={"questions": (broken, *first.questions[1:])}), TALKS[1])
    common = ["--data", str(_save(tmp_path, talks)), "--model", checkpoint, "--seed", "5"]
    common += ["--systems", "bm25,r3mem", "--ablate"]
    shown = _run(*common, "--out", str(tmp_path / "one"))
    assert shown.exit_code == 0, shown.stderr
    assert "alice, question 1: no turn 't99'" in shown.stderr
    for word in (
        "recall@5",
        "mrr",
        "any@5",
        "all@5",
        "Silence",
        "r3mem context()",
        "without session",
        "its teacher to all the rest",
    ):
        assert word in shown.stdout
    record = json.loads((tmp_path / "one" / "recall.json").read_text())
    assert record["benchmark"] == "recall"
    assert record["config"]["seed"] == 5
    assert list(record["config"]["data"]) == ["talks.jsonl"]
    assert record["config"]["problems"] == ["alice, question 1: no turn 't99'"]
    assert record["versions"]["bm25s"]
    assert list(record["figures"]["systems"]) == ["bm25", "r3mem"]
    assert list(record["figures"]["ahead_of"]) == ["bm25"]
    ablation = record["figures"]["ablation"]
    alone, both = (
        ablation[name]["overall"]["recall@5"]["value"] for name in (WORDS, WORDS_AND_GIST)
    )
    added = {
        name: row["overall"]["recall@5"]["value"]
        for name, row in record["figures"]["added"].items()
    }
    assert len(added) == 4
    assert added["the gist to words alone"] == pytest.approx(both - alone, abs=2e-5)
    lost = ablation["without gist"]["lost"]["overall"]["recall@5"]["value"]
    assert added["the gist to all the rest"] == pytest.approx(lost, abs=2e-5)
    assert (tmp_path / "one" / "recall.png").read_bytes().startswith(b"\x89PNG")

    printed = _run(*common, "--out", str(tmp_path / "two"), "--json")
    assert printed.exit_code == 0, printed.stderr
    again = json.loads(printed.stdout)["figures"]
    assert _steady(again) == _steady(record["figures"])


@pytest.mark.usefixtures("one_process")
def test_a_limit_keeps_the_first_conversations(tmp_path: Path, checkpoint: str) -> None:
    data = str(_save(tmp_path, TALKS))
    arguments = ["--data", data, "--model", checkpoint, "--systems", "bm25", "--limit", "1"]
    result = _run(*arguments, "--out", str(tmp_path / "out"), "--json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)["figures"]
    assert (figures["conversations"], figures["turns"]) == (1, 5)
    assert figures["systems"]["bm25"]["silence"]["overall"]["wrong_conversation"] is None


@pytest.mark.usefixtures("one_process")
def test_without_data_the_demonstrations_meetings_are_asked_about(
    tmp_path: Path, checkpoint: str
) -> None:
    arguments = ["--model", checkpoint, "--systems", "bm25", "--out", str(tmp_path), "--json"]
    result = _run(*arguments)
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert list(record["config"]["data"]) == ["committee.json"]
    assert (record["figures"]["turns"], record["figures"]["questions"]) == (632, 48)
    assert record["figures"]["systems"]["bm25"]["overall"]["recall@20"]["value"] > 0.3


def test_errors_are_named(tmp_path: Path) -> None:
    path = _save(tmp_path, TALKS)
    unknown = _run("--data", str(path), "--systems", "faiss")
    assert unknown.exit_code == 1
    assert "no system 'faiss'" in unknown.stderr
    path.write_text(path.read_text() + "{broken\n")
    broken = _run("--data", str(path))
    assert broken.exit_code == 1
    assert "line 3 is not a conversation" in broken.stderr
    silent = TALKS[0].model_copy(update={"questions": ()})
    nothing = _run("--data", str(_save(tmp_path, (silent,))))
    assert nothing.exit_code == 1
    assert "no question with gold turns" in nothing.stderr
