"""What cannot be done has a name, and the message says what to do instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertLMHeadModel,
    BloomConfig,
    DeepseekV3Config,
    FalconConfig,
    MambaConfig,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.quantizers.auto import AutoHfQuantizer

from r3mem_agents.errors import (
    BaseModelError,
    CheckpointError,
    InvalidInputError,
    ModelMismatchError,
    OutOfMemoryError,
    TextTooLongError,
)
from r3mem_agents.latent import LatentMemory, LatentState
from r3mem_agents.latent.failures import memory_named
from tests.latent.families import (
    POSITIONS,
    SEGMENT,
    SIZES,
    VOCABULARY,
    base,
    learned,
    memory_on,
    tokenizer,
)

TINY: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2}
HEADS: dict[str, Any] = {"num_attention_heads": 4, "intermediate_size": 48}

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "bert": (lambda: BertLMHeadModel(BertConfig(**TINY, **HEADS)), "tokens look at later ones"),
    "t5": (
        lambda: T5ForConditionalGeneration(
            T5Config(vocab_size=VOCABULARY, d_model=32, d_ff=48, num_layers=1, num_heads=2, d_kv=8)
        ),
        "no causal language model; take one that generates",
    ),
    "mamba": (
        lambda: AutoModelForCausalLM.from_config(MambaConfig(**TINY)),
        "something else than keys and values",
    ),
    "bloom": (
        lambda: AutoModelForCausalLM.from_config(
            BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4)
        ),
        "Bloom.* cannot be moved by; take a base with rotary",
    ),
    "falcon with alibi": (
        lambda: AutoModelForCausalLM.from_config(
            FalconConfig(**TINY, num_attention_heads=4, alibi=True)
        ),
        "Falcon.* cannot be moved by",
    ),
    "deepseek": (
        lambda: AutoModelForCausalLM.from_config(
            DeepseekV3Config(
                **TINY,
                **HEADS,
                num_key_value_heads=4,
                q_lora_rank=8,
                kv_lora_rank=8,
                qk_rope_head_dim=4,
                qk_nope_head_dim=4,
                v_head_dim=8,
                first_k_dense_replace=2,
            )
        ),
        "Deepseek.* cannot be moved by",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_base_that_memory_tokens_cannot_be_made_with(kind: str) -> None:
    make, message = REFUSED[kind]
    with pytest.raises(BaseModelError, match=message):
        LatentMemory.from_base(make().eval(), tokenizer=tokenizer())


def test_a_quantized_base() -> None:
    """As transformers marks one, without the package that would run it."""
    model = base("llama")
    told = {"quant_method": "fp8"}
    model.hf_quantizer = AutoHfQuantizer.from_config(told, pre_quantized=False)
    with pytest.raises(BaseModelError, match="load it without quantization_config"):
        LatentMemory.from_base(model, tokenizer=tokenizer())


def test_a_base_with_an_adapter() -> None:
    memory = memory_on("llama")
    with pytest.raises(BaseModelError, match="merge_and_unload"):
        LatentMemory.from_base(memory.adapter.base, tokenizer=tokenizer())
    with pytest.raises(InvalidInputError, match="merge_and_unload"):
        LatentMemory.from_base(memory.adapter.peft, tokenizer=tokenizer())


def test_a_folder_without_a_base_or_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no base in"):
        LatentMemory.from_base(tmp_path)
    T5Config().save_pretrained(tmp_path)
    with pytest.raises(BaseModelError, match="no causal language model"):
        LatentMemory.from_base(tmp_path)
    base("llama").save_pretrained(tmp_path / "bare")
    with pytest.raises(CheckpointError, match="give it as tokenizer="):
        LatentMemory.from_base(tmp_path / "bare")


def test_a_base_whose_weights_are_damaged_or_not_all_there(tmp_path: Path) -> None:
    base("llama").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    for told, message in (
        ({"num_hidden_layers": 5}, "lacks 9 of its weights, .*give the folder of the whole"),
        ({"hidden_size": 64}, "no base in"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(config | told), encoding="utf-8")
        with pytest.raises(CheckpointError, match=message):
            LatentMemory.from_base(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="no base in"):
        LatentMemory.from_base(tmp_path)


def test_a_tokenizer_with_tokens_that_the_base_has_not(llama: LatentMemory) -> None:
    other = tokenizer()
    other.add_tokens([f"<{i}>" for i in range(4)])
    memory = LatentMemory(llama.adapter, other)
    assert memory.compress("It rained.").tokens > 0
    for call in (memory.compress, lambda text: memory.read(None, text)):
        with pytest.raises(InvalidInputError, match="give the base's own tokenizer"):
            call("It rained <3>")


def test_a_folder_that_cannot_be_written(llama: LatentMemory, tmp_path: Path) -> None:
    state = llama.compress("It rained.")
    for place in (tmp_path, tmp_path / "none" / "state.safetensors"):
        with pytest.raises(CheckpointError, match="no state can be written to"):
            state.save(place)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="no adapter can be written to"):
        llama.save(tmp_path / "file")


def test_a_tokenizer_without_a_token_for_the_first_position() -> None:
    nameless = tokenizer()
    nameless.bos_token = nameless.eos_token = None
    with pytest.raises(BaseModelError, match="set tokenizer.bos_token"):
        LatentMemory.from_base(base("llama"), tokenizer=nameless)


def test_an_adapter_of_another_base(llama: LatentMemory, tmp_path: Path) -> None:
    llama.save(tmp_path)
    for family in ("qwen3", "llama"):
        other = base(family)
        with torch.no_grad():
            other.lm_head.weight.neg_()
        with pytest.raises(ModelMismatchError, match="made on the base .* load it with that base"):
            LatentMemory.from_base(other, tmp_path, tokenizer=tokenizer())


def test_a_base_in_another_precision_is_the_same_base(llama: LatentMemory, tmp_path: Path) -> None:
    llama.save(tmp_path)
    state = llama.compress("It rained in Lisbon.")
    half = LatentMemory.from_base(
        base("llama"), tmp_path, tokenizer=tokenizer(), dtype=torch.bfloat16
    )
    assert half.fingerprint == llama.fingerprint
    assert half.read(state, "It rained.").isfinite().all()
    assert half.compress("It rained.").blocks[0].layers[0][0].dtype == torch.bfloat16


def test_a_state_of_another_adapter(llama: LatentMemory) -> None:
    other = learned(LatentMemory.from_base(base("llama"), tokenizer=tokenizer(), tokens=3))
    state = other.compress("It rained in Lisbon.")
    for call in (
        lambda: llama.read(state, "It"),
        lambda: llama.generate(state, "It"),
        lambda: llama.reconstruct(state),
        lambda: llama.compress("It", state),
    ):
        with pytest.raises(ModelMismatchError, match="compress the text again"):
            call()


def test_a_state_of_the_same_adapter_before_it_learned_more() -> None:
    memory = memory_on("llama")
    state = memory.compress("It rained in Lisbon.")
    with torch.no_grad():
        memory.adapter.start.add_(1)
    with pytest.raises(ModelMismatchError):
        memory.read(state, "It rained.")


@pytest.mark.parametrize("part", ["memory.json", "memory.safetensors", "adapter_model.safetensors"])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_adapter(llama: LatentMemory, tmp_path: Path, part: str, damage: str) -> None:
    llama.save(tmp_path)
    file = tmp_path / part
    whole = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="no adapter for memory tokens in"):
        LatentMemory.from_base(base("llama"), tmp_path, tokenizer=tokenizer())


def test_an_adapter_whose_folder_could_be_a_name(
    llama: LatentMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is looked for elsewhere, and the base is left as it was."""
    monkeypatch.chdir(tmp_path)
    llama.save("mine/adapter")
    Path("mine/adapter/adapter_model.safetensors").unlink()
    bare = base("llama")
    with pytest.raises(CheckpointError, match=r"No such file .*adapter_model\.safetensors"):
        LatentMemory.from_base(bare, "mine/adapter", tokenizer=tokenizer())
    assert not any("lora" in name for name, _ in bare.named_modules())


