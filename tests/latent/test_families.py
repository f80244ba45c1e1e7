"""The laws, on every family."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from r3mem_agents.latent import LatentMemory, LatentState
from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.generating import rebuilt
from r3mem_agents.latent.passes import assemble, memory_pass, reading_pass, segment_pass
from r3mem_agents.latent.positions import Layers
from tests.latent.families import (
    POSITIONS,
    SEGMENT,
    TOKENS,
    VOCABULARY,
    base,
    learned,
    memory_on,
    tokenizer,
)

HISTORY = "Biscuit is a dog, and he was in Lisbon in May; then it rained for days."
TEXT = "Where was the dog?"


def ids(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator)


def block(adapter: Adapter, segment: Tensor) -> Layers:
    cache, surprise = segment_pass(adapter, segment)
    kept, _ = adapter.most_surprising(segment, surprise)
    return memory_pass(adapter, cache, adapter.seeds(kept))


def same(a: LatentState, b: LatentState) -> bool:
    tensors = [
        [
            tensor
            for held in state.blocks
            for pair in (*held.layers, (held.ids, held.surprise))
            for tensor in pair
        ]
        for state in (a, b)
    ]
    told = [[(block.level, block.source_tokens) for block in s.blocks] for s in (a, b)]
    return told[0] == told[1] and all(map(torch.equal, *tensors))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_without_memory_the_base_is_the_base(family: str, dtype: torch.dtype) -> None:
    """For whoever holds it, and before, between and after its use with memory."""
    untouched, text = base(family).to(dtype), ids(2, 40)
    with torch.no_grad():
        wanted = untouched(text).logits
    held = base(family).to(dtype)
    memory = learned(LatentMemory.from_base(held, tokenizer=tokenizer()))
    for _ in range(2):
        with torch.no_grad():
            cache = memory.adapter.empty_cache()
            assert torch.equal(reading_pass(memory.adapter, cache, text), wanted)
            assert torch.equal(held(text).logits, wanted)
        memory.compress(HISTORY)


def test_without_memory_the_base_writes_what_it_writes(memory: LatentMemory) -> None:
    told = memory.tokenizer(TEXT, return_tensors="pt").input_ids
    wanted = memory.adapter.base.generate(told, max_new_tokens=8, do_sample=False)
    written = memory.generate(None, TEXT, max_new_tokens=8)
    assert written == memory.tokenizer.decode(wanted[0, told.shape[1] :], skip_special_tokens=True)


def test_a_text_has_the_tokenizers_first_token_once() -> None:
    """In front, where the base wants it: of a text, or of the memory before it."""
    memory = memory_on("llama", tokenizer=tokenizer(first=True))
    told = torch.tensor([[256, *tokenizer()(TEXT).input_ids]])
    assert memory.tokenizer(TEXT).input_ids == told[0].tolist()
    with torch.no_grad():
        logits = memory.adapter.base(told).logits
    wanted = torch.nn.functional.cross_entropy(logits[0, 1:-1], told[0, 2:], reduction="none")
    torch.testing.assert_close(memory.read(None, TEXT), wanted)
    state = memory.compress(HISTORY)
    assert state.source_tokens == len(HISTORY)
    assert not any((held.ids == 256).any() for held in state.blocks)
    plain = memory_on("llama")
    assert torch.equal(memory.read(state, TEXT), plain.read(plain.compress(HISTORY), TEXT))
    for before in (None, state):
        written = memory.generate(before, TEXT, max_new_tokens=6)
        assert written == memory.generate(before, "<s>" + TEXT, max_new_tokens=6)


def test_what_a_tokenizer_puts_after_a_text_does_not_stand_in_front() -> None:
    both = tokenizer()
    both.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 256), ("</s>", 257)]
    )
    memory, first = (memory_on("llama", tokenizer=made) for made in (both, tokenizer(first=True)))
    assert torch.equal(memory.read(None, TEXT), first.read(None, TEXT))


def test_memory_changes_what_is_read(memory: LatentMemory) -> None:
    alone = memory.read(None, TEXT)
    after = memory.read(memory.compress(HISTORY), TEXT)
    assert alone.shape == after.shape == (len(TEXT) - 1,)
    assert alone.dtype == after.dtype == torch.float32
    assert not torch.allclose(alone, after, atol=1e-3)


def test_what_is_written_is_what_is_likeliest_after_the_memory(memory: LatentMemory) -> None:
    state = memory.compress(HISTORY)
    text = list(TEXT.encode())
    adapter = memory.adapter
    prompt = memory.tokenizer(TEXT).input_ids
    assert len(prompt) == len(text)
    for _ in range(6):
        cache = assemble(adapter, [block.layers for block in state.blocks])
        with torch.no_grad():
            prompt.append(int(reading_pass(adapter, cache, torch.tensor([prompt]))[0, -1].argmax()))
    wanted = memory.tokenizer.decode(prompt[len(text) :], skip_special_tokens=True)
    assert memory.generate(state, TEXT, max_new_tokens=6) == wanted


def test_a_block_depends_on_its_own_segment_only(memory: LatentMemory) -> None:
    first, second = HISTORY[:SEGMENT], HISTORY[SEGMENT : 2 * SEGMENT]
    whole = memory.compress(first + second)
    assert same(whole, memory.compress(first + second))
    assert same(whole, memory.compress(second, memory.compress(first)))
    alone = memory.compress(second)
    assert same(alone, LatentState(whole.blocks[1:], whole.base, whole.adapter))


def test_a_batch_is_read_as_each_of_it_is(memory: LatentMemory) -> None:
    adapter, segments, texts = memory.adapter, ids(3, SEGMENT), ids(3, 30, seed=1)
    with torch.no_grad():
        together = block(adapter, segments)
        logits = reading_pass(adapter, assemble(adapter, [together]), texts)
        for row in range(3):
            own = block(adapter, segments[row : row + 1])
            for pair, mine in zip(together, own, strict=True):
                for tensor, single in zip(pair, mine, strict=True):
                    torch.testing.assert_close(tensor[row], single[0], atol=1e-4, rtol=1e-3)
            read = reading_pass(adapter, assemble(adapter, [own]), texts[row : row + 1])
            torch.testing.assert_close(logits[row], read[0], atol=1e-3, rtol=1e-3)


def shifted_block(adapter: Adapter, segment: Tensor, by: int) -> Layers:
    """Memory tokens of a segment that stands elsewhere, with the positions it has there."""
    through, cache, start = adapter.base.base_model, adapter.empty_cache(), 0
    read = torch.cat([torch.tensor([[adapter.sink]]), segment], dim=1)
    kept, _ = adapter.most_surprising(segment, segment_pass(adapter, segment)[1])
    for vectors in (adapter.base.get_input_embeddings()(read), adapter.seeds(kept)):
        places = torch.arange(start + by, start + by + vectors.shape[1])[None]
        calls: dict[str, Any] = {"inputs_embeds": vectors, "position_ids": places}
        if start:
            with adapter.acting():
                through(**calls, past_key_values=cache, use_cache=True)
        else:
            through(**calls, past_key_values=cache, use_cache=True)
        start += vectors.shape[1]
    return tuple(
        (layer.keys[:, :, -TOKENS:], layer.values[:, :, -TOKENS:]) for layer in cache.layers
    )


@pytest.mark.parametrize("by", [7, 300])
def test_moving_a_block_is_compressing_it_elsewhere(memory: LatentMemory, by: int) -> None:
    """But for learned positions, which are no part of a key: there it stays what it is."""
    adapter, segment = memory.adapter, ids(1, SEGMENT)
    rotary = adapter.base.config.model_type != "gpt2"
    with torch.no_grad():
        here = block(adapter, segment)
        moved = adapter.positions.move(here, torch.full((TOKENS,), 1 + SEGMENT + by))
        there = shifted_block(adapter, segment, by) if rotary else here
    assert adapter.positions.turned == [rotary] * len(here)
    for got, wanted in zip(moved, there, strict=True):
        torch.testing.assert_close(got[0], wanted[0], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(got[1], wanted[1], atol=1e-3, rtol=1e-3)


def test_a_base_has_the_positions_in_which_its_keys_stay_what_they_are(
    memory: LatentMemory,
) -> None:
    """Beyond its first length a base with longrope turns keys otherwise, also those in a cache."""
    assert memory.adapter.positions.limit == POSITIONS


def test_blocks_stand_one_after_the_other(memory: LatentMemory) -> None:
    adapter = memory.adapter
    with torch.no_grad():
        blocks = [block(adapter, ids(1, SEGMENT, seed=seed)) for seed in range(3)]
        cache = assemble(adapter, blocks)
        assert cache.get_seq_length() == 1 + 3 * TOKENS
        moved = adapter.positions.move(blocks[2], torch.full((TOKENS,), 1 + 2 * TOKENS))
    for held, (keys, values) in zip(cache.layers, moved, strict=True):
        torch.testing.assert_close(held.keys[:, :, -TOKENS:], keys)
        assert torch.equal(held.values[:, :, -TOKENS:], values)


def test_training_reaches_what_is_learned_and_nothing_else(family: str) -> None:
    adapter = memory_on(family).adapter
    learned = {id(parameter) for parameter in adapter.parameters()}
    frozen = [p for p in adapter.peft.parameters() if id(p) not in learned]
    before = [weight.clone() for weight in frozen]
    assert not any(weight.requires_grad for weight in frozen)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=1e-2)
    losses = []
    for _ in range(3):
        logits = reading_pass(
            adapter, assemble(adapter, [block(adapter, ids(2, SEGMENT))]), ids(2, 20, seed=1)
        )
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), ids(2, 20, seed=1)[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        reached = [p for p in adapter.parameters() if p.grad is not None and p.grad.any()]
        optimizer.step()
        losses.append(float(loss.detach()))
    # The last layer's output passes nothing on: only its keys and values are read.
    assert len(reached) >= 0.6 * len(learned)
    assert any(parameter is adapter.start for parameter in reached)
    assert losses[-1] < losses[0]
    assert all(weight.grad is None for weight in frozen)
    assert all(map(torch.equal, before, frozen))


def test_the_cue_is_learned_by_rebuilding() -> None:
    adapter, segment = memory_on("llama").adapter, ids(1, SEGMENT)
    cache = assemble(adapter, [block(adapter, segment)])
    logits = reading_pass(adapter, cache, segment, adapter.cue)
    assert logits.shape == (1, SEGMENT + 1, VOCABULARY)
    torch.nn.functional.cross_entropy(logits[0, :-1], segment[0]).backward()  # type: ignore[no-untyped-call]
    assert adapter.cue.grad is not None
    assert adapter.cue.grad.any()


def test_what_is_saved_is_what_is_loaded(family: str, memory: LatentMemory, tmp_path: Path) -> None:
    memory.save(tmp_path / "adapter")
    state = memory.compress(HISTORY)
    state.save(tmp_path / "state.safetensors")
    other = LatentMemory.from_base(base(family), tmp_path / "adapter", tokenizer=tokenizer())
    assert other.fingerprint == memory.fingerprint
    assert other.adapter.segment == SEGMENT
    loaded = LatentState.load(tmp_path / "state.safetensors")
    assert same(loaded, state)
    assert same(other.compress(HISTORY), state)
    assert torch.equal(other.read(loaded, TEXT), memory.read(state, TEXT))


def test_threads_get_what_each_would_alone(llama: LatentMemory) -> None:
    texts = [f"{i}: {HISTORY}" for i in range(12)]

    def work(text: str) -> tuple[LatentState, Tensor]:
        state = llama.compress(text)
        return state, llama.read(state, TEXT)

    wanted = [work(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        for (state, losses), (alone, read) in zip(pool.map(work, texts), wanted, strict=True):
            assert same(state, alone)
            assert torch.equal(losses, read)


def test_a_state_is_shown_by_its_sizes(llama: LatentMemory) -> None:
    shown = repr(llama.compress(HISTORY))
    assert "source_tokens=24" in shown
    assert "tensor" not in shown


def test_as_many_tokens_are_rebuilt_as_there_were(memory: LatentMemory) -> None:
    state = memory.compress(HISTORY[: SEGMENT + 1])
    assert [block.source_tokens for block in state.blocks] == [SEGMENT, 1]
    for held in state.blocks:
        cache = assemble(memory.adapter, [held.layers])
        assert rebuilt(memory.adapter, cache, held.source_tokens).shape == (1, held.source_tokens)
    assert memory.reconstruct(state) == memory.reconstruct(state)
