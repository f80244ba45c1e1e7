"""Memory tokens trained on a tiny random Llama, killed and resumed on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from r3mem_agents.cli import app
from r3mem_agents.errors import (
    CheckpointError,
    DivergedError,
    InvalidInputError,
    ModelMismatchError,
)
from r3mem_agents.latent import LatentMemory
from r3mem_agents.latent.passes import assemble, memory_pass, reading_pass, segment_pass
from r3mem_agents.latent.positions import Layers
from r3mem_agents.train.latent.begun import FILE, check_begun
from r3mem_agents.train.latent.lessons import Lessons
from r3mem_agents.train.latent.loop import ADAPTER, LatentRun
from r3mem_agents.train.latent.objective import Batch, Kept, by_whole, lesson_loss
from r3mem_agents.train.latent.texts import Texts, answering, is_held_out, pair, prepare
from r3mem_agents.train.latent.words import LONGEST, Words
from r3mem_agents.train.recipe import LatentRecipe
from r3mem_agents.train.run import STATE, device_of, saved_dtype
from tests.latent.families import TOKENS, base, tokenizer
from tests.train.conftest import TOWNS, r3mem, write

CPU = torch.device("cpu")
RECIPE = LatentRecipe(
    steps=8, segments=(16, 24), histories=(1, 2), read=12, raw=4, batch_tokens=64, held_out=4,
    warmup_steps=2, lead=6, learning_rate=3e-3, paragraph=0.25, entity=0.25, rebuilt=0.5,
)  # fmt: skip


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogues and texts about towns, and questions about them."""
    folder = tmp_path_factory.mktemp("stories")
    talks = [
        {"speaker": who, "text": f"{town} was rainy on day {n}, and the train to it was late."}
        for n in range(60)
        for who, town in zip(("Ana", "Rui"), (TOWNS[n % 4], TOWNS[n % 3]), strict=True)
    ]
    dialogs = [{"type": "dialog", "turns": talks[at : at + 2]} for at in range(0, 120, 2)]
    texts = [
        {"type": "text", "text": f"Chapter {n}. " + f"In {TOWNS[n % 4]} the bridges are old. " * 12}
        for n in range(40)
    ]
    asked = [
        {
            "type": "pair",
            "query": f"Who lives in {town}?",
            "passage": f"It was winter {n}. Eva lives in {town}. Gil does not like boats at all.",
        }
        for n in range(12)
        for town in TOWNS
    ]
    write(folder / "talk.jsonl", dialogs)
    write(folder / "texts.jsonl", texts)
    write(folder / "asked.jsonl", asked)
    return folder


@pytest.fixture(scope="session")
def texts(stories: Path, tmp_path_factory: pytest.TempPathFactory) -> Texts:
    out = tmp_path_factory.mktemp("texts")
    return prepare(stories, out, tokenizer(), "a base", RECIPE, lambda _: None)[0]


def memory_of() -> LatentMemory:
    return LatentMemory.from_base(base("llama"), tokenizer=tokenizer(), tokens=TOKENS)


def lessons_of(texts: Texts, recipe: LatentRecipe) -> Lessons:
    return Lessons(texts, Words(tokenizer(), texts.counts), recipe, 512)


def run_of(texts: Texts, out: Path, recipe: LatentRecipe) -> LatentRun:
    out.mkdir(exist_ok=True)
    adapter = memory_of().adapter
    return LatentRun(adapter, lessons_of(texts, recipe), recipe, out, CPU, torch.float32)


