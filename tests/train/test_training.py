"""An expander's run from data to checkpoint, killed and resumed on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from r3mem_agents.errors import CheckpointError, InvalidInputError
from r3mem_agents.model import ModelConfig, ReversibleModel, checkpoint
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.trainable import Expander
from r3mem_agents.train.batches import Batches
from r3mem_agents.train.gists import segment_gists
from r3mem_agents.train.loop import ExpanderRun
from r3mem_agents.train.prepare import fitted, prepare
from r3mem_agents.train.recipe import ExpanderRecipe
from tests.train.conftest import r3mem, record_of

CPU = torch.device("cpu")
TEXTS = ["Train 7 to Faro leaves at 7:00.", "Zug 8 nach Braga fährt.", "Something else 😀", ""]
CONFIG = ModelConfig(vocabulary=400, classes=8, hidden=32, layers=2, heads=4, feedforward=64)
RECIPE = ExpanderRecipe(config=CONFIG, steps=20, batch_tokens=256, warmup_steps=5)


def run_of(
    data: Path, start: Path, out: Path, recipe: ExpanderRecipe = RECIPE
) -> tuple[ExpanderRun, Batches]:
    prepared = prepare(data, out, recipe, lambda _: None)
    corpus = prepared.corpus
    gists = segment_gists(
        corpus.segments,
        prepared.tokenizer,
        checkpoint.load(start),
        out / "gists.npy",
        prepared.key,
        CPU,
        lambda _: None,
    )
    recipe = fitted(recipe, prepared)
    torch.manual_seed(0)
    network = Expander(recipe.config)
    network.set_unigram(torch.from_numpy(corpus.token_counts(recipe.config.vocabulary)))
    batches = Batches(corpus, gists, recipe, CPU)
    return ExpanderRun(network, recipe, batches, out, CPU, torch.float32), batches


def test_a_run_that_was_killed_ends_as_one_that_was_not(
    data: Path, start: Path, tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    whole, _ = run_of(data, start, tmp_path / "whole")
    copytree(tmp_path / "whole", tmp_path / "killed")
    reports = list(whole.run())
    killed, _ = run_of(data, start, tmp_path / "killed")
    for report in killed.run():
        if report.step == 10:
            killed.save()
            break
    again, _ = run_of(data, start, tmp_path / "killed")
    assert again.resume()
    assert again.step == 10
    rest = list(again.run())
    assert rest[-1].held_out == reports[-1].held_out
    assert rest[-1].figures == reports[-1].figures
    assert (again.step, again.tokens) == (whole.step, whole.tokens)
    for one, other in zip(again.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_learns(data: Path, start: Path, tmp_path: Path) -> None:
    run, _ = run_of(data, start, tmp_path, replace(RECIPE, steps=60))
    with torch.no_grad():
        before = run.measure()
    after = list(run.run())[-1].held_out
    assert after is not None
    assert after["en"] < before["en"] - 1
    assert list(after)[0] == "en"


def test_a_state_of_other_sizes_is_refused(data: Path, start: Path, tmp_path: Path) -> None:
    run, _ = run_of(data, start, tmp_path)
    run.save()
    other, _ = run_of(data, start, tmp_path, replace(RECIPE, config=replace(CONFIG, layers=3)))
    with pytest.raises(CheckpointError, match="delete it or choose another folder"):
        other.resume()


def test_held_out_segments_are_never_trained_on(data: Path, start: Path, tmp_path: Path) -> None:
    _, batches = run_of(data, start, tmp_path)

    def texts(batch: object) -> set[tuple[int, ...]]:
        return {tuple(row[: batch.length]) for row in batch.tokens.tolist()}  # type: ignore[attr-defined]

    kept = {text for batch in batches.held_out() for text in texts(batch)}
    assert kept
    for step in range(40):
        for batch in batches.draw(step):
            assert not texts(batch) & kept


def test_gists_are_those_of_a_memory_and_are_made_once(
    data: Path, start: Path, tmp_path: Path
) -> None:
    model = ReversibleModel.from_pretrained(start)
    prepared = prepare(data, tmp_path, RECIPE, lambda _: None, model.tokenizer)
    said: list[str] = []

    def gists() -> np.ndarray:
        return segment_gists(
            prepared.corpus.segments,
            prepared.tokenizer,
            checkpoint.load(start),
            tmp_path / "gists.npy",
            prepared.key,
            CPU,
            said.append,
        )

    first = gists()
    text = "Train 0 to Lisbon leaves at 0:00."
    segments = model.compress([text])[0]
    own = np.frombuffer(segments.gists, np.uint8).reshape(-1, model.gist_bytes)
    ids = model.tokenizer.encode(text)[: model.config.segment_tokens]
    starts, counts = prepared.corpus.segments.starts, prepared.corpus.segments.counts
    row = next(
        row
        for row in range(len(first))
        if prepared.corpus.segments.ids[starts[row] : starts[row] + counts[row]].tolist() == ids
    )
    assert np.array_equal(first[row], own[0])
    assert said
    said.clear()
    assert np.array_equal(gists(), first)
    assert not said


def test_a_corpus_is_cut_anew_for_another_tokenizer(data: Path, tmp_path: Path) -> None:
    learned = prepare(data, tmp_path, RECIPE, lambda _: None)
    assert learned.tokenizer.vocabulary % learned.classes == 0
    other = Tokenizer.train(["another text"], 300)
    used = prepare(data, tmp_path, RECIPE, lambda _: None, other)
    assert used.tokenizer.fingerprint == other.fingerprint
    assert used.corpus.segments.ids.max() < other.vocabulary


def test_too_few_segments_are_refused(start: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type": "text", "text": "One line."}\n')
    with pytest.raises(InvalidInputError, match="too few"):
        run_of(tmp_path, start, tmp_path)


def test_the_command_leaves_a_checkpoint_a_record_and_a_picture(
    data: Path, start: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    r3mem(
        "train", data, "--out", run, "--name", "towns", "--start-from", start, "--fresh",
        "--steps", 30, "--layers", 1, "--hidden", 32, "--batch-tokens", 256, "--held-out", data,
    )  # fmt: skip
    model, base = ReversibleModel.from_pretrained(run / "checkpoint"), checkpoint.load(start)
    record = record_of(run)
    stage = record["expander"]
    assert (model.name, record["fingerprint"]) == ("towns", model.fingerprint)
    assert (stage["gists_of"], stage["started_from"]) == (base.fingerprint, None)
    assert 0 < stage["held_out"]["code_bytes_per_text_byte"] < 1
    assert len(stage["held_out"]["bits_per_token_by_round"]) == model.config.rounds
    assert set(stage["data_sha256"]) == {"talk.jsonl", "ask.jsonl", "multi/de.jsonl"}
    assert (run / "training.png").read_bytes().startswith(b"\x89PNG")
    assert np.array_equal(model.questions(TEXTS), ReversibleModel(base).questions(TEXTS))
    segments = model.compress(TEXTS)
    assert model.expand(segments) == TEXTS
    more = tmp_path / "more"
    r3mem(
        "train", data, "--out", more, "--start-from", run / "checkpoint", "--steps", 5,
        "--batch-tokens", 256,
    )  # fmt: skip
    again = record_of(more)["expander"]
    assert again["started_from"] == model.fingerprint
    assert again["curve"][0]["bits_per_token"] < stage["curve"][0]["bits_per_token"]
    assert again["recipe"]["matrix_rate"] < stage["recipe"]["matrix_rate"]
    trained = ReversibleModel.from_pretrained(more / "checkpoint")
    assert trained.tokenizer.fingerprint == model.tokenizer.fingerprint
    assert trained.expand(trained.compress(TEXTS)) == TEXTS


@pytest.mark.gpu
def test_a_gpu_learns_too(data: Path, start: Path, tmp_path: Path) -> None:
    r3mem(
        "train", data, "--out", tmp_path, "--start-from", start, "--fresh", "--steps", 30,
        "--layers", 2, "--hidden", 32, "--batch-tokens", 256, device="cuda",
    )  # fmt: skip
    curve = record_of(tmp_path)["expander"]["curve"]
    assert curve[-1]["bits_per_token"] < curve[0]["bits_per_token"]
    model = ReversibleModel.from_pretrained(tmp_path / "checkpoint")
    assert model.expand(model.compress(TEXTS)) == TEXTS
