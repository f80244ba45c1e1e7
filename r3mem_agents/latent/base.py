"""The base model: how it is loaded, what is refused, and the name it is known by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from r3mem_agents.errors import BaseModelError, CheckpointError, InvalidInputError
from r3mem_agents.latent.failures import memory_named

SAMPLED = 1 << 16
"""Weights of a tensor that a base's fingerprint looks at."""


def load_base(
    base: str | os.PathLike[str] | PreTrainedModel,
    tokenizer: Any,
    device: str | torch.device | None,
    dtype: torch.dtype | None,
) -> tuple[Any, Any]:
    """A causal language model and its tokenizer.

    Args:
        base: A folder or a name as transformers takes it, or a model.
        tokenizer: Its tokenizer; ``None`` loads the one that lies with it.
        device: Where it runs; ``None``: a CUDA device if there is one, and a model where it is.
        dtype: Its numbers; ``None``: as they were saved.

    Raises:
        CheckpointError: There is no such model, or no tokenizer with it.
        BaseModelError: It is no model that memory tokens can be made with.
        InvalidInputError: The base is of another kind, or there is no such device.
    """
    _check_device(device)
    if isinstance(base, PreTrainedModel):
        model, source = base, base.config._name_or_path
        for weight in model.parameters():  # no buffer: rounded, rotary frequencies turn otherwise
            weight.data = weight.data.to(dtype or weight.dtype)
    elif isinstance(base, str | os.PathLike):
        source = os.fspath(base)
        model = _loaded(source, dtype)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    else:
        raise InvalidInputError(
            f"base must be a path, a name or a PreTrainedModel, not {type(base).__name__}; take "
            "an adapter off with merge_and_unload() first"
        )
    check_base(model)
    if tokenizer is None:
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"no tokenizer with the base {source!r}: {error}; give it as tokenizer="
            ) from error
    if device is not None:
        model.to(device=device)
    return model.eval(), tokenizer


def _check_device(device: str | torch.device | None) -> None:
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InvalidInputError(
            f"the device {device!r} cannot be used: {str(error).splitlines()[0]}; take 'cpu', or "
            "None for a GPU if there is one"
        ) from error


def _loaded(source: str, dtype: torch.dtype | None) -> Any:
    try:
        with memory_named():
            model, told = AutoModelForCausalLM.from_pretrained(
                source, dtype=dtype or "auto", output_loading_info=True
            )
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise CheckpointError(f"no base in {source!r}: {error}") from error
        raise BaseModelError(
            f"{source!r} is no causal language model: transformers' AutoModelForCausalLM does not "
            "take it"
        ) from error
    except (OSError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"no base in {source!r}: {error}; give a folder that save_pretrained has written"
        ) from error
    if absent := sorted(told["missing_keys"]):
        raise CheckpointError(
            f"the base in {source!r} lacks {len(absent)} of its weights, {absent[0]!r} among them; "
            "give the folder of the whole causal language model"
        )
    return model


def check_base(model: Any) -> None:
    """Accept a causal language model whose layers keep keys and values and nothing else.

    Raises:
        BaseModelError: It is another one.
    """
    name = type(model).__name__
    if getattr(model, "hf_quantizer", None) is not None:
        raise BaseModelError(
            f"the {name} has quantized weights, and adapters are made on the full ones, whose keys "
            "and values are others; load it without quantization_config, in bfloat16 if memory is "
            "short"
        )
    if getattr(model, "peft_config", None) or getattr(model, "_hf_peft_config_loaded", False):
        raise BaseModelError(
            f"the {name} has an adapter already; give the bare base, or one into which its "
            "adapter was merged: merge_and_unload()"
        )
    if model.config.is_encoder_decoder or not model.can_generate():
        raise BaseModelError(f"{name} is no causal language model; take one that generates text")
    cache = DynamicCache(config=model.config)
    if any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers):
        raise BaseModelError(
            f"{name} has layers that keep something else than keys and values of each token "
            "(a state of linear attention, or another layer's keys): memory tokens cannot stand "
            "in for it"
        )
    _check_causal(model, name)


@contextmanager
def answering(model: Any) -> Iterator[None]:
    """Without dropout and gradient checkpointing, though somebody may be training the model."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def _check_causal(model: Any, name: str) -> None:
    """Refuse a model that looks ahead, such as BERT under a causal model's name."""
    size = model.get_input_embeddings().num_embeddings
    ids = torch.tensor([[1, 2, 3], [1, 2, 4]], device=model.device) % size
    cache = DynamicCache(config=model.config)
    with torch.no_grad(), answering(model):
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True).logits
    ahead = (logits[0, 1] - logits[1, 1]).abs().max() > 1e-3 * logits[0, 1].abs().max()
    if cache.get_seq_length() != 3 or ahead:
        raise BaseModelError(
            f"{name} is no causal language model: its tokens look at later ones, or it keeps no "
            "cache of keys and values"
        )


def base_fingerprint(model: Any) -> str:
    """A name for the weights of a base: a hash of 16 hex digits.

    It is made of the family, and of names, shapes and signs of weights: no choice of a dtype
    changes a sign, so an adapter that was trained in float32 fits its base in bfloat16.
    """
    digest = hashlib.sha256(str(model.config.model_type).encode())
    for name, weight in model.named_parameters():
        digest.update(f"{name}{tuple(weight.shape)}".encode())
        flat = weight.detach().flatten()
        signs = torch.signbit(flat[:: -(-len(flat) // SAMPLED)])
        digest.update(np.packbits(signs.cpu().numpy()).tobytes())
    return digest.hexdigest()[:16]
