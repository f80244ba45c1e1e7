"""A run from data to checkpoint, killed and resumed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from r3mem_agents.errors import CheckpointError, InvalidInputError
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
from r3mem_agents.train.taught import load_taught

TOWNS = ["Lisbon", "Porto", "Faro", "Braga"]
CONFIG = ModelConfig(vocabulary=400, hidden=32, layers=2, heads=4, feedforward=64)
RECIPE = Recipe(config=CONFIG, steps=40, batch_tokens=512, pair_batch=8, warmup_steps=5)


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


def make_batches(data: Path, out: Path, recipe: Recipe = RECIPE) -> tuple[Recipe, Batches, Corpus]:
    tokenizer, words, corpus, _ = prepare(data, out, recipe, lambda _: None)
    fitted = replace(recipe, config=replace(recipe.config, vocabulary=tokenizer.vocabulary))
    return fitted, Batches(corpus, fitted, tokenizer, words), corpus


def trainer_of(recipe: Recipe, batches: Batches, folder: Path) -> Trainer:
    torch.manual_seed(0)
    return Trainer(R3MemNetwork(recipe.config), recipe, batches, folder, torch.device("cpu"))


def test_a_run_learns_and_goes_on_where_it_was_killed(data: Path, tmp_path: Path) -> None:
    recipe, batches, corpus = make_batches(data, tmp_path)
    recipe = replace(recipe, steps=100, gist_from=0.3)
    trainer = trainer_of(recipe, batches, tmp_path)
    trainer.network.set_unigram(torch.from_numpy(corpus.counts).float())
    before = trainer.held_out_bits(False)
    first = next(trainer.run())
    trainer.save()
    again = trainer_of(recipe, batches, tmp_path)
    assert again.resume()
    assert (again.step, again.tokens) == (first.step, first.tokens)
    for old, new in zip(trainer.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(old, new)
    reports = list(again.run())
    assert reports[-1].step == 100
    assert reports[-1].held_out_bits is not None
    assert reports[-1].held_out_bits < before - 1
    assert reports[-1].gist_accuracy > 0


def test_a_state_of_other_sizes_is_refused(data: Path, tmp_path: Path) -> None:
    recipe, batches, _ = make_batches(data, tmp_path)
    trainer_of(recipe, batches, tmp_path).save()
    other = replace(recipe, config=replace(recipe.config, layers=3))
    with pytest.raises(CheckpointError, match="delete it or choose another folder"):
        trainer_of(other, batches, tmp_path).resume()


def test_held_out_segments_are_never_trained_on(data: Path, tmp_path: Path) -> None:
    _, batches, _ = make_batches(data, tmp_path, replace(RECIPE, held_out=0.2))
    kept = {tuple(row) for batch in batches.held_out(1000) for row in batch.tokens.tolist()}
    width = batches.longest
    for _ in range(30):
        for row in batches.segments().tokens.tolist():
            assert tuple(row + [0] * (width - len(row))) not in kept


def test_pairs_that_share_a_passage_are_no_negatives(data: Path, tmp_path: Path) -> None:
    _, batches, _ = make_batches(data, tmp_path)
    pairs = batches.pairs()
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
    learned, *_ = prepare(data, tmp_path, RECIPE, lambda _: None)
    other = Tokenizer.train(["another text"], 300)
    assert other.fingerprint != learned.fingerprint
    used, _, corpus, _ = prepare(data, tmp_path, RECIPE, lambda _: None, other)
    assert used.fingerprint == other.fingerprint
    assert len(corpus.counts) == other.vocabulary
    again, *_ = prepare(data, tmp_path, RECIPE, lambda _: None, other)
    assert again.fingerprint == other.fingerprint


def test_adapters_of_a_pretrained_base_are_trained_and_merged(
    data: Path, tmp_path: Path, minilm: Path
) -> None:
    app = Typer()
    app.command()(train)
    arguments = [
        str(data), "--out", str(tmp_path), "--name", "adapted", "--steps", "12",
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
        str(data), "--out", str(tmp_path / "run"), "--name", "towns", "--steps", "40",
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
    arguments[2:7] = [str(tmp_path / "more"), "--name", "more", "--steps", "5"]
    arguments += ["--start-from", str(tmp_path / "run" / "checkpoint")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    more = json.loads((tmp_path / "more" / "checkpoint" / "training.json").read_text())
    assert more["started_from"] == model.fingerprint
    assert more["curve"][0]["bits_per_token"] < record["curve"][0]["bits_per_token"]


def test_a_teacher_decides_what_gists_are_alike(data: Path, tmp_path: Path) -> None:
    words = ["train", "leaves", "when", *map(str.lower, TOWNS)]
    texts = [*words, *(f"When does the train to {town} leave?" for town in TOWNS)]
    texts += [f"Train {n} to {TOWNS[n % 4]}" for n in range(200)]
    kinds = [
        [*(town.lower() in text.lower() for town in TOWNS), True].index(True) for text in texts
    ]
    random = np.random.default_rng(0)
    noise = random.standard_normal((len(texts), 256)) / 9
    vectors = random.standard_normal((5, 256))[kinds] + noise
    encoded = [text.encode() for text in texts]
    np.savez(
        tmp_path / "taught.npz",
        texts=np.frombuffer(b"".join(encoded), np.uint8),
        starts=np.cumsum([0, *map(len, encoded)]),
        vectors=vectors.astype(np.float16),
    )
    app = Typer()
    app.command()(train)
    arguments = [
        str(data), "--out", str(tmp_path / "run"), "--steps", "40", "--layers", "1",
        "--hidden", "32", "--batch-tokens", "512", "--device", "cpu", "--gist-from", "0",
        "--taught", str(tmp_path / "taught.npz"), "--words", "50",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    model = ReversibleModel.from_pretrained(tmp_path / "run" / "checkpoint")
    record = json.loads((tmp_path / "run" / "checkpoint" / "training.json").read_text())
    assert record["taught_texts"] == len(texts)
    assert 0 < len(model.words) <= 50
    asked = np.unpackbits(model.gists([f"To {town}, when?" for town in TOWNS]), axis=1)
    said = np.unpackbits(model.gists([f"{town} at noon by train." for town in TOWNS]), axis=1)
    alike = (asked[:, None] == said[None]).mean(-1)
    assert alike.argmax(1).tolist() == [0, 1, 2, 3]
    assert alike.diagonal().min() > 0.7
    arguments[1:5] = ["--out", str(tmp_path / "more"), "--steps", "60"]
    arguments[-4:] = ["--start-from", str(tmp_path / "run" / "checkpoint"), "--rates", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    more = ReversibleModel.from_pretrained(tmp_path / "more" / "checkpoint")
    curve = json.loads((tmp_path / "more" / "checkpoint" / "training.json").read_text())["curve"]
    assert curve[-1]["bits_per_token"] < curve[0]["bits_per_token"] - 0.5
    kept = np.unpackbits(more.gists(texts), axis=1) == np.unpackbits(model.gists(texts), axis=1)
    assert kept.mean() > 0.95, "what was taught is kept while the codec learns on"


@pytest.mark.parametrize("content", [b"", b"PK nonsense"])
def test_a_file_without_vectors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "taught.npz").write_bytes(content)
    with pytest.raises(InvalidInputError, match="holds no texts with vectors"):
        load_taught(tmp_path / "taught.npz", 256)


def test_vectors_smaller_than_a_gist_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "taught.npz"
    np.savez(path, texts=np.frombuffer(b"ab", np.uint8), starts=[0, 1, 2], vectors=np.ones((2, 8)))
    with pytest.raises(InvalidInputError, match="at least 256"):
        load_taught(path, 256)
