"""A base that somebody else trains, has set up in their own way, or interrupts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from r3mem_agents.latent import LatentMemory
from r3mem_agents.latent.compressing import cache_of
from r3mem_agents.latent.generating import continued
from tests.latent.families import memory_on

HISTORY = "It rained in Lisbon, and Biscuit slept."


def test_a_base_that_is_trained_meanwhile_answers_as_one_that_rests() -> None:
    memory = memory_on("gpt2")  # with dropout
    state = memory.compress(HISTORY)
    read, written = memory.read(state, "It was wet."), memory.generate(state, "It")
    held = memory.adapter.base
    held.train()
    held.activation_checkpointing_enable()
    again = memory.compress(HISTORY)
    for one, other in zip(state.blocks[0].layers, again.blocks[0].layers, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    assert torch.equal(memory.read(state, "It was wet."), read)
    assert memory.generate(state, "It") == written
    assert all(module.training for module in held.modules())


@pytest.mark.parametrize(
    "settings",
    [{"use_cache": False}, {"repetition_penalty": 1.3}, {"return_dict_in_generate": True}],
)
def test_only_what_ends_a_text_is_the_bases_own_setting(settings: dict[str, Any]) -> None:
    memory = memory_on("llama")
    blocks = memory.compress(HISTORY).blocks

    def written() -> list[int]:
        ids = torch.tensor([memory.tokenizer("It rained").input_ids])
        with torch.no_grad():
            made = continued(memory.adapter, cache_of(memory.adapter, blocks), ids, 8)
        tokens: list[int] = made[0].tolist()
        return tokens

    wanted = written()
    config = memory.adapter.base.generation_config
    config.update(**settings)
    assert written() == wanted
    config.eos_token_id = [257, wanted[0]]
    assert written() == wanted[:1]


def test_an_interrupted_compression_leaves_the_base_as_it_was(llama: LatentMemory) -> None:
    held = llama.adapter.base
    alone = llama.read(None, HISTORY)
    passes = []

    def interrupt(*_: Any) -> None:
        passes.append(1)
        if len(passes) == 2:  # the second: memory tokens, with the adapter acting
            raise KeyboardInterrupt

    hook = held.model.layers[2].register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        llama.compress(HISTORY)
    hook.remove()
    assert torch.equal(llama.read(None, HISTORY), alone)
