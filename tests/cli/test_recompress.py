"""``r3mem recompress``: a file is given to another model, and the command says what it did."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import ReversibleModel
from r3mem_agents.cli import console
from r3mem_agents.testing import tiny_model
from tests.cli.running import Run


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    """A checkpoint that expands what the tiny model wrote, and makes other gists."""
    tiny = tiny_model()
    parts = (tiny.checkpoint.expander, tiny.pieces, tiny.tokenizer, tiny.static_counts)
    made = ReversibleModel.from_networks(tiny_model(1).checkpoint.encoder, *parts, "other encoder")
    made.save_pretrained(tmp_path / "encoder")
    return str(tmp_path / "encoder")


@pytest.fixture
def expander(tmp_path: Path) -> str:
    tiny_model(seed=2).save_pretrained(tmp_path / "expander")
    return str(tmp_path / "expander")


@pytest.fixture
def said(run: Run) -> list[str]:
    texts = ["My dog is called Biscuit.", "We went to the market in Lisbon.", "At 10:30."]
    for text in texts:
        run("remember", text)
    return texts


def texts(run: Run, model: str) -> list[str]:
    return [turn["text"] for turn in json.loads(run("history", "--model", model, "--json").stdout)]


def test_another_encoder_reads_the_file_and_says_what_to_do(
    run: Run, said: list[str], encoder: str
) -> None:
    result = run("recall", "Lisbon", "--model", encoder)
    assert result.exit_code == 0
    assert said[1] in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("note: another model made gists of r3mem.db")
    assert line.endswith("r3mem recompress r3mem.db")
    assert run("recompress", "r3mem.db", "--model", encoder).exit_code == 0
    assert run("recall", "Lisbon", "--model", encoder).stderr == ""


@pytest.mark.parametrize("how", [["r3mem.db"], ["--db", "r3mem.db"], []])
def test_a_table_says_what_was_done(
    run: Run, said: list[str], encoder: str, how: list[str]
) -> None:
    first = run("recompress", *how, "--model", encoder)
    assert (first.exit_code, first.stderr) == (0, "")
    rows = [line for line in first.stdout.splitlines() if "other encoder" in line]
    assert [row.split()[-2] for row in rows] == ["3"]
    second = run("recompress", *how, "--model", encoder, "--json")
    assert json.loads(second.stdout) == {
        "turns": 3,
        "recompressed": 0,
        "damaged": [],
        "model_before": "other encoder",
        "model": "other encoder",
    }
    assert texts(run, encoder) == said


def test_another_expander_takes_the_checkpoint_that_wrote_the_file(
    run: Run, said: list[str], expander: str, checkpoint: Path
) -> None:
    refused = run("recompress", "r3mem.db", "--model", expander)
    assert refused.exit_code == 1
    assert "tiny-0" in refused.stderr
    assert "r3mem recompress r3mem.db --from PATH" in refused.stderr
    result = run("recompress", "r3mem.db", "--from", str(checkpoint), "--model", expander)
    assert result.exit_code == 0
    assert texts(run, expander) == said
    assert run("history").exit_code == 1


def test_damaged_turns_are_named(run: Run, said: list[str], encoder: str) -> None:
    with closing(sqlite3.connect("r3mem.db")) as connection:
        connection.execute("UPDATE turns SET checksum = checksum + 1 WHERE id = 2")
        connection.commit()
    result = run("recompress", "r3mem.db", "--model", encoder)
    assert result.exit_code == 1
    assert "turn 2 (user default" in result.stdout
    found: Any = json.loads(run("recompress", "--model", encoder, "--json").stdout)
    assert [turn["id"] for turn in found["damaged"]] == [2]


def test_a_bar_is_drawn_where_it_takes_long(
    run: Run, said: list[str], encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "PATIENCE_S", 0.0)
    assert "compressing" in run("recompress", "r3mem.db", "--model", encoder).stderr


def test_one_file_that_exists(run: Run, tmp_path: Path) -> None:
    assert "no memory at nowhere.db" in run("recompress", "nowhere.db").stderr
    assert not (tmp_path / "nowhere.db").exists()
    run("remember", "One.", "--db", "a.db")
    assert "name one file" in run("recompress", "a.db", "--db", "b.db").stderr
