"""The order in which an expansion fills in positions, and the biases that start from it.

A segment is cut into lanes of ``rounds`` consecutive positions. Round ``r`` fills in the ``r``-th
position of every lane at once: positions ``r, r + rounds, r + 2 * rounds, ...``. So a token is
predicted from all tokens to its left in its lane, and from the first ``r`` tokens of the other
lanes, those to its right included (docs/LOG.md, 2026-11-21: why not coarse to fine).
"""

from __future__ import annotations

import torch
from torch import Tensor

from r3mem_agents.model.config import ModelConfig

SLOTS = 2
"""Slots of a segment: its length, then its gist."""

FOCUS = 4.0
"""Initial score, in nats, of the neighbour that a head starts by looking at."""

BACKWARD_OFFSETS = (-1, -2, -3, -4, 1, 2)
"""Which token, seen from the predicted one, a head looks at first; further heads look around."""

FORWARD_OFFSETS = (-1, 1, -2, 2)
"""The same for the forward pass."""


def positions_in_rounds(config: ModelConfig, positions: int) -> Tensor:
    """Positions ``0 .. positions - 1`` in the order of rounds, int64.

    Args:
        config: Sizes of the model.
        positions: A multiple of ``config.rounds``.
    """
    return torch.arange(positions).reshape(-1, config.rounds).t().reshape(-1)


def rounds_of(config: ModelConfig, positions: int) -> Tensor:
    """Round of each slot (-1) and each position, in the order of rounds, int64."""
    lanes = positions // config.rounds
    text = torch.arange(config.rounds).repeat_interleave(lanes)
    return torch.cat((torch.full((SLOTS,), -1), text))


def forward_bias(config: ModelConfig) -> Tensor:
    """Initial bias ``(heads, keys, keys)`` of the forward pass, slots first, natural order.

    One head per offset looks at that neighbour; the others prefer what is near. Slots look at
    everything alike.
    """
    places = torch.arange(config.segment_tokens)
    return _heads(config, places[None, :] - places[:, None], FORWARD_OFFSETS)


def backward_bias(config: ModelConfig) -> Tensor:
    """Initial bias ``(heads, keys, keys)`` of the backward pass, slots first, natural order.

    Position ``q`` holds token ``q - 1`` on the way back, hence the shift by one.
    """
    places = torch.arange(config.segment_tokens)
    return _heads(config, places[None, :] - 1 - places[:, None], BACKWARD_OFFSETS)


def _heads(config: ModelConfig, offset: Tensor, focus: tuple[int, ...]) -> Tensor:
    size = SLOTS + config.segment_tokens
    bias = torch.zeros(config.heads, size, size)
    for head in range(config.heads):
        if head < len(focus):
            near = FOCUS * (offset == focus[head]) - 0.05 * offset.abs()
        else:
            near = -offset.abs() * 2.0 ** -(2 + head - len(focus))
        bias[head, SLOTS:, SLOTS:] = near
    return bias
