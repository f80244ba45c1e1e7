"""A pretrained sentence encoder as the start of an ``Encoder``, and PEFT adapters to train it by.

R3Mem fine-tunes a pretrained Transformer that was made reversible, by adapters (arXiv 2502.15957,
section 3; the arrangement of its halves over two streams is MEFT's, arXiv 2306.00477). Here a layer
of BERT becomes a coupling, and what a coupling does otherwise is folded into its matrices:

* both streams start as BERT's embeddings after their norm; one grows by what the attention of a
  layer adds, the other by what its feed-forward network adds;
* a norm before a matrix: its gain multiplies the columns, its bias goes through the matrix into the
  matrix's own; its mean is taken out of the rows of what is added to a stream;
* GELU(x) is near x sigmoid(1.702 x) (Hendrycks and Gimpel 2016, arXiv 1606.08415), and the hard
  swish near x sigmoid(x) (Howard et al. 2019, arXiv 1905.02244): inputs are multiplied by 1.702 and
  outputs divided by it.

So the encoder computes *about* what BERT does; distillation brings it the rest of the way.

The only file that knows names of Hugging Face modules.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from r3mem_agents.errors import CheckpointError, MissingExtraError
from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.scales import ACTIVATION_SCALE, STREAM_SCALE
from r3mem_agents.model.trainable.encoder import Encoder
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.stack import Coupling

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GELU_SWISH = 1.702

OUTCOME = 0.6
"""Of the last norm's gain, since means over pieces are shorter than the pieces' own vectors."""

_MATRICES = ("attention.mix", "attention.out", "feedforward.widen", "feedforward.narrow")


def load_base(path: str | Path) -> tuple[PreTrainedModel, Any]:
    """A Transformer and its tokenizer from a folder as ``save_pretrained`` writes it.

    Nothing is downloaded.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: There is no such model.
    """
    try:
        from transformers import AutoModel, AutoTokenizer, logging  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("transformers", "pretrained") from error
    logging.disable_progress_bar()
    try:
        base = AutoModel.from_pretrained(path, local_files_only=True)
        return base.eval(), AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"no Hugging Face model in {str(path)!r}: {error}") from error


def word_pieces(tokenizer: Any) -> dict[str, int]:
    """Ids of the word pieces of an uncased BERT's tokenizer.

    Raises:
        CheckpointError: It has no such pieces.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or type(backend.model).__name__ != "WordPiece":
        raise CheckpointError(
            f"{type(tokenizer).__name__} does not cut texts into BERT's word pieces"
        )
    pieces: dict[str, int] = tokenizer.get_vocab()
    return pieces


def from_bert(
    base: PreTrainedModel, rows: Tensor, positions: int, gist_bits: int
) -> tuple[Encoder, nn.Linear]:
    """An encoder that computes about what a BERT with mean pooling does.

    Args:
        base: A model of BERT's family: layers with norms after their halves, GELU.
        rows: Embedding of each of the encoder's pieces, ``(pieces, hidden)``, as the base's.
        positions: Maximum number of pieces of a segment.
        gist_bits: Bits of a gist.

    Returns:
        The encoder, whose ``to_gist`` is random, and what turns its meaning, in units, into a
        vector near the base's.

    Raises:
        CheckpointError: The base is of another kind.
    """
    part = dict(base.named_parameters())
    act = str(getattr(base.config, "hidden_act", None))
    if "encoder.layer.0.attention.self.query.weight" not in part or not act.startswith("gelu"):
        raise CheckpointError(
            f"{type(base).__name__} with {act!r} is not of BERT's family: no encoder starts from it"
        )
    config = EncoderConfig(
        vocabulary=len(rows),
        hidden=base.config.hidden_size,
        layers=base.config.num_hidden_layers,
        heads=base.config.num_attention_heads,
        feedforward=base.config.intermediate_size,
        positions=positions,
        gist_bits=gist_bits,
    )
    encoder = Encoder(config)
    with torch.no_grad():
        gain, bias = _embed(encoder, part, rows)
        for layer, coupling in enumerate(encoder.stack.couplings):
            own = {
                name.removeprefix(f"encoder.layer.{layer}."): tensor.detach().float()
                for name, tensor in part.items()
                if name.startswith(f"encoder.layer.{layer}.")
            }
            gain, bias = _fold(cast(Coupling, coupling), own, gain, bias)
        vector = nn.Linear(config.hidden, config.hidden)
        vector.weight.copy_(torch.diag(gain) * OUTCOME)
        vector.bias.copy_(bias)
    return encoder, vector


