"""Sizes of a reversible model; everything else follows from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from r3mem_agents.errors import CheckpointError


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Sizes of a reversible model.

    The defaults are those of the bundled checkpoint (docs/LOG.md, 2026-11-21), but for ``words``.

    Attributes:
        vocabulary: Number of tokens of the byte-level BPE.
        hidden: Channels of each of the two streams.
        layers: Couplings in the stack.
        heads: Attention heads of a coupling; divides ``hidden``.
        feedforward: Channels inside the feed-forward half of a coupling.
        segment_tokens: Most text tokens in one segment.
        rounds: Most backward passes of an expansion; ``schedule`` says what each fills in.
        gist_bits: Bits of a gist; a multiple of 8.
        words: Words with a topic of their own in the gist; 0 leaves it to the forward pass.
    """

    vocabulary: int = 8192
    hidden: int = 256
    layers: int = 6
    heads: int = 8
    feedforward: int = 1024
    segment_tokens: int = 64
    rounds: int = 8
    gist_bits: int = 256
    words: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together.

        Raises:
            CheckpointError: With the offending values.
        """
        if self.hidden % self.heads:
            raise CheckpointError(f"heads={self.heads} does not divide hidden={self.hidden}")
        if self.rounds < 2:
            raise CheckpointError(f"rounds={self.rounds}: an expansion takes 2 rounds at least")
        if self.gist_bits % 8 or self.gist_bits <= 0:
            raise CheckpointError(f"gist_bits={self.gist_bits} is not a positive multiple of 8")

    @property
    def head_size(self) -> int:
        """Channels of an attention head."""
        return self.hidden // self.heads

    def to_dict(self) -> dict[str, Any]:
        """Sizes by name, for ``config.json``."""
        return asdict(self)
