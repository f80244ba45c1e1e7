"""An encoder tuned on questions, killed and resumed on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import ReversibleModel
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model import checkpoint
from r3mem_agents.model.reference.loading import torch_encoder, torch_expander
from r3mem_agents.model.trainable import Encoder, Expander
from r3mem_agents.train.corpus import Ragged
from r3mem_agents.train.recipe import TuningRecipe
from r3mem_agents.train.tune.loop import TuningRun
from r3mem_agents.train.tune.objective import tuning_loss
from r3mem_agents.train.tune.pairs import NOTHING, Lessons, Pairs, lesson, read
from r3mem_agents.train.tune.prepare import prepare
from r3mem_agents.train.tune.realign import blend, realign
from tests.train.conftest import TOWNS, r3mem, record_of, write

CPU = torch.device("cpu")
RECIPE = TuningRecipe(steps=12, own=12, others=6, warmup_steps=2, learning_rate=3e-3)


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Facts about towns with two questions each, a near miss, and the same in German."""
    folder = tmp_path_factory.mktemp("questions")
    asked = [
        {"type": "pair", "query": query, "passage": f"{who} lives in {town}."}
        | {"near": f"{who} liked the beach of {town}."}
        for who in ("Ana", "Rui", "Eva", "Gil", "Leo", "Mia", "Ben", "Zoe")
        for town in TOWNS
        for query in (f"Where is {who} at home, {town}?", f"Does {who} stay in {town}?")
    ]
    across = [
        {"type": "pair", "query": f"Bus {n} to {town}", "passage": f"Nach {town} mit Bus {n}"}
        | {"lang": "de", "cross": "en"}
        for n in range(6)
        for town in TOWNS
    ]
    write(folder / "facts.jsonl", asked)
    write(folder / "german.jsonl", across)
    return folder


def run_of(
    folder: Path, beside: Path | None, start: Path, teacher: Path, out: Path, recipe: TuningRecipe
) -> TuningRun:
    out.mkdir(exist_ok=True)
    pairs, loaded = read(folder, beside, 1.0), checkpoint.load(start)
    known = prepare(pairs, loaded, teacher, recipe, out, CPU, lambda _: None)
    encoder = Encoder.thaw(torch_encoder(loaded.encoder))
    return TuningRun(encoder, known, Lessons(pairs, recipe), recipe, out, CPU, torch.float32)


def test_a_run_that_was_killed_ends_as_one_that_was_not(
    questions: Path, data: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    whole = run_of(questions, data, start, teacher, tmp_path / "whole", RECIPE)
    copytree(tmp_path / "whole", tmp_path / "killed")
    reports = list(whole.run())
    killed = run_of(questions, data, start, teacher, tmp_path / "killed", RECIPE)
    assert next(killed.run()).step == 1
    killed.save()
    again = run_of(questions, data, start, teacher, tmp_path / "killed", RECIPE)
    assert again.resume()
    assert list(again.run())[-1].held_out == reports[-1].held_out
    pairs = zip(again.encoder.parameters(), whole.encoder.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_answers_is_found_more_often(
    questions: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, steps=60, apart=0.3, others=0, list_weight=0.0, start_weight=0.0)
    run = run_of(questions, None, start, teacher, tmp_path, recipe)
    with torch.no_grad():
        before = run.measure()
    still = run.encoder.embedding.weight.clone()
    after = list(run.run())[-1].held_out
    assert after is not None
    assert after["found"] < before["found"] - 0.5
    assert after["in_1"] > before["in_1"]
    assert torch.equal(run.encoder.embedding.weight, still), "few of its pieces occur in pairs"


def test_what_is_far_from_the_start_costs(
    questions: Path, start: Path, teacher: Path, tmp_path: Path
) -> None:
    """With all weight on the start, nothing moves that was not moved by rounding."""
    recipe = replace(RECIPE, steps=30, start_weight=1000.0)
    kept = run_of(questions, None, start, teacher, tmp_path / "kept", recipe)
    free = run_of(
        questions, None, start, teacher, tmp_path / "free", replace(recipe, start_weight=0.0)
    )
    ends = [list(run.run())[-1].held_out for run in (kept, free)]
    assert ends[0] is not None and ends[1] is not None
    assert ends[0]["moved"] < ends[1]["moved"] / 2


@st.composite
def some_pairs(draw: st.DrawFn) -> Pairs:
    size = draw(st.integers(1, 12))
    texts = [f"text {n}" for n in range(9)]
    place = st.integers(0, len(texts) - 1)
    query, passage = (
        np.array(draw(st.lists(place, min_size=size, max_size=size)), np.int64) for _ in range(2)
    )
    missed = draw(st.lists(st.lists(place, max_size=3), min_size=size, max_size=size))
    near = Ragged.of(missed, np.int64)
    group = np.array(draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)), np.int64)
    rows = np.arange(size)
    return Pairs(texts, np.ones(9, bool), query, passage, near, group, [rows], 1)


@given(some_pairs())
def test_a_lesson_knows_what_answers(pairs: Pairs) -> None:
    rows = np.arange(len(pairs.query))
    near = pairs.near_of(rows, np.random.default_rng(0))
    for row in rows:
        start = pairs.near.starts[row]
        own = pairs.near.ids[start : start + pairs.near.counts[row]]
        assert near[row] in own if len(own) else near[row] == NOTHING
    made = lesson(pairs, rows, near)
    assert made.answers.sum(1).tolist() == [1] * len(rows), "its passage, once"
    assert not (made.answers & made.unsure).any()
    said = made.texts[made.candidates]
    assert len(set(said.tolist())) == len(said)
    for row in rows:
        assert made.texts[made.asked[row]] == pairs.query[row]
        assert said[made.answers[row].argmax()] == pairs.passage[row]
        same = (pairs.passage == pairs.passage[row]).nonzero()[0]
        assert all((made.answers[other] == made.answers[row]).all() for other in same)


