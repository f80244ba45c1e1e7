from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import synthetic, timing
from benchmarks.app import app
from benchmarks.speed import measure as speed
from r3mem_agents.testing import tiny_model


def test_percentiles_by_nearest_rank() -> None:
    assert timing.percentiles(list(range(1, 101))) == {"p50": 50.5, "p95": 95}
    assert timing.percentiles([7.0]) == {"p50": 7.0, "p95": 7.0}
    assert timing.percentiles([1.0] * 19 + [9.0]) == {"p50": 1.0, "p95": 1.0}
    assert timing.percentiles([1.0] * 9 + [9.0])["p95"] == 9.0


def test_synthetic_turns_differ_and_repeat_with_their_seed() -> None:
    stock = synthetic.demo_texts()
    turns = synthetic.make_turns(stock, 300, seed=3, combine=True)
    assert len({turn.text for turn in turns}) == 300
    assert turns == synthetic.make_turns(stock, 300, seed=3, combine=True)
    assert turns != synthetic.make_turns(stock, 300, seed=4, combine=True)
    assert Counter(turn.session for turn in turns) == {f"session {i}": 100 for i in range(3)}


def test_turns_of_a_data_set_stay_as_they_are() -> None:
    turns = synthetic.make_turns(["a", "b"], 50, seed=0, combine=False)
    assert {turn.text for turn in turns} == {"a", "b"}


@pytest.mark.parametrize(
    ("turns", "quick", "checkpoints"),
    [(10_000, False, (1_000, 10_000)), (500, False, (500,)), (10_000, True, (500,))],
)
def test_plans(turns: int, quick: bool, checkpoints: tuple[int, ...]) -> None:
    plan = speed.Plan.of(turns, quick, seed=0)
    assert plan.checkpoints == checkpoints
    assert plan.turns == checkpoints[-1]
    assert plan.single_writes < plan.turns


def test_all_stages_run_to_their_end() -> None:
    plan = speed.Plan(40, (20, 40), single_writes=4, lookups=3, expanded=10, seed=0)
    turns = synthetic.make_turns(
        ["Biscuit barks.", "The train leaves at ten."], 40, 0, combine=True
    )
    steps: Counter[str] = Counter()

    def advance(stage: str, count: int) -> None:
        steps[stage] += count

    figures = speed.measure(tiny_model(), turns, plan, advance)
    assert dict(steps) == plan.steps
    warm_up = len("Warm-up, not timed.")
    assert figures["text_bytes"] == warm_up + sum(len(turn.text.encode()) for turn in turns)
    assert list(figures["recall_ms"]) == list(figures["recall_again_ms"]) == ["20", "40"]
    assert figures["file_bytes"] > 0
    assert figures["file_to_text"] == pytest.approx(
        figures["file_bytes"] / figures["text_bytes"], abs=1e-3
    )
    for value in (figures["write_batch_turns_per_s"], figures["expand_tokens_per_s"]):
        assert value > 0
    assert figures["import_s_median"] > 0


def test_the_newest_wheel_is_weighed(tmp_path: Path) -> None:
    assert speed.wheel_bytes(tmp_path) is None
    (tmp_path / "r3mem_agents-0.1.0-py3-none-any.whl").write_bytes(b"x" * 321)
    (tmp_path / "other-1.0-py3-none-any.whl").write_bytes(b"y")
    assert speed.wheel_bytes(tmp_path) == 321


def test_the_command_writes_its_figures(tmp_path: Path) -> None:
    data, model = tmp_path / "chats.jsonl", tmp_path / "tiny"
    turns = [{"speaker": "A", "text": f"Turn {number}."} for number in range(30)]
    data.write_text(json.dumps({"type": "dialog", "turns": turns}) + "\n")
    tiny_model().save_pretrained(model)
    arguments = ["speed", "--turns", "100", "--quick", "--data", str(data)]
    result = CliRunner(env={"COLUMNS": "160"}).invoke(
        app, [*arguments, "--model", str(model), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.stderr
    record = json.loads((tmp_path / "out" / "speed.json").read_text())
    assert record["config"]["source"] == ["chats.jsonl"]
    assert record["config"]["turns"] == 100
    assert list(record["figures"]["recall_ms"]) == ["100"]
    assert "write one turn" in result.stdout
