"""The network: what stands in the streams on the way in, and what is read on the way out.

Forward (*compress*): text positions hold the embeddings of their tokens, the slots hold learned
vectors; the gist slot's outcome, added to the topics of the words, is kept as bits. Everything
else is dropped.

Backward (*expand*): stream ``b`` holds what is known: in the slots the length and the gist, at a
text position the token beside it that the round before filled in, or an edge or centre where
growth begins (``schedule``). Stream ``a`` holds a learned blank everywhere; the inverse fills it
in, and what it holds at position ``p`` is read through the tied embedding as the prediction of
token ``p``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.coupling import NOWHERE, ReversibleStack
from r3mem_agents.model.exact import (
    ACTIVATION_SCALE,
    FLOAT,
    PREDICTION_STEPS,
    STREAM_SCALE,
    ExactLinear,
    normalize,
    score_steps,
    snap,
)
from r3mem_agents.model.schedule import (
    ROLES,
    SLOTS,
    BiasIndex,
    Schedule,
    forward_bias,
    held_by,
)
from r3mem_agents.model.words import NONE

EMBEDDING_STD = 0.02
"""Of the tied embedding at the start (GPT-2)."""

EMBEDDING_GAIN = 50.0 * STREAM_SCALE
"""Steps per unit of the tied embedding: 50 brings it near unit scale."""

_UNIGRAM_LEVEL = 8.0
"""Added to log frequencies, so that those of most tokens start near zero."""


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
        forward_bias: ``(layers, heads, 1, positions, positions)``, in whole steps of a score.
        backward_bias: ``((layers - 1) * heads, rows + 1)`` of every coupling but the first; the
            last row blocks.
        frame: ``(lengths, positions, hidden)``, what stands at text positions before any token.
        scale: ``(vocabulary,)``, of predictions in steps; ``PREDICTION_STEPS`` make a nat.
        unigram: ``(vocabulary,)``, in steps as well.
    """

    forward_bias: Tensor
    backward_bias: Tensor
    frame: Tensor
    scale: Tensor
    unigram: Tensor


