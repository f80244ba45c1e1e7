from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.app import app
from benchmarks.codec import measure as codec
from benchmarks.codec import peers
from benchmarks.codec import report as codec_report
from benchmarks.dialogues import Said
from r3mem_agents.cli.demo.costs import static_costs
from r3mem_agents.testing import tiny_model

TURNS = [
    Said("first", "My dog is called Biscuit and he loves the beach, Alice said."),
    Said("first", "ok"),
    Said("second", "What did you do on Saturday? We went to the market in Lisbon. " * 9),
    Said("second", "Ünïcode ✓ and 中文 are turns as well."),
]
MODEL = tiny_model()


@pytest.fixture(scope="module")
def measured() -> codec.Measurement:
    return codec.measure(MODEL, TURNS, dict(peers.byte_coders(None)), lambda count: None)


@pytest.fixture(scope="module")
def figures(measured: codec.Measurement) -> dict[str, Any]:
    return codec.summarize(measured)


def test_totals_are_those_of_the_turns(figures: dict[str, Any]) -> None:
    ids = [MODEL.tokenizer.encode(said.text) for said in TURNS]
    assert figures["turns"] == figures["turns_byte_exact"] == 4
    assert figures["text_bytes"] == sum(len(said.text.encode()) for said in TURNS)
    assert figures["tokens"] == sum(map(len, ids))
    # 300 tokens: 9 bits an id, each turn in whole bytes
    assert figures["bytes"][codec.PACKED] == sum((9 * len(turn) + 7) // 8 for turn in ids)
    segments = MODEL.compress([said.text for said in TURNS])
    content = sum(len(segment.code) for segment in segments)
    assert figures["bytes"][codec.OURS] == content
    assert figures["bytes"][codec.OURS_WITH_GIST] == content + sum(
        len(segment.gists) for segment in segments
    )
    assert figures["segments"] == sum(-(-len(turn) // 64) for turn in ids)
    assert figures["inferred_share"] == pytest.approx(
        sum(segment.inferred for segment in segments) / figures["tokens"], abs=1e-5
    )


def test_data_sets_add_up_to_the_whole(figures: dict[str, Any]) -> None:
    sizes = {
        source: sum(len(said.text.encode()) for said in TURNS if said.source == source)
        for source in ("first", "second")
    }
    for name, size in figures["bytes"].items():
        parts = sum(figures["ratio_by_source"][source][name] * sizes[source] for source in sizes)
        assert parts == pytest.approx(size, abs=0.02)
        assert figures["ratio"][name] == pytest.approx(size / figures["text_bytes"], abs=1e-5)


def test_rounds_hold_every_token_once(figures: dict[str, Any]) -> None:
    assert sum(row["tokens"] for row in figures["rounds"]) == figures["tokens"]
    rounds = [row["round"] for row in figures["rounds"]]  # short turns do not take all of them
    assert rounds == list(range(len(rounds)))
    assert 1 < len(rounds) <= MODEL.config.rounds


def test_what_rounds_cost_is_what_streams_hold() -> None:
    streams = [said for said in TURNS if len(said.text) < 64]  # LZMA is tried on longer ones
    found = codec.measure(MODEL, streams, dict(peers.byte_coders(None)), lambda count: None)
    figures = codec.summarize(found)
    bits = sum(row["tokens"] * row["bits_per_token"] for row in figures["rounds"])
    assert 0 < bits <= 8 * figures["bytes"][codec.OURS]  # but for framing, hash and whole bytes


def test_ranges_leave_out_short_and_long_turns(figures: dict[str, Any]) -> None:
    assert figures["turns_50_to_250_bytes"] == 1
    assert figures["turns_of_50_bytes_and_more"] == 2
    one = figures["ratio_50_to_250_bytes"][codec.OURS]
    code = MODEL.compress([TURNS[0].text])[0].code
    assert one == pytest.approx(len(code) / len(TURNS[0].text), abs=1e-5)
    ids = [MODEL.tokenizer.encode(said.text) for said in (TURNS[0], TURNS[2])]
    costs = static_costs(MODEL.static_counts)
    codes = [len(MODEL.compress([said.text])[0].code) for said in (TURNS[0], TURNS[2])]
    wins = sum(
        code < peers.static_bytes(costs, turn) for code, turn in zip(codes, ids, strict=True)
    )
    assert figures["share_smaller_than_static_coder"] == wins / 2


def test_bins_of_turn_size(measured: codec.Measurement) -> None:
    bins = codec.by_turn_size(measured, codec_report.EDGES)
    sizes = [len(said.text.encode()) for said in TURNS]
    filled = [ratio is not None for ratio in bins[codec.PACKED]]
    expected = [
        any(low <= size < high for size in sizes)
        for low, high in zip(codec_report.EDGES, codec_report.EDGES[1:], strict=False)
    ]
    assert filled == expected


def test_a_model_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    expand = MODEL.expand
    monkeypatch.setattr(
        MODEL, "expand", lambda segments: [text.replace("ok", "OK") for text in expand(segments)]
    )
    result = codec.measure(MODEL, TURNS, {}, lambda count: None)
    assert codec.summarize(result)["turns_byte_exact"] == 3


def test_the_command_writes_figures_and_a_plot(tmp_path: Path) -> None:
    data, model = tmp_path / "chats.jsonl", tmp_path / "tiny"
    turns = [{"speaker": "A", "text": said.text} for said in TURNS]
    data.write_text(json.dumps({"type": "dialog", "turns": turns}) + "\n")
    MODEL.save_pretrained(model)
    arguments = ["codec", "--data", str(data), "--model", str(model)]
    result = CliRunner(env={"COLUMNS": "160"}).invoke(
        app, [*arguments, "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.stderr
    record = json.loads((tmp_path / "out" / "codec.json").read_text())
    assert record["benchmark"] == "codec"
    assert record["config"]["fingerprint"] == MODEL.fingerprint
    assert list(record["config"]["data"]) == ["chats.jsonl"]
    assert record["machine"]["cores"] >= 1
    assert record["versions"]["torch"]
    assert record["figures"]["turns_byte_exact"] == 4
    assert (tmp_path / "out" / "codec.png").read_bytes().startswith(b"\x89PNG")
    for name in record["figures"]["bytes"]:
        assert name in result.stdout
    assert "exact: 4 of 4 turns" in result.stdout


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "prose.jsonl").write_text('{"type": "text", "text": "prose"}\n')
    result = CliRunner().invoke(app, ["codec", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "no dialogue turns" in result.stderr