def test_an_adapter_of_a_later_version(llama: LatentMemory, tmp_path: Path) -> None:
    llama.save(tmp_path)
    sizes = json.loads((tmp_path / "memory.json").read_text(encoding="utf-8"))
    (tmp_path / "memory.json").write_text(json.dumps(sizes | {"format": 2}), encoding="utf-8")
    with pytest.raises(CheckpointError, match="format 2, this version reads 1"):
        LatentMemory.from_base(base("llama"), tmp_path, tokenizer=tokenizer())


def test_a_damaged_state(llama: LatentMemory, tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    with pytest.raises(CheckpointError, match="no state of a latent memory in"):
        LatentState.load(file)
    llama.compress("It rained.").save(file)
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole[:-1], b"{}" * 100):
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="no state of a latent memory in"):
            LatentState.load(file)
    llama.save(tmp_path)
    with pytest.raises(CheckpointError, match="no state of a latent memory of format"):
        LatentState.load(tmp_path / "memory.safetensors")


def test_a_text_longer_than_the_bases_positions(llama: LatentMemory) -> None:
    long = "a" * (POSITIONS + 1)
    with pytest.raises(TextTooLongError, match=f"the base's {POSITIONS} positions"):
        llama.read(None, long)
    with pytest.raises(TextTooLongError, match="compress the first part"):
        llama.generate(None, long[:POSITIONS], max_new_tokens=1)
    state = llama.compress(long)
    assert state.source_tokens == len(long)
    assert len(llama.read(state, long[: POSITIONS - state.tokens - 1])) > 0
    with pytest.raises(TextTooLongError):
        llama.read(state, long[: POSITIONS - state.tokens])


