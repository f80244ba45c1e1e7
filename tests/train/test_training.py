"""A run from data to checkpoint, killed and resumed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model import ModelConfig, ReversibleModel
from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.batches import Batches
from r3mem_agents.train.command import train
from r3mem_agents.train.corpus import Corpus
from r3mem_agents.train.loop import Trainer
from r3mem_agents.train.objective import contrastive_loss
from r3mem_agents.train.prepare import prepare
from r3mem_agents.train.recipe import Recipe

TOWNS = ["Lisbon", "Porto", "Faro", "Braga"]
CONFIG = ModelConfig(vocabulary=400, hidden=32, layers=2, heads=4, feedforward=64)
RECIPE = Recipe(config=CONFIG, minutes=0.1, batch_tokens=512, pair_batch=8, warmup_steps=5)


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    torch.compiler.set_stance("force_eager")
    yield
    torch.compiler.set_stance("default")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    turns = [
        {"speaker": "A", "text": f"Train {n} to {TOWNS[n % 4]} leaves at {n % 24}:00."}
        for n in range(200)
    ]
    (folder / "talk.jsonl").write_text(json.dumps({"type": "dialog", "turns": turns}) + "\n")
    pairs = [
        {
            "type": "pair",
            "query": f"When to {town}?",
            "passage": f"To {town} at {n}.",
            "group": town,
        }
        for n in range(12)
        for town in TOWNS
    ]
    (folder / "ask_pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    return folder


def make_corpus(data: Path, out: Path, recipe: Recipe = RECIPE) -> tuple[Recipe, Corpus]:
    tokenizer, corpus, _ = prepare(data, out, recipe, lambda _: None)
    fitted = replace(recipe, config=replace(recipe.config, vocabulary=tokenizer.vocabulary))
    return fitted, corpus


def trainer_of(recipe: Recipe, corpus: Corpus, folder: Path, device: torch.device) -> Trainer:
    torch.manual_seed(0)
    network = R3MemNetwork(recipe.config).set_unigram(torch.from_numpy(corpus.counts).float())
    return Trainer(network, recipe, corpus, folder, device)


def test_a_run_learns_and_goes_on_where_it_was_killed(data: Path, tmp_path: Path) -> None:
    recipe, corpus = make_corpus(data, tmp_path)
    recipe = replace(recipe, minutes=0.2, gist_from=0.3)
    trainer = trainer_of(recipe, corpus, tmp_path, torch.device("cpu"))
    before = trainer.held_out_bits(False)
    first = next(trainer.run())
    trainer.save()
    again = trainer_of(recipe, corpus, tmp_path, torch.device("cpu"))
    assert again.resume()
    assert (again.step, again.tokens) == (first.step, first.tokens)
    for old, new in zip(trainer.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(old, new)
    reports = list(again.run())
    assert reports[-1].step > first.step
    assert reports[-1].held_out_bits is not None
    assert reports[-1].held_out_bits < before - 1
    assert reports[-1].gist_accuracy > 0


def test_a_state_of_other_sizes_is_refused(data: Path, tmp_path: Path) -> None:
    recipe, corpus = make_corpus(data, tmp_path)
    trainer_of(recipe, corpus, tmp_path, torch.device("cpu")).save()
    other = replace(recipe, config=replace(recipe.config, layers=3))
    with pytest.raises(CheckpointError, match="delete it or choose another folder"):
        trainer_of(other, corpus, tmp_path, torch.device("cpu")).resume()


def test_held_out_segments_are_never_trained_on(data: Path, tmp_path: Path) -> None:
    recipe, corpus = make_corpus(data, tmp_path)
    batches = Batches(corpus, replace(recipe, held_out=0.2))
    kept = {tuple(row) for batch in batches.held_out(1000) for row in batch.tokens.tolist()}
    width = batches.longest
    for _ in range(30):
        for row in batches.segments().tokens.tolist():
            assert tuple(row + [0] * (width - len(row))) not in kept


def test_pairs_that_share_a_passage_are_no_negatives(data: Path, tmp_path: Path) -> None:
    recipe, corpus = make_corpus(data, tmp_path)
    pairs = Batches(corpus, recipe).pairs()
    texts = pairs.passages.tokens.tolist()
    asked = pairs.queries.tokens.tolist()
    for i, row in enumerate(texts):
        for j, other in enumerate(texts):
            if i != j and (row == other or asked[i] == asked[j]):
                assert pairs.same[i, j]
    assert not pairs.same.diagonal().any()


def test_the_contrastive_loss_is_zero_only_for_gists_that_match() -> None:
    gists = torch.sign(torch.randn(8, 256))
    none = torch.zeros(8, 8, dtype=torch.bool)
    assert contrastive_loss(gists, gists, none, 0.05) < 0.01
    assert contrastive_loss(gists, gists.roll(1, 0), none, 0.05) > 5
    twins = torch.cat((gists[:1], gists[:7]))
    same = none.clone()
    same[0, 1] = same[1, 0] = True
    assert contrastive_loss(twins, twins, same, 0.05) < 0.01


def test_a_corpus_is_cut_anew_for_another_tokenizer(data: Path, tmp_path: Path) -> None:
    learned, _, _ = prepare(data, tmp_path, RECIPE, lambda _: None)
    other = Tokenizer.train(["another text"], 300)
    assert other.fingerprint != learned.fingerprint
    used, corpus, _ = prepare(data, tmp_path, RECIPE, lambda _: None, other)
    assert used.fingerprint == other.fingerprint
    assert len(corpus.counts) == other.vocabulary
    again, _, _ = prepare(data, tmp_path, RECIPE, lambda _: None, other)
    assert again.fingerprint == other.fingerprint


def test_adapters_of_a_pretrained_base_are_trained_and_merged(
    data: Path, tmp_path: Path, minilm: Path
) -> None:
    app = Typer()
    app.command()(train)
    arguments = [
        str(data), "--out", str(tmp_path), "--name", "adapted", "--minutes", "0.2",
        "--batch-tokens", "128", "--device", "cpu", "--base", str(minilm), "--adapter-rank", "2",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "checkpoint" / "training.json").read_text())
    assert (record["base"], record["adapter_rank"]) == ("model", 2)
    assert record["curve"][-1]["bits_per_token"] < record["curve"][0]["bits_per_token"]
    model = ReversibleModel.from_pretrained(tmp_path / "checkpoint")
    assert model.config.hidden == 384
    text = "The train to Faro leaves at 7:00."
    assert model.expand(model.compress([text])) == [text]


def test_the_command_leaves_a_checkpoint_a_record_and_a_picture(data: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(train)
    arguments = [
        str(data), "--out", str(tmp_path / "run"), "--name", "towns", "--minutes", "0.05",
        "--layers", "1", "--hidden", "32", "--batch-tokens", "512", "--held-out", str(data),
        "--device", "cpu",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    model = ReversibleModel.from_pretrained(tmp_path / "run" / "checkpoint")
    record = json.loads((tmp_path / "run" / "checkpoint" / "training.json").read_text())
    assert record["fingerprint"] == model.fingerprint
    assert model.name == "towns"
    held_out = record["held_out"]
    assert 0 < held_out["code_bytes_per_text_byte"] < 1
    assert len(held_out["bits_per_token_by_round"]) == model.config.rounds
    assert set(record["data_sha256"]) == {"talk.jsonl", "ask_pairs.jsonl"}
    assert (tmp_path / "run" / "training.png").read_bytes().startswith(b"\x89PNG")
    text = "The train to Faro leaves at 7:00."
    assert model.expand(model.compress([text])) == [text]
    arguments[2:7] = [str(tmp_path / "more"), "--name", "more", "--minutes", "0.01"]
    arguments += ["--start-from", str(tmp_path / "run" / "checkpoint")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    more = json.loads((tmp_path / "more" / "checkpoint" / "training.json").read_text())
    assert more["started_from"] == model.fingerprint
    assert more["curve"][0]["bits_per_token"] < record["curve"][0]["bits_per_token"]
