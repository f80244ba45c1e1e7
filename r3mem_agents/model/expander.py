"""The expander: the stack run backward, from a gist and what is known of a segment to its tokens.

Stream ``b`` holds what is known: in the slots the length and the gist, at a text position the
token beside it that the round before filled in, or an edge or centre where growth begins
(``schedule``). Stream ``a`` holds a learned blank everywhere; the inverse fills it in, and what it
holds at position ``p`` is read as the prediction of token ``p``: first of its class, by a matrix of
classes, then of the token in that class, by the tied embedding. Token ``t`` is in class
``t // class_size``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.coupling import NOWHERE, ReversibleStack
from r3mem_agents.model.exact import (
    ACTIVATION_SCALE,
    FLOAT,
    STREAM_SCALE,
    ExactLinear,
    RoundedNetwork,
    normalize,
    quantize,
    score_steps,
    snap,
)
from r3mem_agents.model.schedule import (
    ROLES,
    SLOTS,
    BiasIndex,
    Schedule,
    held_by,
)

EMBEDDING_STD = 0.02
"""Of the tied embedding at the start (GPT-2)."""

EMBEDDING_GAIN = 50.0 * STREAM_SCALE
"""Steps per unit of the tied embedding: 50 brings it near unit scale."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of segments before their first round.

    Attributes:
        count: ``(batch,)`` int64, tokens in each segment.
        continued: ``(batch,)`` boolean or 0/1: the segment goes on where another ended.
        gist: ``(batch, gist_bits)`` of -1 and 1; 0 for an expansion without a gist.
    """

    count: Tensor
    continued: Tensor
    gist: Tensor


@dataclass(frozen=True, slots=True)
class Tables:
    """What inference reads in place of the parameters that it follows from.

    Attributes:
        backward_bias: ``((layers - 1) * heads, rows + 1)`` of every coupling but the first; the
            last row blocks.
        frame: ``(lengths, positions, hidden)``, what stands at text positions before any token.
    """

    backward_bias: Tensor
    frame: Tensor


class Expander(RoundedNetwork):
    """Reversible stack with its embeddings, slots, biases and classes of tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, span = config.hidden, config.segment_tokens
        self.embedding = ExactLinear(hidden, config.vocabulary, std=EMBEDDING_STD)
        self.unigram = nn.Parameter(torch.zeros(config.vocabulary, dtype=FLOAT))
        self.classes = ExactLinear(hidden, config.classes, std=EMBEDDING_STD, biased=True)
        self.blank = nn.Parameter(torch.zeros(hidden, dtype=FLOAT))
        self.role = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.1)
        self.edge = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.5)
        self.after_start = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.before_end = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.length = nn.Parameter(torch.randn(2 * span, hidden, dtype=FLOAT) * 0.5)
        self.from_gist = ExactLinear(config.gist_bits, hidden, gain=STREAM_SCALE)
        self.stack = ReversibleStack(config)
        self.index = BiasIndex(config)
        self.backward_bias = nn.Parameter(self.index.initial(config))
        schedule = Schedule.of(config)
        self.round: Tensor
        self.roles: Tensor
        self.order: Tensor
        self.many: Tensor
        self.register_buffer("round", schedule.round, persistent=False)
        self.register_buffer("roles", schedule.role, persistent=False)
        self.register_buffer("order", schedule.order, persistent=False)
        self.register_buffer("many", schedule.many, persistent=False)
        self._tables: Tables | None = None

    def predict(self, tokens: Tensor, condition: Condition, layout: Tensor) -> Tensor:
        """Expand segments whose tokens are known, all rounds at once: what training runs.

        Args:
            tokens: ``(batch, positions)`` int64.
            condition: What is known of the segments.
            layout: Counts that the layout follows: ``(batch,)``, or ``(1,)`` where all segments
                are of the same length, which saves a batch of biases.

        Returns:
            Final states ``(batch, positions, hidden)`` as integer levels; ``logits`` reads them.
        """
        positions = tokens.shape[1]
        place = torch.arange(positions, device=tokens.device)
        round_, role = self.round[layout, :positions], self.roles[layout, :positions]
        held = held_by(place, role)
        beside = held.expand(len(tokens), -1).clamp(0, positions - 1)
        given = self.embedding.rows(tokens.gather(1, beside)) * EMBEDDING_GAIN
        if torch.is_grad_enabled():
            frame = self._frame(layout, place.expand_as(round_), round_, role)
        else:
            frame = self.tables.frame[layout, :positions]
        text = frame + snap(given) * (round_ > 0)[..., None]
        rows = self.bias_rows(place.expand_as(round_), round_, role, held, round_)
        known, rows = self.after_slots(condition, text, rows)
        a = self.stack.expand(self.blanks(known), known, self.biases(rows))
        return normalize(a[:, SLOTS:])

    def class_logits(self, states: Tensor) -> Tensor:
        """Predictions of classes ``(..., classes)`` in nats from final states ``(..., hidden)``."""
        predicted: Tensor = self.classes(states)
        return predicted

    def token_logits(self, states: Tensor, classes: Tensor) -> Tensor:
        """Predictions of tokens in classes, in nats.

        Args:
            states: ``(rows, hidden)`` integer levels.
            classes: ``(rows,)`` int64.

        Returns:
            ``(rows, class_size)``.
        """
        rows, shape = torch.arange(len(states), device=states.device), (-1, self.config.class_size)
        if torch.is_grad_enabled():
            rounded, scale = quantize(self.embedding.master)
            product = F.linear(states, rounded).view(len(states), *self.unigram.view(shape).shape)
            counted, unit = product[rows, classes], scale * self.embedding.unit
        else:
            weight = self.embedding.levels.view(*self.unigram.view(shape).shape, -1)[classes]
            counted = torch.bmm(weight.to(states.dtype), states[..., None])[..., 0]
            unit = self.embedding.scale
        return counted * unit.view(shape)[classes] + self.unigram.view(shape)[classes]

    def set_unigram(self, counts: Tensor) -> Expander:
        """Start predictions from how often tokens occur, ``(vocabulary,)``."""
        with torch.no_grad():
            seen = counts.to(torch.float64) + 1.0
            inside = seen.view(-1, self.config.class_size)
            self.unigram.copy_((inside / inside.mean(1, keepdim=True)).log().flatten())
            assert self.classes.bias is not None
            self.classes.bias.copy_((inside.sum(1) / inside.sum(1).mean()).log())
        return self

    @property
    @torch.no_grad()
    def tables(self) -> Tables:
        """What inference reads in place of parameters; made anew after they may have changed."""
        if self._tables is None or self._tables.frame.device != self.blank.device:
            lengths, places = self.round.shape
            place = torch.arange(places, device=self.blank.device).expand(lengths, -1)
            length = torch.arange(lengths, device=self.blank.device)
            backward = self._backward_bias()[:, 1:].permute(1, 2, 0)
            self._tables = Tables(
                backward.flatten(0, 1).contiguous(),
                self._frame(length, place, self.round, self.roles),
            )
        return self._tables

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._tables = None
        super()._load_from_state_dict(*args, **kwargs)

    def freeze(self) -> Self:
        """Round all weights to what a checkpoint holds; inference needs it."""
        self._tables = None
        return super().freeze()

    def _frame(self, count: Tensor, place: Tensor, round_: Tensor, role: Tensor) -> Tensor:
        """What stands at text positions before any token: role and place, and where growth begins.

        Args:
            count: ``(batch,)`` tokens in each segment.
            place: ``(batch, some)`` positions.
            round_: Their rounds.
            role: Their roles.
        """
        left_over = (count[:, None] - 1 - place).clamp_min(0)
        frame = self.role[role] + self.after_start[place]
        frame = frame + self.before_end[left_over]
        frame = frame + self.edge[role] * (round_ == 0)[..., None]
        return snap(frame * STREAM_SCALE)

    def bias_rows(
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
        rows = self.index.text_to_text(role[..., None], distance)
        hidden = (held_round[:, None] > round_[..., None]) | (held_round == self.config.rounds)[
            :, None
        ]
        rows = rows.masked_fill(hidden, self.index.blocked)
        return torch.cat((self.index.text_to_slots(role), rows), -1)

    def after_slots(
        self, condition: Condition, text: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Stream ``b`` and rows of biases of text positions, those of the slots before them."""
        between = self.index.slots_to_slots(rows.device).expand(len(rows), -1, -1)
        slots = F.pad(between, (0, rows.shape[1]), value=self.index.blocked)
        known = torch.cat((self._slots(condition).to(text.dtype), text), 1)
        return known, torch.cat((slots, rows), 1)

    def biases(self, rows: Tensor) -> Tensor:
        """Biases of every coupling but the first from rows ``(batch, queries, keys)``.

        Returns:
            ``(layers - 1, heads, batch, queries, keys)``.
        """
        if not torch.is_grad_enabled():
            chosen = self.tables.backward_bias.index_select(1, rows.flatten())
            return chosen.view(self.config.layers - 1, self.config.heads, *rows.shape)
        table = self._backward_bias()
        found = table.flatten(1)[rows].reshape(*rows.shape, *table.shape[1:])
        return found.permute(3, 4, 0, 1, 2)[1:]

    def _backward_bias(self) -> Tensor:
        """The table of backward biases with a row more, which blocks."""
        nowhere = torch.full_like(self.backward_bias[:1], NOWHERE)
        return torch.cat((self._score(self.backward_bias), nowhere))

    def _score(self, nats: Tensor) -> Tensor:
        """Whole steps of a score."""
        return snap(nats * score_steps(self.config.head_size))

    def _slots(self, condition: Condition) -> Tensor:
        going_on = condition.continued * self.config.segment_tokens
        length = self.length[(condition.count - 1).clamp_min(0) + going_on]
        code = self.from_gist(condition.gist.to(length.dtype) * ACTIVATION_SCALE)
        return snap(torch.stack((length * STREAM_SCALE, code.to(length.dtype)), 1))

    def blanks(self, known: Tensor) -> Tensor:
        """Stream ``a`` beside what is known ``(batch, positions, hidden)``."""
        return snap(self.blank * STREAM_SCALE).to(known.dtype).expand_as(known)
