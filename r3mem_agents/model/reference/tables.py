"""What an expander reads that depends on no text, as whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.reference.exact import snap_
from r3mem_agents.model.reference.layout import Layout, frame_of
from r3mem_agents.model.reference.matrix import Tensors
from r3mem_agents.model.scales import NOWHERE, STREAM_SCALE, score_steps


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of an expander, float32 tensors of whole numbers.

    Attributes:
        bias: ``((layers - 1) * heads, rows + 1)``, attention biases of every coupling but the
            first, in score steps; ``Layout`` numbers the rows, the last one blocks.
        frame: ``(segment_tokens + 1, segment_tokens, hidden)``, stream ``b`` at the text positions
            of a segment of each length before any token, in stream steps.
        length: ``(2 * segment_tokens, hidden)``, stream ``b`` in the first slot, in stream steps:
            for each length, then for each length of a segment that goes on where another ended.
        blank: ``(hidden,)``, stream ``a`` everywhere, in stream steps.
    """

    bias: Tensor
    frame: Tensor
    length: Tensor
    blank: Tensor

    @classmethod
    def of(cls, config: ModelConfig, tensors: Tensors) -> Tables:
        """The tables that follow from the tensors of a checkpoint."""
        layout = Layout.of(config, tensors["blank"].device)
        nats = tensors["backward_bias"]
        scores = snap_(nats * score_steps(config.head_size))
        scores = torch.cat((scores, torch.full_like(scores[:1], NOWHERE)))
        count = torch.arange(config.segment_tokens + 1, device=nats.device)
        parts = (tensors[name] for name in ("role", "edge", "after_start", "before_end"))
        frame = frame_of(layout.together(count, config.segment_tokens), count, *parts)
        return cls(
            bias=scores[:, 1:].permute(1, 2, 0).flatten(0, 1).contiguous(),
            frame=snap_(frame * STREAM_SCALE),
            length=snap_(tensors["length"] * STREAM_SCALE),
            blank=snap_(tensors["blank"] * STREAM_SCALE),
        )