class R3MemNetwork(nn.Module):
    """Reversible stack with its embeddings, slots, biases and gist head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, layers, span = config.hidden, config.layers, config.segment_tokens
        self.embedding = ExactLinear(hidden, config.vocabulary, std=EMBEDDING_STD)
        self.unigram = nn.Parameter(torch.zeros(config.vocabulary, dtype=FLOAT))
        self.blank = nn.Parameter(torch.zeros(hidden, dtype=FLOAT))
        self.role = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.1)
        self.edge = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.5)
        self.after_start = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.before_end = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.length = nn.Parameter(torch.randn(2 * span, hidden, dtype=FLOAT) * 0.5)
        self.slot = nn.Parameter(torch.randn(SLOTS, hidden, dtype=FLOAT) * 0.5)
        self.topic = ExactLinear(config.gist_bits, config.words + 1, std=0.0)
        self.from_gist = ExactLinear(config.gist_bits, hidden, gain=STREAM_SCALE)
        self.to_gist = ExactLinear(hidden, config.gist_bits)
        self.stack = ReversibleStack(config)
        self.forward_bias = nn.Parameter(forward_bias(config).expand(layers, -1, -1, -1).clone())
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

    def gist(self, tokens: Tensor, count: Tensor, words: Tensor) -> Tensor:
        """Compress segments forward into the gist, before its bits are taken.

        Args:
            tokens: ``(batch, positions)`` int64; padding holds any token.
            count: ``(batch,)`` tokens in each segment.
            words: ``(batch, some)`` ids of the words in each, filled up with 0.

        Returns:
            ``(batch, gist_bits)`` reals; a bit is 1 where they are positive.
        """
        batch, positions = tokens.shape
        text = self.embedding.rows(tokens) * EMBEDDING_GAIN
        slots = (self.slot * STREAM_SCALE).expand(batch, -1, -1)
        start = snap(torch.cat((slots.to(text.dtype), text), 1))
        outside = torch.arange(-SLOTS, positions, device=count.device) >= count[:, None]
        end = SLOTS + positions
        bias = self._forward_bias()[..., :end, :end]
        left = self.stack.compress(start, start, bias, outside[:, None], SLOTS - 1)
        found: Tensor = self.to_gist(normalize(left))
        return found + self.topics(words)

    def topics(self, words: Tensor) -> Tensor:
        """What a bag of words says of a text, ``(batch, gist_bits)``.

        Each word has a learned vector, long where the word says much; their sum is divided by the
        square root of their number, so that long texts do not drown the forward pass. The sum is
        exact on the grid of ``STREAM_SCALE``.

        Args:
            words: ``(batch, some)`` ids, filled up with 0.
        """
        said = words > NONE
        each = snap(self.topic.rows(words) * STREAM_SCALE) * said[..., None]
        number = said.sum(1, keepdim=True).clamp_min(1).to(each.dtype)
        return each.sum(1) * STREAM_SCALE**-1 / number.sqrt()

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
        turn, role = self.round[layout, :positions], self.roles[layout, :positions]
        held = held_by(place, role)
        beside = held.expand(len(tokens), -1).clamp(0, positions - 1)
        given = self.embedding.rows(tokens.gather(1, beside)) * EMBEDDING_GAIN
        if torch.is_grad_enabled():
            frame = self._frame(layout, place.expand_as(turn), turn, role)
        else:
            frame = self.tables.frame[layout, :positions]
        text = frame + snap(given) * (turn > 0)[..., None]
        rows = self.bias_rows(place.expand_as(turn), turn, role, held, turn)
        known, rows = self.after_slots(condition, text, rows)
        a = self.stack.expand(self.blanks(known), known, self.biases(rows))
        return normalize(a[:, SLOTS:])

    def logits(self, states: Tensor) -> Tensor:
        """Predictions ``(..., vocabulary)`` in nats from final states ``(..., hidden)``."""
        predicted: Tensor = self.embedding(states)
        return predicted + self.unigram

    def steps(self, states: Tensor) -> Tensor:
        """Predictions ``(..., vocabulary)`` as ``frequencies`` wants them."""
        counted = self.embedding.count(states)
        return counted.to(self.tables.scale.dtype).mul_(self.tables.scale).add_(self.tables.unigram)

    def set_unigram(self, counts: Tensor) -> R3MemNetwork:
        """Start predictions from how often tokens occur, ``(vocabulary,)``."""
        with torch.no_grad():
            seen = counts.to(FLOAT) + 1.0
            share = seen / seen.sum()
            self.unigram.copy_(share.log() + _UNIGRAM_LEVEL)
        return self

    def teach_topics(self, topics: Tensor) -> None:
        """Set the topics of words, ``(words + 1, gist_bits)``, for good; the rest learns on.

        The forward pass starts anew from adding nothing to them.
        """
        with torch.no_grad():
            self.topic.weight.copy_(topics)
            self.to_gist.weight.zero_()

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
                self._score(self.forward_bias)[:, :, None],
                backward.flatten(0, 1).contiguous(),
                self._frame(length, place, self.round, self.roles),
                self.embedding.scale * PREDICTION_STEPS,
                self.unigram * PREDICTION_STEPS,
            )
        return self._tables

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._tables = None
        super()._load_from_state_dict(*args, **kwargs)

    def freeze(self) -> R3MemNetwork:
        """Round all weights to what a checkpoint holds; inference needs it."""
        self._tables = None
        for module in self.modules():
            if isinstance(module, ExactLinear):
                module.freeze()
        return self

    def thaw(self) -> R3MemNetwork:
        """Set the master weights from the rounded ones, to train on."""
        for module in self.modules():
            if isinstance(module, ExactLinear):
                module.thaw()
        return self

    def _frame(self, count: Tensor, place: Tensor, turn: Tensor, role: Tensor) -> Tensor:
        """What stands at text positions before any token: role and place, and where growth begins.

        Args:
            count: ``(batch,)`` tokens in each segment.
            place: ``(batch, some)`` positions.
            turn: Their rounds.
            role: Their roles.
        """
        left_over = (count[:, None] - 1 - place).clamp_min(0)
        frame = self.role[role] + self.after_start[place]
        frame = frame + self.before_end[left_over]
        frame = frame + self.edge[role] * (turn == 0)[..., None]
        return snap(frame * STREAM_SCALE)

    def bias_rows(
        self, place: Tensor, turn: Tensor, role: Tensor, held: Tensor, held_turn: Tensor
    ) -> Tensor:
        """Rows of the bias table, ``(batch, some, SLOTS + others)``, for text positions.

        Args:
            place: ``(batch, some)`` positions.
            turn: Their rounds.
            role: Their roles.
            held: ``(batch, others)`` which token each of the positions looked at holds.
            held_turn: Their rounds, ``(batch, others)``; ``rounds`` for one that is not there.
        """
        distance = held[:, None] - place[..., None]
        rows = self.index.text_to_text(role[..., None], distance)
        hidden = (held_turn[:, None] > turn[..., None]) | (held_turn == self.config.rounds)[:, None]
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

    def _forward_bias(self) -> Tensor:
        if not torch.is_grad_enabled():
            return self.tables.forward_bias
        return self._score(self.forward_bias)[:, :, None]

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
