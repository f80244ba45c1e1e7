"""The three tables on a tiny random Llama."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from benchmarks.app import app
from benchmarks.latent import reading, sources
from benchmarks.latent.answers import Answerer, Known
from benchmarks.latent.reading import READ, Cell, Reader
from benchmarks.latent.scores import exact, f1
from r3mem_agents.latent import LatentMemory
from r3mem_agents.train.latent.texts import is_held_out
from tests.benchmarks.recall.talks import TALKS
from tests.latent.families import TOKENS, base, learned, tokenizer

CELLS = (Cell(32, 1), Cell(64, 1), Cell(16, 4))


@pytest.fixture(scope="module")
def memory() -> LatentMemory:
    made = LatentMemory.from_base(base("llama"), tokenizer=tokenizer(), tokens=TOKENS, segment=16)
    return learned(made)


@pytest.fixture(scope="module")
def window() -> torch.Tensor:
    text = "Biscuit is a dog, and in Lisbon. " * 3
    return torch.tensor([tokenizer()(text).input_ids[: 32 + READ]])


def test_the_whole_history_is_what_the_base_reads(
    memory: LatentMemory, window: torch.Tensor
) -> None:
    adapter, reader = memory.adapter, Reader(memory.adapter, window)
    ids = torch.cat([torch.tensor([[adapter.sink]]), window], dim=1)
    with torch.no_grad():
        logits = adapter.base(input_ids=ids).logits[0, -READ:-1]
        wanted = torch.nn.functional.cross_entropy(logits, window[0, -READ + 1 :])
        assert reader.after_raw(32) == pytest.approx(float(wanted), abs=1e-4)


def test_memory_tokens_are_read_as_a_memory_reads_them(
    memory: LatentMemory, window: torch.Tensor
) -> None:
    reader = Reader(memory.adapter, window)
    history, text = (memory.tokenizer.decode(one) for one in (window[0, :32], window[0, 32:]))
    state = memory.compress(history)
    with torch.no_grad():
        found = reader.after_memory(reader.blocks(16), 0)
    assert found == pytest.approx(float(memory.read(state, text).mean()), abs=1e-4)


def test_a_cell_says_what_share_of_the_gain_is_kept(memory: LatentMemory) -> None:
    windows = torch.randint(0, 256, (2, 64 + READ), generator=torch.Generator().manual_seed(1))
    found = reading.measure(memory.adapter, windows, CELLS, lambda _: None)
    assert (found["windows"], found["tokens"]) == (2, 2 * (READ - 1))
    for cell, said in zip(CELLS, found["cells"], strict=True):
        nats = said["nats"]
        assert said["history"] == cell.history
        gain = nats["none"] - nats["full"]
        assert said["share"] * gain == pytest.approx(nats["none"] - nats["memory"], abs=2e-3)
        assert nats["none"] == found["cells"][0]["nats"]["none"]


def test_the_right_answer_costs_less_where_it_stands(memory: LatentMemory) -> None:
    answerer = Answerer(memory)
    told = answerer.ask(Known(text="The dog is called Biscuit."), "Which dog?", "Biscuit")
    state = memory.compress("The dog is called Biscuit.")
    kept = answerer.ask(Known(state=state), "Which dog?", "Biscuit")
    assert told["prompt_tokens"] - kept["prompt_tokens"] == 26 - state.tokens
    for one in (told, kept):
        assert one["nats"] > 0 and 0 <= one["f1"] <= 1


def test_an_answer_is_never_empty(memory: LatentMemory) -> None:
    answerer = Answerer(memory)
    ends = range(memory.adapter.base.config.vocab_size)
    for letter in "Ab7":
        [only] = answerer._ids(letter)
        answerer._stop = [token for token in ends if token != only]
        assert answerer._said(Known(text="Biscuit."), [0]).startswith(letter)


def test_scores_count_words() -> None:
    assert exact("The Biscuit!", "biscuit") == f1("The Biscuit!", "biscuit") == 1
    assert f1("a dog in Lisbon", "Lisbon") == pytest.approx(0.5)
    assert f1("Porto", "Lisbon") == exact("Porto", "Lisbon") == 0


def test_only_held_out_passages_are_asked_about(tmp_path: Path) -> None:
    _pairs(tmp_path)
    found = sources.questions(tmp_path, ("asked",), 3)
    assert 0 < len(found) <= 3
    assert all(is_held_out(one.passage) for one in found)
    assert {one.given for one in found} == {False}


def test_the_command_writes_its_figures(
    memory: LatentMemory, tmp_path: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CELLS", CELLS)
    monkeypatch.setattr(sources, "ENOUGH", 3000)
    folder, adapter = tmp_path / "llama", tmp_path / "adapter"
    base("llama").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    memory.save(adapter)
    (tmp_path / "wiki.txt").write_text("It rained in Lisbon for days. " * 40)
    (tmp_path / "pairs").mkdir()
    _pairs(tmp_path / "pairs")
    talks = tmp_path / "talks.jsonl"
    questions = tuple(
        one.model_copy(update={"answer": "Biscuit"}) for one in TALKS[0].questions[:2]
    )
    talk = TALKS[0].model_copy(update={"questions": questions})
    talks.write_text(talk.model_dump_json() + "\n")
    common = [
        "--base", folder, "--adapter", adapter, "--out", tmp_path, "--threads", 1,
        "--device", "cpu",
    ]  # fmt: skip
    reads = ["latent", "--wikitext", tmp_path / "wiki.txt", "--windows", 2]
    asks = [
        "latent-questions", "--pairs", tmp_path / "pairs", "--sets", "asked", "--conversations",
        talks, "--questions", 2, "--budget", 80, "--model", checkpoint,
    ]  # fmt: skip
    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})
    for command in (reads, asks):
        shown = runner.invoke(app, [*map(str, [*command, *common])])
        assert shown.exit_code == 0, shown.output
    assert "memory and context" in shown.stdout
    read, figures = (
        json.loads((tmp_path / name).read_text())["figures"]
        for name in ("latent.json", "latent-questions.json")
    )
    assert set(read["reading"]) == {"wikitext", "meetings"}
    assert read["costs"]["memory_tokens"] == TOKENS * 4
    for ways in (figures["passages"]["asked"]["ways"], figures["conversations"]["ways"]):
        assert len(ways) == 4
    for way, found in figures["conversations"]["ways"].items():
        assert found["questions"] == 2, way


def _pairs(folder: Path) -> None:
    asked = [
        {
            "type": "pair",
            "query": f"Who lives in {n}?",
            "passage": f"Ana lives in {n}. Gil does not.",
        }
        for n in range(200)
    ]
    (folder / "asked.jsonl").write_text("\n".join(map(json.dumps, asked)) + "\n")
