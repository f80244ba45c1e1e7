"""Layers of a Hugging Face Transformer as couplings, with PEFT adapters to train them by.

R3Mem fine-tunes a pretrained Transformer that was made reversible, by adapters alone (arXiv
2502.15957, section 3; the arrangement of its halves over two streams is MEFT's, arXiv 2306.00477).
Here a layer's attention becomes the attention of a coupling and its feed-forward network the other
half; embeddings of the base give each token of our vocabulary the mean of its pieces. What a
coupling does otherwise, its norms, position biases and activation, stays this package's own, so
that expansions are exact; biases and norms of the base are left out. So the base is a start, not a
function that is kept: adapters and the small parameters around it are trained (LOG, 2026-11-25).

The only file that knows names of Hugging Face modules.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from r3mem_agents.errors import CheckpointError, MissingExtraError
from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.exact import ExactLinear
from r3mem_agents.model.network import EMBEDDING_STD, R3MemNetwork
from r3mem_agents.model.tokenizer import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_MATRICES = ("attention.mix", "attention.out", "feedforward.widen", "feedforward.narrow")

_LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "encoder.layer": (  # BERT, RoBERTa, ELECTRA
        ("attention.self.query", "attention.self.key", "attention.self.value"),
        ("attention.output.dense",),
        ("intermediate.dense",),
        ("output.dense",),
    ),
    "h": (("attn.c_attn",), ("attn.c_proj",), ("mlp.c_fc",), ("mlp.c_proj",)),  # GPT-2
    "layers": (  # Llama: of the gated feed-forward network its ungated half
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        ("self_attn.o_proj",),
        ("mlp.up_proj",),
        ("mlp.down_proj",),
    ),
}
"""Where a family keeps its layers, and what becomes ``mix``, ``out``, ``widen`` and ``narrow``."""


def from_transformers(path: str | Path, tokenizer: Tokenizer, **sizes: int) -> R3MemNetwork:
    """A network whose couplings are the layers of a Transformer in a folder on this machine.

    Args:
        path: Folder as ``save_pretrained`` of ``transformers`` writes it; nothing is downloaded.
        tokenizer: Of the network; the base's own tokenizer gives its embeddings only.
        sizes: Those of ``ModelConfig`` that the base does not fix (``rounds``, ``gist_bits``,
            ``segment_tokens``).

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: There is no such model, or its layers are of an unknown kind.
    """
    try:
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("transformers", "pretrained") from error
    try:
        base = AutoModel.from_pretrained(path, local_files_only=True)
        pieces = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"no Hugging Face model in {str(path)!r}: {error}") from error
    layers = list(_matrices(base))
    mix, _, widen, _ = layers[0]
    if mix.shape[0] != 3 * mix.shape[1]:
        raise CheckpointError(
            f"the attention of {type(base).__name__} maps {mix.shape[1]} channels to "
            f"{mix.shape[0]}, not to three times as many: grouped queries are not supported"
        )
    config = ModelConfig(
        vocabulary=tokenizer.vocabulary,
        hidden=mix.shape[1],
        layers=len(layers),
        heads=base.config.num_attention_heads,
        feedforward=widen.shape[0],
        **sizes,
    )
    network = R3MemNetwork(config)
    with torch.no_grad():
        for coupling, matrices in zip(network.stack.couplings, layers, strict=True):
            for name, matrix in zip(_MATRICES, matrices, strict=True):
                coupling.get_parameter(f"{name}.weight").copy_(matrix)
        network.embedding.weight.copy_(_embeddings(base, pieces, tokenizer))
    return network


def add_adapters(network: R3MemNetwork, rank: int) -> R3MemNetwork:
    """Put a LoRA adapter of PEFT on every matrix of the stack and freeze what is under them.

    Embeddings, slots, biases and the gist's matrices stay trainable: the base knows nothing of
    them. A fresh adapter changes nothing.

    Args:
        network: Changed in place.
        rank: Of the adapters.

    Returns:
        The network.

    Raises:
        MissingExtraError: peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("peft", "pretrained") from error
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(_MATRICES))
    config._register_custom_module({ExactLinear: _adapted_linear()})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Unsupported layer type")  # not to PEFT's own classes
        inject_adapter_in_model(config, network.stack)
    return network


def merge_adapters(network: R3MemNetwork) -> R3MemNetwork:
    """Add trained adapters to the matrices under them and take them off, in place."""
    for coupling in network.stack.couplings:
        for name in _MATRICES:
            adapted: Any = coupling.get_submodule(name)
            if hasattr(adapted, "merged_weight"):
                base = adapted.get_base_layer()
                with torch.no_grad():
                    base.weight.copy_(adapted.merged_weight())
                coupling.set_submodule(name, base)
    return network.requires_grad_(True)


def _matrices(base: PreTrainedModel) -> Iterator[list[Tensor]]:
    """``mix``, ``out``, ``widen`` and ``narrow`` of each layer, ``(outputs, inputs)``."""
    modules = dict(base.named_modules())
    for layers, names in _LAYERS.items():
        if f"{layers}.0.{names[0][0]}" not in modules:
            continue
        for layer in range(base.config.num_hidden_layers):
            found = [[modules[f"{layers}.{layer}.{name}"] for name in group] for group in names]
            yield [torch.cat([_weight(module) for module in group]) for group in found]
        return
    raise CheckpointError(
        f"{type(base).__name__} keeps its layers under none of {sorted(_LAYERS)}: "
        "add its names to r3mem_agents/model/pretrained.py"
    )


def _weight(module: nn.Module) -> Tensor:
    """Weight of a linear layer, ``(outputs, inputs)``; GPT-2's convolutions hold it transposed."""
    weight = cast(Tensor, module.weight).detach().float()
    return weight if isinstance(module, nn.Linear) else weight.t()


def _embeddings(base: PreTrainedModel, pieces: Any, tokenizer: Tokenizer) -> Tensor:
    """For each of our tokens the mean of the base's embeddings of its text."""
    table = cast(nn.Embedding, base.get_input_embeddings()).weight.detach().float()
    table = (table - table.mean(0)) / table.std() * EMBEDDING_STD
    rows = []
    for token in range(tokenizer.vocabulary):
        text = tokenizer.token_bytes(token).decode(errors="ignore")
        ids = pieces(text, add_special_tokens=False)["input_ids"]
        rows.append(table[ids].mean(0) if ids else torch.randn(table.shape[1]) * EMBEDDING_STD)
    return torch.stack(rows)


def _adapted_linear() -> type[nn.Module]:
    """The class of an adapted matrix; made on demand, since its base class is PEFT's."""
    from peft.tuners.lora import Linear  # noqa: PLC0415 (an extra)

    class AdaptedLinear(Linear):  # type: ignore[misc]
        """A LoRA layer that rounds the *sum* of matrix and adapter, as a checkpoint will."""

        def merged_weight(self) -> Tensor:
            weight: Tensor = self.get_base_layer().weight
            for adapter in self.active_adapters:
                weight = weight + self.get_delta_weight(adapter)
            return weight

        def forward(self, x: Tensor) -> Tensor:
            return cast(Tensor, self.get_base_layer().apply_matrix(self.merged_weight(), x))

    return AdaptedLinear
