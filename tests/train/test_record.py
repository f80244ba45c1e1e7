"""The record of the bundled checkpoint, and pictures of records."""

from __future__ import annotations

from pathlib import Path

import pytest

from r3mem_agents import ReversibleModel
from r3mem_agents.model import checkpoint
from r3mem_agents.train.record import STAGES, draw, read_record, write_record

BASE = checkpoint.find("r3mem-base-1")


def test_the_bundled_record_is_of_the_bundled_checkpoint() -> None:
    record = read_record(BASE)
    assert (record["name"], record["fingerprint"]) == (
        "r3mem-base-1",
        checkpoint.load(BASE).fingerprint,
    )
    config = checkpoint.load(BASE).expander.config
    assert record["expander"]["recipe"]["config"] == config.to_dict()


@pytest.mark.parametrize("stage", STAGES)
def test_its_curves_go_on_and_end_at_what_was_trained(stage: str) -> None:
    trained = read_record(BASE)[stage]
    tokens = [point["tokens"] for point in trained["curve"]]
    assert tokens == sorted(tokens)
    assert tokens[-1] == trained["tokens_seen"]
    assert trained["curve"][-1]["held_out"]
    assert all(len(digest) == 64 for digest in trained["data_sha256"].values())


def test_every_source_that_was_read_is_attributed() -> None:
    record = read_record(BASE)
    told = (BASE / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for name in {name for stage in STAGES for name in record[stage]["data_sha256"]}:
        if not name.startswith("multi/"):
            assert f"| {name.partition('.')[0]} |" in told


def test_a_stage_that_was_not_trained_keeps_its_record(
    tmp_path: Path, model: ReversibleModel
) -> None:
    before = {"encoder": {"steps": 3}, "expander": {"steps": 4}}
    record = write_record(tmp_path, model, before, expander={"steps": 5})
    assert record == read_record(tmp_path)
    assert (record["encoder"], record["expander"]) == ({"steps": 3}, {"steps": 5})
    on = write_record(tmp_path, model, record, expander={"steps": 6, "started_from": "abc"})
    assert on["expander"] == {"steps": 6, "started_from": "abc", "before": {"steps": 5}}
    assert record["fingerprint"] == model.fingerprint
    assert read_record(tmp_path / "nowhere") == {}


def test_records_of_one_stage_or_both_are_drawn(tmp_path: Path) -> None:
    whole = read_record(BASE)
    for number, record in enumerate((whole, whole | {"encoder": None}, {})):
        path = tmp_path / f"{number}.png"
        draw(record, path)
        assert path.read_bytes().startswith(b"\x89PNG")
