"""Sizes of a reversible model; everything else follows from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from r3mem_agents.errors import CheckpointError

MOST_LAYERS = 1024
"""Deepest stack: a damaged number shall not ask for gigabytes of names. Chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """Sizes of a reversible stack.

    Attributes:
        hidden: Channels of each of the two streams.
        layers: Couplings in the stack.
        heads: Attention heads of a coupling; divides ``hidden``.
        feedforward: Channels inside the feed-forward half of a coupling.
        biased: Whether the matrices of a coupling have a bias each, as those of a pretrained
            Transformer do.
    """

    hidden: int = 256
    layers: int = 6
    heads: int = 8
    feedforward: int = 1024
    biased: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together.

        Raises:
            CheckpointError: With the offending values.
        """
        for name, value in self.to_dict().items():
            if name != "biased" and (type(value) is not int or value < 1):
                raise CheckpointError(f"{name}={value!r} is no whole number from 1")
        if type(self.biased) is not bool:
            raise CheckpointError(f"biased={self.biased!r} is neither true nor false")
        if self.layers > MOST_LAYERS:
            raise CheckpointError(f"layers={self.layers}: a stack has {MOST_LAYERS} at most")
        if self.hidden % self.heads:
            raise CheckpointError(f"heads={self.heads} does not divide hidden={self.hidden}")

    @property
    def head_size(self) -> int:
        """Channels of an attention head."""
        return self.hidden // self.heads

    def to_dict(self) -> dict[str, Any]:
        """Sizes by name, for ``config.json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig(StackConfig):
    """Sizes of the network that runs forward, from a text to its gist.

    The defaults are those of the bundled checkpoint; the stack's are all-MiniLM-L6-v2's.

    Attributes:
        vocabulary: Number of word pieces.
        positions: Maximum number of pieces of a segment, the two that mark its ends included.
        gist_bits: Bits of a gist; a multiple of 8.
    """

    vocabulary: int = 73728
    hidden: int = 384
    heads: int = 12
    feedforward: int = 1536
    biased: bool = True
    positions: int = 128
    gist_bits: int = 256

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together.

        Raises:
            CheckpointError: With the offending values.
        """
        StackConfig.__post_init__(self)
        check_gist_bits(self.gist_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersederConfig(StackConfig):
    """Sizes of the network that compares two turns.

    The defaults are those of the bundled checkpoint; the stack's but its depth are the encoder's.

    Attributes:
        layers: Couplings. Chosen for what a lookup may cost; more were not tried.
        positions: Maximum number of pieces of a turn, the two that mark its ends included.
        compared: Channels of each turn that are compared.
    """

    hidden: int = 384
    layers: int = 4
    heads: int = 12
    feedforward: int = 1536
    biased: bool = True
    positions: int = 96
    compared: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig(StackConfig):
    """Sizes of the network that runs backward, from memory tokens to the text.

    The defaults are those of the bundled checkpoint (docs/LOG.md, 2026-11-27).

    Attributes:
        vocabulary: Number of tokens of the byte-level BPE.
        classes: Classes of tokens, all of the same size: a prediction chooses a class, then a
            token in it, so that it costs ``classes + vocabulary / classes`` products a channel.
        segment_tokens: Maximum number of text tokens in one segment.
        rounds: Maximum number of backward passes of an expansion; ``schedule`` says what each fills
            in.
        gist_bits: Bits of a gist; a multiple of 8.
    """

    vocabulary: int = 32768
    classes: int = 256
    segment_tokens: int = 64
    rounds: int = 8
    gist_bits: int = 256

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together.

        Raises:
            CheckpointError: With the offending values.
        """
        StackConfig.__post_init__(self)
        if self.vocabulary % self.classes:
            raise CheckpointError(
                f"classes={self.classes} does not divide vocabulary={self.vocabulary}"
            )
        if not 2 <= self.rounds <= self.segment_tokens:
            raise CheckpointError(
                f"rounds={self.rounds}: an expansion of {self.segment_tokens} tokens takes "
                "2 rounds at least, and no more than it has tokens"
            )
        check_gist_bits(self.gist_bits)

    @property
    def class_size(self) -> int:
        """Tokens of a class."""
        return self.vocabulary // self.classes


def check_gist_bits(bits: int) -> None:
    """Refuse a gist that does not fill whole bytes.

    Raises:
        CheckpointError: With the offending value.
    """
    if bits % 8 or bits <= 0:
        raise CheckpointError(f"gist_bits={bits} is not a positive multiple of 8")
