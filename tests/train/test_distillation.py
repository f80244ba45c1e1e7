"""An encoder's run from a teacher to a checkpoint, killed and resumed on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from r3mem_agents import ReversibleModel
from r3mem_agents.errors import CheckpointError, InvalidInputError
from r3mem_agents.model import checkpoint
from r3mem_agents.train.distil.loop import EncoderRun
from r3mem_agents.train.distil.mapping import SpaceMap
from r3mem_agents.train.distil.objective import distillation_loss, gist_rotation
from r3mem_agents.train.distil.pool import Lessons
from r3mem_agents.train.distil.prepare import Sources, begin, prepare
from r3mem_agents.train.distil.teacher import Teacher
from r3mem_agents.train.recipe import EncoderRecipe
from tests.train.conftest import TOWNS, r3mem, record_of, write

CPU = torch.device("cpu")
RECIPE = EncoderRecipe(
    steps=12, batch_tokens=256, vocabulary=400, positions=32, map_steps=20, warmup_steps=3
)
TEXTS = [f"When does the train to {town} leave?" for town in TOWNS]


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of another size with a unigram tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModel, BertConfig, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("others")
    letters = [(letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyzäöüß0123456789?:"]
    scores = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581zug", -4.0)]
    backend = Tokenizer(models.Unigram([*scores, ("\u2581", -2.0), *letters], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    size = backend.get_vocab_size()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=size,
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def run_of(sources: Sources, start: Path, out: Path, recipe: EncoderRecipe = RECIPE) -> EncoderRun:
    out.mkdir(exist_ok=True)
    taught = prepare(sources, out, recipe, checkpoint.load(start), CPU, lambda _: None)
    torch.manual_seed(0)
    encoder, vector = begin(sources, out, recipe, 256)
    return EncoderRun(
        encoder, vector, recipe, Lessons(taught.pool, recipe, CPU), out, CPU, torch.float32
    )


def test_a_run_that_was_killed_ends_as_one_that_was_not(
    data: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    sources = Sources(data, teacher, None, "")
    whole = run_of(sources, start, tmp_path / "whole")
    copytree(tmp_path / "whole", tmp_path / "killed")  # learned pieces may differ by a tie
    reports = list(whole.run())
    killed = run_of(sources, start, tmp_path / "killed")
    assert next(killed.run()).step == 1
    killed.save()
    again = run_of(sources, start, tmp_path / "killed")
    assert again.resume()
    rest = list(again.run())
    assert rest[-1].held_out == reports[-1].held_out
    pairs = zip(again.encoder.parameters(), whole.encoder.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_run_learns(data: Path, start: Path, teacher: Path, tmp_path: Path) -> None:
    run = run_of(Sources(data, teacher, None, ""), start, tmp_path, replace(RECIPE, steps=40))
    with torch.no_grad():
        before = run.measure()
    after = list(run.run())[-1].held_out
    assert after is not None
    assert after["english"] > before["english"] + 0.02
    assert after["parallel"] > before["parallel"]
    assert after["nearest_by_bits"] > 1 / 40, "by chance"


def test_texts_get_the_vector_of_what_they_say(
    data: Path, start: Path, teacher: Path, others: Path, tmp_path: Path
) -> None:
    recipe, sources = replace(RECIPE, vocabulary=32768), Sources(data, teacher, others, "")
    taught = prepare(sources, tmp_path, recipe, checkpoint.load(start), CPU, print)
    pool = taught.pool
    assert np.bincount(pool.kind).tolist()[2] == 12 * len(TOWNS)
    assert (pool.kind == 1).sum() == 60
    assert np.linalg.norm(pool.targets.astype(np.float32), axis=1) == pytest.approx(1, abs=1e-2)
    said = Teacher(teacher, CPU).vectors(["The bus to Faro, 3"], lambda _: None)[0]
    alike = pool.targets.astype(np.float32) @ said.astype(np.float32)
    assert (alike[pool.kind == 0] > 0.999).sum() == 1
    assert (alike[pool.kind == 2] > 0.999).sum() == 1
    assert taught.map_cosine is not None
    names = [piece for piece, _ in taught.pieces.scores]
    assert "\u2581zug" in names
    assert "\u2581train" in names


def test_without_a_second_teacher_only_parallel_texts_of_a_language_are_taught(
    data: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    sources = Sources(data, teacher, None, "")
    pool = prepare(sources, tmp_path, RECIPE, checkpoint.load(start), CPU, print).pool
    assert set(pool.kind.tolist()) == {0, 2}


def test_data_without_english_is_refused(start: Path, teacher: Path, tmp_path: Path) -> None:
    write(tmp_path / "de.jsonl", [{"type": "text", "lang": "de", "text": "Guten Tag."}])
    with pytest.raises(InvalidInputError, match="no English text"):
        run_of(Sources(tmp_path, teacher, None, ""), start, tmp_path / "out")


def test_a_second_teacher_without_a_unigram_model_is_refused(
    data: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="not a unigram model"):
        run_of(Sources(data, teacher, teacher, ""), start, tmp_path)


def test_vectors_are_those_of_transformers(teacher: Path) -> None:
    own = Teacher(teacher, CPU)
    inputs = own.tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = own.base(**inputs).last_hidden_state
    mean = (states * inputs["attention_mask"][..., None]).sum(1)
    found = torch.from_numpy(own.vectors(TEXTS, lambda _: None)).float()
    assert F.cosine_similarity(found, mean).min() > 0.9999


def test_the_map_brings_one_space_into_another() -> None:
    random = np.random.default_rng(0)
    one = random.standard_normal((2000, 16)).astype(np.float32)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    turn = np.linalg.qr(random.standard_normal((16, 16)))[0].astype(np.float32)
    other = one @ turn
    some, known = one.astype(np.float16), other.astype(np.float16)
    space = SpaceMap(some, known, 200, CPU, 0)
    assert space.cosine > 0.7 > SpaceMap(some, known, 1, CPU, 0).cosine
    mapped = space(some).astype(np.float32)
    assert np.linalg.norm(mapped, axis=1) == pytest.approx(1, abs=1e-2)
    assert (mapped * other).sum(1).mean() > 0.7


def test_rotated_bits_keep_what_is_alike() -> None:
    torch.manual_seed(0)
    middle = torch.randn(20, 64)
    vectors = (middle[:, None] + 0.3 * torch.randn(20, 10, 64)).flatten(0, 1)
    vectors = vectors - vectors.mean(0)
    bits = torch.sign(vectors @ gist_rotation(vectors, 32).T)
    same = torch.arange(200)[:, None] // 10 == torch.arange(200) // 10
    agree = bits @ bits.T / 32
    assert agree[same].mean() > agree[~same].mean() + 0.5
    assert gist_rotation(vectors, 256).shape == (256, 64)


def test_the_loss_is_least_for_what_the_teacher_says() -> None:
    torch.manual_seed(0)
    targets = F.normalize(torch.randn(24, 32), dim=-1)
    turn = torch.linalg.qr(torch.randn(256, 32))[0]
    mean, even = torch.zeros(32), torch.ones(24)

    def loss(vectors: torch.Tensor) -> float:
        gists = vectors @ turn.T
        return distillation_loss(vectors, gists, targets, even, mean, RECIPE)[0].item()

    assert loss(targets) < loss(F.normalize(targets + 0.1 * torch.randn(24, 32), dim=-1))
    assert loss(targets) < loss(targets.roll(1, 0)) - 1


@pytest.mark.parametrize("adapted", [(), ("--lora", "2")], ids=["all weights", "adapters"])
def test_the_command_leaves_a_checkpoint_and_a_record(
    data: Path, start: Path, teacher: Path, tmp_path: Path, adapted: tuple[str, ...]
) -> None:
    r3mem(
        "distil", data, "--teacher", teacher, "--out", tmp_path, "--start-from", start,
        "--steps", 10, "--batch-tokens", 256, "--vocabulary", 400, *adapted,
    )  # fmt: skip
    model, before = ReversibleModel.from_pretrained(tmp_path / "checkpoint"), checkpoint.load(start)
    record = record_of(tmp_path)
    stage = record["encoder"]
    assert record["fingerprint"] == model.fingerprint != before.fingerprint
    assert stage["expander_of"] == before.fingerprint
    assert stage["lora_rank"] == (int(adapted[1]) if adapted else None)
    assert [point["step"] for point in stage["curve"]] == [1, 10]
    assert 0 < stage["curve"][-1]["held_out"]["english"] <= 1
    assert not [name for name in model.checkpoint.encoder.tensors if "lora" in name]
    assert model.tokenizer.fingerprint == before.tokenizer.fingerprint
    for name, tensor in before.expander.tensors.items():
        assert np.array_equal(model.checkpoint.expander.tensors[name], tensor)
    assert model.expand(model.compress(TEXTS)) == TEXTS


@pytest.mark.gpu
def test_a_gpu_distils_too(data: Path, start: Path, teacher: Path, tmp_path: Path) -> None:
    r3mem(
        "distil", data, "--teacher", teacher, "--out", tmp_path, "--start-from", start,
        "--steps", 20, "--batch-tokens", 256, "--vocabulary", 400, device="cuda",
    )  # fmt: skip
    curve = record_of(tmp_path)["encoder"]["curve"]
    assert curve[-1]["cosine"] > curve[0]["cosine"]
    model = ReversibleModel.from_pretrained(tmp_path / "checkpoint")
    assert model.expand(model.compress(TEXTS)) == TEXTS
