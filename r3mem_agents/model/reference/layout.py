"""What stands at each position of an expansion and whom it looks at: index arithmetic in tensors.

Before the text positions of a segment stand two *slots*, its length and its gist. A text position
looks at what another one *holds*, so biases depend on the role of the one and on the distance from
the token it predicts to the token that the other holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.reference.isolation import loading
from r3mem_agents.model.schedule import CENTRE, ROLES, SLOTS, Schedule


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of segments before their first round.

    Attributes:
        count: ``(batch,)`` int64, tokens in each segment.
        continued: ``(batch,)`` boolean or 0/1: the segment goes on where another ended.
        gist: ``(batch, gist_bits)`` of -1 and 1.
    """

    count: Tensor
    continued: Tensor
    gist: Tensor


@dataclass(frozen=True, slots=True)
class Places:
    """The text positions of a pass that runs all rounds at once.

    Attributes:
        place: ``(layouts, positions)`` int64, their number.
        round: The round that fills each in; ``rounds`` past the end of a segment.
        role: Their roles.
        held: The position whose token each holds; its own if none, outside at the edges.
    """

    place: Tensor
    round: Tensor
    role: Tensor
    held: Tensor


class Layout:
    """Positions and rows of the bias table, for segments of every length.

    Attributes:
        blocked: The row after the last of the bias table: nobody looks there.
        round: ``Schedule.round`` as a tensor.
        role: ``Schedule.role`` as a tensor.
        order: ``(lengths, rounds, most)``, the positions that a round fills in, then 0.
        many: ``(lengths, rounds)``, how many these are.
    """

    def __init__(self, segment_tokens: int, rounds: int, device: torch.device) -> None:
        self._span, self._rounds = segment_tokens, rounds
        self._distances = 2 * segment_tokens + 1
        self._to_slots = ROLES * self._distances
        self._between_slots = self._to_slots + ROLES * SLOTS
        self.blocked = self._between_slots + SLOTS * SLOTS
        schedule = Schedule.of(segment_tokens, rounds)
        self.round = torch.tensor(schedule.round, device=device)
        self.role = torch.tensor(schedule.role, device=device)
        filled = schedule.round[:, None] == np.arange(rounds)[:, None]
        many = filled.sum(-1)
        order = np.argsort(~filled, axis=-1, kind="stable")[..., : many.max()]
        order[np.arange(many.max()) >= many[..., None]] = 0
        self.order = torch.tensor(order, device=device)
        self.many = torch.tensor(many, device=device)

    @classmethod
    def of(cls, config: ModelConfig, device: torch.device) -> Layout:
        """The layout of a model's sizes, with its tensors on a device."""
        return _layout(config.segment_tokens, config.rounds, device)

    def together(self, count: Tensor, positions: int) -> Places:
        """Positions ``0 .. positions - 1`` of segments with these counts, for all rounds at once.

        Args:
            count: ``(layouts,)``.
            positions: Number of positions.
        """
        round_, role = self.round[count, :positions], self.role[count, :positions]
        place = torch.arange(positions, device=count.device).expand_as(role)
        return Places(place, round_, role, held_by(place, role))

    def rows(
        self, place: Tensor, round_: Tensor, role: Tensor, held: Tensor, held_round: Tensor
    ) -> Tensor:
        """Rows of the bias table, ``(batch, some, SLOTS + others)``, for text positions.

        Args:
            place: ``(batch, some)`` positions.
            round_: Their rounds.
            role: Their roles.
            held: ``(batch, others)`` which token each of the positions looked at holds.
            held_round: Their rounds, ``(batch, others)``; ``rounds`` for one that is not there.
        """
        distance = held[:, None] - place[..., None]
        rows = self.text_to_text(role[..., None], distance)
        hidden = (held_round[:, None] > round_[..., None]) | (held_round == self._rounds)[:, None]
        rows = rows.masked_fill(hidden, self.blocked)
        slots = torch.arange(SLOTS, device=role.device)
        return torch.cat((self._to_slots + role[..., None] * SLOTS + slots, rows), -1)

    def text_to_text(self, role: Tensor, distance: Tensor) -> Tensor:
        """Rows for queries of these roles and tokens held so far to the right of the query's."""
        return role * self._distances + distance + self._span

    def with_slots(self, rows: Tensor) -> Tensor:
        """Rows of text positions with those of the slots before them; these see only each other."""
        pairs = torch.arange(SLOTS * SLOTS, device=rows.device).reshape(SLOTS, SLOTS)
        between = (self._between_slots + pairs).expand(len(rows), -1, -1)
        return torch.cat((F.pad(between, (0, rows.shape[1]), value=self.blocked), rows), 1)


def length_row(condition: Condition, segment_tokens: int) -> Tensor:
    """Which row of the table of lengths stands in the first slot of each segment, ``(batch,)``."""
    return (condition.count - 1).clamp_min(0) + condition.continued * segment_tokens


def frame_of(
    places: Places,
    count: Tensor,
    role: Tensor,
    edge: Tensor,
    after_start: Tensor,
    before_end: Tensor,
) -> Tensor:
    """What stands at text positions before any token, ``(layouts, positions, hidden)``, in units.

    Args:
        places: The positions.
        count: ``(layouts,)``, tokens of the segments that they are in.
        role: ``(roles, hidden)``, what stands at every position of a role.
        edge: The same, where growth begins.
        after_start: ``(positions, hidden)``, by the distance from the start of the segment.
        before_end: The same, by the distance from its end.
    """
    left_over = (count[:, None] - 1 - places.place).clamp_min(0)
    frame = role[places.role] + after_start[places.place] + before_end[left_over]
    return frame + edge[places.role] * (places.round == 0)[..., None]


def held_by(place: Tensor, role: Tensor) -> Tensor:
    """The position whose token a position holds; its own if it holds none."""
    return place + CENTRE - role


@cache
def _layout(segment_tokens: int, rounds: int, device: torch.device) -> Layout:
    with loading():  # one that a host's inference mode had made could not be trained with
        return Layout(segment_tokens, rounds, device)


@dataclass(frozen=True, slots=True)
class Sides:
    """Where two turns lie that are read together, ``(pairs, positions)`` each.

    Attributes:
        place: Position of each piece within its own turn; 0 for padding.
        side: 0 for the older turn and for padding, 1 for the newer one.
        outside: Whether it is padding.
        owned: ``(pairs, 2, positions)``, whether a position is of the older, of the newer turn.
    """

    place: Tensor
    side: Tensor
    outside: Tensor
    owned: Tensor

    @classmethod
    def of(cls, older: Tensor, newer: Tensor, positions: int) -> Sides:
        """The layout of pairs of turns with so many pieces, the newer right after the older."""
        place = torch.arange(positions, device=older.device)
        outside = place >= (older + newer)[:, None]
        side = ((place >= older[:, None]) & ~outside).long()
        first = place < older[:, None]
        place = (place - side * older[:, None]).masked_fill(outside, 0)
        return cls(place, side, outside, torch.stack((first, side.bool()), 1))
