"""Tiny random bases of every family, and a tokenizer of bytes for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    PhiConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

from r3mem_agents.latent import LatentMemory

VOCABULARY = 260
SEGMENT = 24
TOKENS = 4
WINDOW = 20
POSITIONS = 512

SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": POSITIONS,
    "bos_token_id": 256,
    "eos_token_id": 257,
    "pad_token_id": 258,
}

FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaConfig(**SIZES),
    "llama-yarn": lambda: LlamaConfig(
        **SIZES,
        rope_parameters={
            "rope_theta": 1e4,
            "rope_type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": POSITIONS // 4,
        },
    ),
    "qwen3": lambda: Qwen3Config(**SIZES),
    "mistral": lambda: MistralConfig(**SIZES, sliding_window=WINDOW),
    "gemma3": lambda: Gemma3TextConfig(
        **SIZES,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention"] * 2,
        query_pre_attn_scalar=8,
    ),
    "gpt2": lambda: GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=4,
        n_head=4,
        n_positions=POSITIONS,
        bos_token_id=256,
        eos_token_id=257,
    ),
    "phi": lambda: PhiConfig(
        **SIZES,
        rope_parameters={
            "rope_theta": 1e4,
            "rope_type": "default",
            "partial_rotary_factor": 0.5,
        },
    ),
    "phi3-longrope": lambda: Phi3Config(
        **SIZES | {"max_position_embeddings": 4 * POSITIONS},
        original_max_position_embeddings=POSITIONS,
        rope_parameters={
            "rope_theta": 1e4,
            "rope_type": "longrope",
            "short_factor": [1.0, 1.1, 1.2, 1.3],
            "long_factor": [1.0, 2.0, 3.0, 4.0],
            "partial_rotary_factor": 1.0,
        },
    ),
}


def base(family: str) -> Any:
    """A base with random weights, the same each time; large enough that its words differ."""
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(FAMILIES[family]()).eval()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.dim() > 1:
                weight.mul_(5)
    return made


def tokenizer(first: bool = False) -> PreTrainedTokenizerFast:
    """Bytes as tokens; with ``first``, each text begins with one of its own."""
    from tokenizers.processors import TemplateProcessing

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: i for i, letter in enumerate(letters)} | {"<s>": 256, "</s>": 257}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    if first:
        made.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 256)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")


def learned(memory: LatentMemory) -> LatentMemory:
    """The same with an adapter that does something: its second matrices start as zeros."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, matrix in memory.adapter.peft.named_parameters():
            if "lora_B" in name:
                matrix.copy_(0.3 * torch.randn(matrix.shape, generator=generator))
    return memory


def memory_on(family: str, **options: Any) -> LatentMemory:
    """A latent memory on a new base."""
    options = {"tokenizer": tokenizer(), "tokens": TOKENS, "segment": SEGMENT} | options
    return learned(LatentMemory.from_base(base(family), **options))