def _embed(encoder: Encoder, part: dict[str, nn.Parameter], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Set embeddings and places; the gain and bias that the first layer reads with.

    The norm of a sum is not a sum of norms: the norm of pieces is their own, that of places the
    mean of the pieces'.
    """
    name = "embeddings."
    gain, bias = (part[f"{name}LayerNorm.{one}"].detach().float() for one in ("weight", "bias"))
    kinds = part.get(f"{name}token_type_embeddings.weight")
    text = rows + kinds.detach()[0] if kinds is not None else rows
    size = text.std(1, keepdim=True, unbiased=False) + 1e-6
    places = _centred(part[f"{name}position_embeddings.weight"].detach().float())
    encoder.embedding.weight.copy_(_centred(_centred(text) / size * gain + bias))
    encoder.position.copy_(_centred(places[: encoder.config.positions] / size.mean() * gain))
    return gain, bias


def _fold(
    coupling: Coupling, own: dict[str, Tensor], gain: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Set a coupling from a layer; the gain and bias of the layer's last norm.

    Args:
        coupling: The coupling.
        own: Parameters of the layer by name.
        gain: Gain of the norm before it.
        bias: Bias of the norm before it.
    """
    weight, offset = (
        torch.cat([own[f"attention.self.{name}.{kind}"] for name in ("query", "key", "value")])
        for kind in ("weight", "bias")
    )
    attention, feedforward = coupling.attention, coupling.feedforward
    # At the first layer this is once more what the embeddings hold; left out there, the start is
    # no nearer to the base (cosine of all-MiniLM-L6-v2's vectors 0.33 both ways).
    _set(attention.mix, weight * gain, (offset + weight @ bias) * ACTIVATION_SCALE)
    out, out_bias = own["attention.output.dense.weight"], own["attention.output.dense.bias"]
    _set(attention.out, out - out.mean(0), _centred(out_bias) * STREAM_SCALE)
    gain, bias = own["attention.output.LayerNorm.weight"], own["attention.output.LayerNorm.bias"]
    widen = own["intermediate.dense.weight"]
    offset = own["intermediate.dense.bias"] + widen @ bias
    _set(feedforward.widen, widen * gain * GELU_SWISH, offset * GELU_SWISH)
    narrow, narrow_bias = own["output.dense.weight"], own["output.dense.bias"]
    _set(
        feedforward.narrow,
        (narrow - narrow.mean(0)) / GELU_SWISH,
        _centred(narrow_bias) * STREAM_SCALE,
    )
    return own["output.LayerNorm.weight"], own["output.LayerNorm.bias"]


def _set(matrix: RoundedLinear, weight: Tensor, bias: Tensor) -> None:
    assert matrix.bias is not None
    matrix.weight.copy_(weight)
    matrix.bias.copy_(bias)


def _centred(rows: Tensor) -> Tensor:
    """Rows with their mean taken out, as a layer norm does."""
    return rows - rows.mean(-1, keepdim=True)


def add_adapters(encoder: Encoder, rank: int) -> Encoder:
    """Put a LoRA adapter of PEFT on every matrix of the stack and freeze what is under them.

    Embeddings, places and the gist's matrix stay trainable. A fresh adapter changes nothing.

    Args:
        encoder: Changed in place.
        rank: Rank of the adapters (Hu et al. 2021, arXiv 2106.09685); scaled by twice the rank.

    Returns:
        The encoder.

    Raises:
        MissingExtraError: peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("peft", "pretrained") from error
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(_MATRICES))
    config._register_custom_module({RoundedLinear: _adapted_linear()})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Unsupported layer type")  # not to PEFT's own classes
        inject_adapter_in_model(config, encoder.stack)
    return encoder


def merge_adapters(encoder: Encoder) -> Encoder:
    """Add trained adapters to the matrices under them and take them off, in place."""
    for coupling in encoder.stack.couplings:
        for name in _MATRICES:
            adapted: Any = coupling.get_submodule(name)
            if hasattr(adapted, "merged_weight"):
                base = adapted.get_base_layer()
                with torch.no_grad():
                    base.weight.copy_(adapted.merged_weight())
                coupling.set_submodule(name, base)
    return encoder.requires_grad_(True)


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

        def rounded(self) -> dict[str, Tensor]:
            found: dict[str, Tensor] = self.get_base_layer().rounded_as(self.merged_weight())
            return found

        def forward(self, x: Tensor) -> Tensor:
            return cast(Tensor, self.get_base_layer().apply_weight(self.merged_weight(), x))

    return AdaptedLinear
