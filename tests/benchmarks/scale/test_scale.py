from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.app import app
from benchmarks.scale.measure import Load

STOCK = ("The dog is called Biscuit.", "We meet on Friday.", "Lisbon was warm.")


def test_turns_repeat_their_texts_at_times_of_their_own() -> None:
    load = Load(turns=250, users=1, stock=STOCK, distinct=100, seed=0)
    turns = [turn for batch in load.batches() for turn in batch]
    assert len(turns) == 250
    assert len({turn.text for turn in turns}) == 100
    times = [turn.time for turn in turns]
    assert times == sorted(times, key=lambda time: time or 0)
    assert turns[100].text == turns[0].text
    assert {turn.session for turn in turns[:100]} == {"session 0"}
    assert load.questions() == load.questions()


@pytest.mark.parametrize("wrong", [["--sizes", "many"], ["--sizes", "0"], ["--users", "3"]])
def test_wrong_counts_are_named(wrong: list[str], checkpoint: str) -> None:
    found = CliRunner().invoke(app, ["scale", "--model", checkpoint, *wrong])
    assert found.exit_code == 1
    assert repr(wrong[1]) in found.output


@pytest.mark.usefixtures("one_process")
def test_a_small_run(checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.scale.measure.LOOKUPS", 9)
    found = CliRunner().invoke(
        app,
        ["scale", "--sizes", "20,40", "--users", "3x5", "--distinct", "10"]
        + ["--model", checkpoint, "--out", str(tmp_path)],
    )
    assert found.exit_code == 0, found.output
    figures = json.loads((tmp_path / "scale.json").read_text())["figures"]
    assert [row["turns"] for row in figures["one_user"]] == [20, 40]
    for row in figures["one_user"]:
        assert row["r3mem"]["lookup_ms"]["p50"] > 0
        assert row["r3mem"]["disk_bytes"] > 0
        assert row["bm25"]["lookup_ms"]["p50"] > 0
    many = figures["many_users"]
    assert (many["users"], many["turns"]) == (3, 5)
    assert "bm25" not in many
    assert (tmp_path / "scale.png").read_bytes().startswith(b"\x89PNG")
    assert "3 x 5" in found.output