def test_the_loss_is_least_for_a_question_like_its_answer() -> None:
    torch.manual_seed(0)
    answers, near, stray = torch.randn(3, 8, 256)
    asked, candidates = torch.arange(8), torch.arange(8, 24)
    right = torch.eye(8, 16, dtype=torch.bool)
    targets, nothing = torch.zeros(24, 4), torch.zeros_like(right)

    def loss(questions: torch.Tensor, unsure: torch.Tensor = nothing) -> float:
        gists = torch.cat([questions, answers, near])
        start = torch.nn.functional.normalize(gists, dim=-1)
        parts = tuning_loss(gists, start, targets, asked, candidates, right, unsure, RECIPE)
        assert parts["moved"].item() == pytest.approx(0, abs=1e-6)
        assert parts["listed"].item() == pytest.approx(0), "the teacher knows none of them"
        return parts["found"].item()

    assert loss(answers) < 0.01 < loss(stray)
    assert loss(near) > loss(stray) + 1
    missed = torch.eye(8, dtype=torch.bool).roll(0, 0)
    assert loss(near, torch.cat([nothing[:, :8], missed], 1)) < loss(near) - 1


def test_the_questions_of_a_memory_are_pairs(tmp_path: Path) -> None:
    """What is near to an answer: what it superseded or is like, or else the other turns."""
    said = ["I live in Rome.", "I have a cat.", "The boxes are in Oslo.", "Rain."]
    asked = [
        {"query": "Where is home?", "gold": [2]},
        {"query": "Which pet?", "gold": [1]},
        {"query": "How old is the cat?"},
    ]
    memory = {"type": "memory", "turns": [{"text": text} for text in said]}
    write(tmp_path / "a.jsonl", [memory | {"questions": asked, "updates": [[0, 2]], "alike": []}])
    pairs = read(tmp_path, None, 1.0)
    found = [
        (
            pairs.texts[query],
            pairs.texts[passage],
            {pairs.texts[row] for row in pairs.near.ids[start : start + count]},
        )
        for query, passage, start, count in zip(
            pairs.query, pairs.passage, pairs.near.starts, pairs.near.counts, strict=True
        )
    ]
    assert found == [
        ("Where is home?", said[2], {said[0]}),
        ("Which pet?", said[1], {said[0], said[2], said[3]}),
    ]


def test_a_folder_without_pairs_is_refused(tmp_path: Path, questions: Path) -> None:
    write(tmp_path / "talk.jsonl", [{"type": "text", "text": "Good day."}])
    for data, beside in ((tmp_path, None), (questions, tmp_path)):
        with pytest.raises(InvalidInputError, match="holds no pair"):
            read(data, beside, 1.0)


@pytest.mark.parametrize("adapted", [(), ("--lora", "2")], ids=["all weights", "adapters"])
def test_the_command_tunes_an_encoder_that_its_expander_reads(
    questions: Path,
    data: Path,
    start: Path,
    teacher: Path,
    tmp_path: Path,
    adapted: tuple[str, ...],
) -> None:
    r3mem(
        "tune", questions, "--teacher", teacher, "--beside", data, "--out", tmp_path,
        "--start-from", start, "--steps", 6, *adapted,
    )  # fmt: skip
    model, before = ReversibleModel.from_pretrained(tmp_path / "checkpoint"), checkpoint.load(start)
    record = record_of(tmp_path)
    assert record["fingerprint"] == model.fingerprint != before.fingerprint
    assert record["tuning"]["started_from"] == before.fingerprint
    assert record["tuning"]["lora_rank"] == (int(adapted[1]) if adapted else None)
    assert set(record["tuning"]["data_sha256"]) >= {"facts.jsonl", "german.jsonl", "ask.jsonl"}
    assert not [name for name in model.checkpoint.encoder.tensors if "lora" in name]
    for name, tensor in before.expander.tensors.items():
        if not name.startswith("from_gist"):
            assert np.array_equal(model.checkpoint.expander.tensors[name], tensor)
    texts = [f"Does Ana stay in {town}?" for town in TOWNS]
    assert model.expand(model.compress(texts)) == texts


def test_a_tuned_encoder_goes_half_the_way(start: Path) -> None:
    frozen = torch_encoder(checkpoint.load(start).encoder)
    before, tuned = Encoder.thaw(frozen), Encoder.thaw(frozen)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in tuned.parameters():
            weight.add_(torch.randn_like(weight))
    ends = [weight.clone() for weight in tuned.parameters()]
    half = blend(tuned, before, 0.5).parameters()
    for weight, end, begun in zip(half, ends, before.parameters(), strict=True):
        assert torch.allclose(weight, (end + begun) / 2, atol=1e-5)


def test_an_expander_reads_turned_gists_as_it_read_them(model: ReversibleModel) -> None:
    torch.manual_seed(0)
    before = torch.randn(4000, model.config.gist_bits).sign()
    order = torch.randperm(model.config.gist_bits)
    begun = torch_expander(model.checkpoint.expander)
    known = before @ Expander.thaw(begun).from_gist.weight.T
    expander, share = realign(begun, before, -before[:, order])
    assert share > 0.99
    again = -before[:, order] @ Expander.thaw(expander).from_gist.weight.T
    assert torch.nn.functional.mse_loss(again, known) < 0.01 * known.var()
    unlike = torch.randn_like(before).sign()
    assert realign(begun, before, unlike)[1] < 0.2, "nothing to read"
