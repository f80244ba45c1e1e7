"""In which order an expansion fills positions in, and the biases that start from it.

What is known before the first round is where a text starts and where it ends. From these two
*edges* an expansion grows inwards, one token per round on either side; a longer segment gets
*centres* in between, tokens without a known neighbour, from which it grows both ways. So a segment
of 64 tokens takes 7 rounds and 4 centres, one of up to 16 tokens has no centre at all, and every
other token is predicted beside the one that was filled in the round before (docs/LOG.md,
2026-11-25: beside lanes filled from left to right).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.exact import FLOAT

SLOTS = 2
"""Slots of a segment: its length, then its gist."""

BACKWARD, CENTRE, FORWARD = range(3)
"""Role of a position: it holds the token to its right, none, or the token to its left."""

ROLES = 3

FOCUS = 4.0
"""Initial score, in nats, of the neighbour that a head starts by looking at."""

OUTWARD_OFFSETS = (-1, -2, -3, -4, 1, 2)
"""Which token, seen from a predicted one, a head looks at first on the way back: the tokens that
lie behind it as it grows, then those ahead; further heads look around."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """For segments of every length ``0 .. segment_tokens``, one row each.

    Attributes:
        round: ``(lengths, positions)`` int64, the round that fills a position in; ``rounds``
            past the end.
        role: ``(lengths, positions)`` int64.
        order: ``(lengths, rounds, most)`` int64, the positions that a round fills in, then 0.
        many: ``(lengths, rounds)`` int64, how many these are.
    """

    round: Tensor
    role: Tensor
    order: Tensor
    many: Tensor

    @classmethod
    def of(cls, config: ModelConfig) -> Schedule:
        """The schedule of a model's sizes."""
        size = config.segment_tokens
        rounds = torch.full((size + 1, size), config.rounds, dtype=torch.int64)
        roles = torch.full((size + 1, size), FORWARD, dtype=torch.int64)
        for length in range(1, size + 1):
            for position, (round_, role) in enumerate(_fill(length, config.rounds)):
                rounds[length, position] = round_
                roles[length, position] = role
        many = torch.stack([(rounds == round_).sum(1) for round_ in range(config.rounds)], 1)
        order = torch.zeros((size + 1, config.rounds, int(many.max())), dtype=torch.int64)
        for length, round_ in many.nonzero().tolist():
            filled = (rounds[length] == round_).nonzero()[:, 0]
            order[length, round_, : len(filled)] = filled
        return cls(rounds, roles, order, many)


def held_by(place: Tensor, role: Tensor) -> Tensor:
    """The position whose token a position holds; its own if it holds none."""
    return place + CENTRE - role


@cache
def _fill(length: int, rounds: int) -> tuple[tuple[int, int], ...]:
    """Round and role of each position of a segment.

    Gaps between centres take ``2 * rounds - 2`` tokens at most, those at the edges one more.
    """
    centres = max(0, -(-(length - 2 * rounds) // (2 * rounds - 1)))
    inner = length - centres - 2 if centres else length - 1
    filled: list[tuple[int, int]] = []
    for gap in range(centres + 1):
        first, last = gap == 0, gap == centres
        share = inner * (gap + 1) // (centres + 1) - inner * gap // (centres + 1)
        width = share + (1 if first or last else 0)
        for place in range(width):
            left = place + (0 if first else 1)
            right = width - 1 - place + (0 if last else 1)
            filled.append((left, FORWARD) if left <= right else (right, BACKWARD))
        if not last:
            filled.append((0, CENTRE))
    return tuple(filled)


class BiasIndex:
    """Rows of the table of backward biases: who looks at whom, by role and distance.

    A text position looks at what another *holds*, so the distance counts from the predicted token
    to the held one.
    """

    def __init__(self, config: ModelConfig) -> None:
        self._span = config.segment_tokens
        self._distances = 2 * self._span + 1
        self._to_slots = ROLES * self._distances
        self._between_slots = self._to_slots + ROLES * SLOTS
        self.blocked = self._between_slots + SLOTS * SLOTS
        """The row after the last: nobody looks there."""

    def text_to_text(self, role: Tensor, distance: Tensor) -> Tensor:
        """Rows for queries of these roles and tokens held so far to their right."""
        return role * self._distances + distance + self._span

    def text_to_slots(self, role: Tensor) -> Tensor:
        """Rows ``(..., SLOTS)`` for queries of these roles ``(...)``."""
        slots = torch.arange(SLOTS, device=role.device)
        return self._to_slots + role[..., None] * SLOTS + slots

    def slots_to_slots(self, device: torch.device) -> Tensor:
        """Rows ``(SLOTS, SLOTS)``."""
        pairs = torch.arange(SLOTS * SLOTS, device=device).reshape(SLOTS, SLOTS)
        return self._between_slots + pairs

    def initial(self, config: ModelConfig) -> Tensor:
        """Biases ``(rows, layers, heads)`` at the start: one head per offset, the rest near."""
        distance = torch.arange(-self._span, self._span + 1)
        table = torch.zeros(self.blocked, config.layers, config.heads, dtype=FLOAT)
        for role in range(ROLES):
            outward = -distance if role == BACKWARD else distance
            rows = slice(role * self._distances, (role + 1) * self._distances)
            for head in range(config.heads):
                table[rows, :, head] = _near(outward, head, OUTWARD_OFFSETS)[:, None]
        return table


def _near(offset: Tensor, head: int, focus: tuple[int, ...]) -> Tensor:
    away = offset.abs().to(FLOAT)
    if head < len(focus):
        return FOCUS * (offset == focus[head]).to(FLOAT) - 0.05 * away
    return -away * 2.0 ** -(2 + head - len(focus))