def test_a_segment_longer_than_the_base_can_take() -> None:
    with pytest.raises(InvalidInputError, match=f"the base has {POSITIONS} positions"):
        memory_on("llama", segment=POSITIONS)
    with pytest.raises(InvalidInputError, match="a window of 20"):
        memory_on("mistral", tokens=20)


@pytest.mark.parametrize("value", [None, 3, b"bytes", "\ud800"])
def test_what_is_no_text(llama: LatentMemory, value: Any) -> None:
    for call in (llama.compress, lambda v: llama.read(None, v), lambda v: llama.generate(None, v)):
        with pytest.raises(InvalidInputError):
            call(value)


def test_what_is_no_state(llama: LatentMemory) -> None:
    for call in (llama.compress, lambda text, state: llama.read(state, text)):
        with pytest.raises(InvalidInputError, match="must be a LatentState, not str"):
            call("It rained.", "state.safetensors")  # type: ignore[arg-type]


def test_numbers_out_of_range(llama: LatentMemory) -> None:
    for name in ("tokens", "segment"):
        with pytest.raises(InvalidInputError, match=f"{name} is 0"):
            memory_on("llama", **{name: 0})
    with pytest.raises(InvalidInputError, match="max_new_tokens is 0"):
        llama.generate(None, "It", max_new_tokens=0)
    with pytest.raises(InvalidInputError, match="the prompt is empty"):
        llama.generate(None, "")


def test_nothing_is_a_history_too(llama: LatentMemory) -> None:
    state = llama.compress("")
    assert (state.tokens, state.source_tokens, state.nbytes) == (0, 0, 0)
    assert torch.equal(llama.read(state, "It rained."), llama.read(None, "It rained."))
    assert llama.reconstruct(state) == ""
    assert len(llama.read(None, "")) == len(llama.read(None, "I")) == 0
    assert [block.tokens for block in llama.compress("It").blocks] == [2]
    assert llama.compress("a" * (SEGMENT + 1)).tokens == SIZES["num_hidden_layers"] + 1


def test_a_machine_without_enough_memory() -> None:
    """PyTorch's own failure, for a tensor that no machine holds."""
    with (
        pytest.raises(OutOfMemoryError, match=r"too little memory: .*; take dtype"),
        memory_named(),
    ):
        torch.empty(1 << 60)
    with pytest.raises(RuntimeError, match="must match the size"), memory_named():
        torch.zeros(2) + torch.zeros(3)