def test_a_run_that_was_killed_ends_as_one_that_was_not(texts: Texts, tmp_path: Path) -> None:
    whole = run_of(texts, tmp_path / "whole", RECIPE)
    reports = list(whole.run())
    killed = run_of(texts, tmp_path / "killed", RECIPE)
    for report in killed.run():
        if report.step:
            break
    killed.save()
    again = run_of(texts, tmp_path / "killed", RECIPE)
    assert again.resume()
    assert list(again.run())[-1].held_out == reports[-1].held_out
    pairs = zip(again.adapter.parameters(), whole.adapter.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_was_trained_keeps_more_of_a_history(texts: Texts, tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=30, learning_rate=1e-2)
    run = run_of(texts, tmp_path, recipe)
    still = [weight.clone() for weight in run.adapter.base.parameters() if not weight.requires_grad]
    before, *_, after = (report.held_out for report in run.run())
    assert before is not None and after is not None
    assert after["memory"] < before["memory"]
    assert after["beside"] < before["beside"]
    for name in ("none", "raw", "full"):
        assert after[name] == before[name], "the base by itself"
    left = [weight for weight in run.adapter.base.parameters() if not weight.requires_grad]
    assert all(torch.equal(one, other) for one, other in zip(still, left, strict=True))


def test_every_part_of_what_is_learned_learns(texts: Texts) -> None:
    adapter, recipe = memory_of().adapter, replace(RECIPE, rebuilt=1.0)
    with torch.no_grad():
        for name, matrix in adapter.peft.named_parameters():
            if "lora_B" in name:
                matrix.normal_(std=0.1, generator=torch.Generator().manual_seed(0))
    drawn = [one for step in range(4) for one in lessons_of(texts, recipe).draw(step)]
    lesson = next(one for one in drawn if one.kind == "document")
    torch.autograd.backward(lesson_loss(adapter, lesson, 0.3)["loss"])
    last = f"layers.{adapter.base.config.num_hidden_layers - 1}."
    for name, one in adapter.peft.named_parameters():
        if "lora_" in name and (last not in name or "k_proj" in name or "v_proj" in name):
            assert one.grad is not None and one.grad.any(), name
    for vector in (adapter.start, adapter.cue):
        assert vector.grad is not None and vector.grad.any()


def test_a_batch_is_read_as_a_memory_reads_it(texts: Texts) -> None:
    """Row for row: compressed by itself, put together, and read."""
    adapter = memory_of().adapter

    def one_block(segment: Tensor) -> Layers:
        cache, surprise = segment_pass(adapter, segment[None])
        kept, _ = adapter.most_surprising(segment[None], surprise)
        return memory_pass(adapter, cache, adapter.seeds(kept))

    seen = set()
    for step in range(40):
        for lesson in lessons_of(texts, RECIPE).draw(step):
            key = (lesson.kind, lesson.histories.shape[1], lesson.folded, lesson.raw > 0)
            if key in seen:
                continue
            seen.add(key)
            batch, row = Batch.of_lesson(lesson, CPU), len(lesson.of) - 1
            with torch.no_grad():
                kept = Kept.of(adapter, batch, *segment_pass(adapter, batch.segments))
                own = list(map(one_block, torch.from_numpy(lesson.histories[lesson.of[row]])))
                for depth in range(1, batch.count + 1):
                    scored = batch.scored[depth - 1, row, 1:]
                    read = batch.read(adapter, kept.cache(adapter, batch, depth), depth)
                    if lesson.folded and depth > 1:
                        assert kept.cache(adapter, batch, depth).get_seq_length() == 1 + TOKENS
                        continue
                    ids = batch.text[depth - 1, row : row + 1, :-1]
                    wanted = reading_pass(adapter, assemble(adapter, own[:depth]), ids)[0]
                    assert torch.allclose(read[-int(scored.sum()) :], wanted[scored], atol=1e-4)
    assert {kind for kind, *_ in seen} == {"document", "paragraph", "entity"}
    assert {count for _, count, *_ in seen} == {1, 2}
    assert {folded for *_, folded, _ in seen} == {False, True}


def test_the_loss_is_least_where_memory_tokens_say_what_the_history_says(texts: Texts) -> None:
    adapter = memory_of().adapter
    lessons = [one for step in range(12) for one in lessons_of(texts, RECIPE).draw(step)]
    for lesson in lessons:
        with torch.no_grad():
            figures = lesson_loss(adapter, lesson, 0.0)
        assert figures["apart"] > 0
        assert figures["loss"] > figures["apart"] / 2


def test_the_base_with_the_whole_history_is_asked_in_one_pass(texts: Texts) -> None:
    adapter, recipe = memory_of().adapter, replace(RECIPE, histories=(2,), paragraph=0, entity=0)
    [lesson, _] = lessons_of(texts, recipe).draw(0)
    batch = Batch.of_lesson(lesson, CPU)
    with torch.no_grad():
        told = by_whole(adapter, batch, None)
        for depth, logits in enumerate(told, 1):
            history = torch.from_numpy(lesson.histories[:, :depth]).flatten(1)
            cache, _ = segment_pass(adapter, history)
            assert torch.allclose(batch.read(adapter, cache, depth), logits, atol=1e-4)


def test_nothing_held_out_is_trained_on(texts: Texts) -> None:
    lessons = lessons_of(texts, RECIPE)
    documents, held = texts.documents, texts.held_documents
    starts, ends = documents.starts, documents.starts + documents.counts
    flat = [documents.ids[a:b].tobytes() for a, b in zip(starts, ends, strict=True)]
    apart = [one for one, out in zip(flat, held, strict=True) if out]
    kept = [one for one, out in zip(flat, held, strict=True) if not out]
    windows = [h.astype(documents.ids.dtype).tobytes() for h in _windows(lessons)]
    assert windows
    assert all(any(window in one for one in kept) for window in windows)
    for lesson in lessons.held_out():
        for history in lesson.histories.reshape(len(lesson.histories), -1):
            assert any(history.astype(documents.ids.dtype).tobytes() in one for one in apart)


def _windows(lessons: Lessons) -> list[np.ndarray]:
    drawn = [one for step in range(20) for one in lessons.draw(step) if one.kind == "document"]
    return [row.reshape(-1) for lesson in drawn for row in lesson.histories]


def test_a_rare_word_is_asked_for_after_what_stands_before_it() -> None:
    said = "the cat and the dog and the cat saw the zebra and the cat and the dog. "
    ids = np.array(tokenizer()(said).input_ids)
    counts = np.bincount(np.tile(ids, 9), minlength=260)
    counts[ord("z")] = 1
    [(read, scored)] = Words(tokenizer(), counts).rare(ids, 1, 8, np.random.default_rng(3))
    assert len(read) == 8 + LONGEST
    assert not scored[:8].any() and scored[8:].any()
    assert tokenizer().decode(read) in said


def test_what_answers_a_question() -> None:
    passage = "It was winter. Eva lives in Porto. Gil likes boats."
    assert answering("Who lives in Porto?", passage) == "Eva lives in Porto."
    assert answering("What is a quark?", passage) == ""
    asked = {"type": "pair", "query": "Who likes boats?", "passage": passage}
    assert pair(asked) == (passage, "Who likes boats?", "Gil likes boats.")
    assert pair(asked | {"answer": "Gil"}) == (passage, "Who likes boats?", "Gil")
    assert pair(asked | {"cross": "en"}) is None
    assert 0 < sum(is_held_out(f"text {n}") for n in range(1000)) < 80


def test_data_without_documents_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", [{"type": "text", "text": "Good day."}])
    with pytest.raises(InvalidInputError, match="too few"):
        prepare(tmp_path, tmp_path, tokenizer(), "a base", RECIPE, lambda _: None)


def test_a_run_goes_on_with_what_it_was_begun_with(tmp_path: Path) -> None:
    begun: dict[str, Any] = {"base": "b", "adapter": None, "data": {"a.jsonl": "1f"}}
    check_begun(tmp_path, **begun | {"base": "another"})  # nothing was learned
    check_begun(tmp_path, **begun)
    (tmp_path / STATE).touch()
    for name, one in begun.items():
        check_begun(tmp_path, **{name: one})
        with pytest.raises(ModelMismatchError, match=f"not begun with this {name}"):
            check_begun(tmp_path, **{name: "another"})
    check_begun(tmp_path, **begun)
    (tmp_path / FILE).write_text("[")  # a run of before there was such a file
    check_begun(tmp_path, **begun)


def test_texts_that_were_damaged_are_made_once_more(stories: Path, tmp_path: Path) -> None:
    def made() -> bytes:
        found, _ = prepare(stories, tmp_path, tokenizer(), "a base", RECIPE, lambda _: None)
        return found.documents.ids.tobytes()

    first = made()
    for name, damaged in (
        ("texts.npz", (tmp_path / "texts.npz").read_bytes()[:999]),
        ("texts.npz", b""),
        ("texts.json", b"xx"),
        ("texts.json", b'{"wanted": 5}'),
        ("texts.json", b"[]"),
    ):
        (tmp_path / name).write_bytes(damaged)
        assert made() == first
    (tmp_path / "texts.npz").unlink()
    assert made() == first


def test_a_run_whose_loss_is_no_number_ends_and_saves_nothing(texts: Texts, tmp_path: Path) -> None:
    run = run_of(texts, tmp_path, replace(RECIPE, steps=20, learning_rate=1e9))
    with pytest.raises(DivergedError, match="run it again with lower --rates"):
        list(run.run())
    assert not (tmp_path / STATE).exists()


@pytest.mark.parametrize("state", [b"", b"PK\x03\x04", {"step": 1}, [1], "x"])
def test_a_state_that_is_none_is_named(texts: Texts, tmp_path: Path, state: Any) -> None:
    if isinstance(state, bytes):
        (tmp_path / STATE).write_bytes(state)
    else:
        torch.save(state, tmp_path / STATE)
    for read in (lambda: saved_dtype(tmp_path), run_of(texts, tmp_path, RECIPE).resume):
        with pytest.raises(CheckpointError, match="no state of this run"):
            read()


@pytest.mark.parametrize("name", ["zebra", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"the device '{name}' cannot be used"):
        device_of(name)
    with pytest.raises(InvalidInputError, match=f"the device '{name}' cannot be used"):
        LatentMemory.from_base(base("llama"), tokenizer=tokenizer(), device=name)


@pytest.mark.parametrize("option", ["--rates", "--minutes", "--source-mb"])
def test_what_is_no_number_is_refused(option: str) -> None:
    for value in ("nan", "inf", "-1"):
        command = ["latent", "train", "base", "--data", "data", "--out", "out", option, value]
        refused = CliRunner().invoke(app, command)
        assert refused.exit_code == 2
        assert option in refused.output


def test_the_command_leaves_an_adapter_that_a_memory_reads(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = tmp_path_factory.mktemp("tiny-llama")
    base("llama").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    data = tmp_path / "data"
    data.mkdir()
    texts = [f"{n} trains go to {TOWNS[n % 4]}. " * 20 for n in range(40)]
    write(data / "texts.jsonl", [{"type": "text", "text": text} for text in texts])
    command = ["latent", "train", folder, "--data", data, "--batch-tokens", 128, "--parts", 1]
    r3mem(*command, "--out", tmp_path / "run", "--steps", 2)
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["steps"] == 2
    assert [point["step"] for point in record["curve"]] == [0, 1, 2]
    assert set(record["data_sha256"]) == {"texts.jsonl"}
    assert (tmp_path / "run" / "training.png").stat().st_size > 1000
    memory = LatentMemory.from_base(folder, tmp_path / "run" / ADAPTER)
    assert memory.fingerprint == record["fingerprint"]
    state = memory.compress(texts[0])
    assert memory.read(state, "So are trains.").isfinite().all()
    r3mem(
        *command, "--out", tmp_path / "on", "--steps", 1, "--start-from", tmp_path / "run" / ADAPTER
    )
    assert (
        json.loads((tmp_path / "on" / "record.json").read_text())["started_from"]
        == memory.fingerprint
    )


def test_a_base_in_another_dtype_turns_its_keys_as_before() -> None:
    """Rounded, its rotary frequencies would be others."""
    whole, half = base("llama"), base("llama")
    memory = LatentMemory.from_base(half, tokenizer=tokenizer(), dtype=torch.bfloat16)
    assert memory.adapter.base.dtype == torch.bfloat16
    named = dict(memory.adapter.base.named_buffers())
    assert named
    for name, buffer in whole.named_buffers():
        assert torch.equal(named[name], buffer)
