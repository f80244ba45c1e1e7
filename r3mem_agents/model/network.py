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

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.coupling import Known, ReversibleStack
from r3mem_agents.model.exact import (
    ACTIVATION_SCALE,
    STREAM_SCALE,
    ExactLinear,
    normalize,
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

_NOWHERE = -1e9
"""Score of a key that must not be looked at."""


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


class R3MemNetwork(nn.Module):
    """Reversible stack with its embeddings, slots, biases and gist head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, layers, span = config.hidden, config.layers, config.segment_tokens
        self.embedding = ExactLinear(hidden, config.vocabulary, std=EMBEDDING_STD)
        self.unigram = nn.Parameter(torch.zeros(config.vocabulary))
        self.blank = nn.Parameter(torch.zeros(hidden))
        self.role = nn.Parameter(torch.randn(ROLES, hidden) * 0.1)
        self.edge = nn.Parameter(torch.randn(ROLES, hidden) * 0.5)
        self.after_start = nn.Parameter(torch.zeros(span, hidden))
        self.before_end = nn.Parameter(torch.zeros(span, hidden))
        self.length = nn.Parameter(torch.randn(2 * span, hidden) * 0.5)
        self.slot = nn.Parameter(torch.randn(SLOTS, hidden) * 0.5)
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
        self.register_buffer("round", schedule.round, persistent=False)
        self.register_buffer("roles", schedule.role, persistent=False)

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
        inside = torch.arange(positions, device=count.device) < count[:, None]
        outside = F.pad(~inside, (SLOTS, 0))
        end = SLOTS + positions
        bias = self.forward_bias[:, :, :end, :end]
        a, b = self.stack(start, start, bias, outside[:, None, None])
        found: Tensor = self.to_gist(normalize(a[:, SLOTS - 1] + b[:, SLOTS - 1]))
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
        number = said.sum(1, keepdim=True).clamp_min(1)
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
        frame = self._frame(layout, place.expand_as(turn), turn, role)
        text = frame + snap(given) * (turn > 0)[..., None]
        rows = self._bias_rows(place.expand_as(turn), turn, role, held, turn)
        between = self.index.slots_to_slots(tokens.device).expand(len(layout), -1, -1)
        slots = F.pad(between, (0, positions), value=self.index.blocked)
        bias = self._biases(torch.cat((slots, rows), 1))
        known = torch.cat((self._slots(condition).to(text.dtype), text), 1)
        a = self.stack.expand(self._blanks(known), known, bias)
        return normalize(a[:, SLOTS:])

    def logits(self, states: Tensor) -> Tensor:
        """Predictions ``(..., vocabulary)`` in nats from final states ``(..., hidden)``."""
        predicted: Tensor = self.embedding(states)
        return predicted + self.unigram if torch.is_grad_enabled() else predicted.add_(self.unigram)

    def set_unigram(self, counts: Tensor) -> R3MemNetwork:
        """Start predictions from how often tokens occur, ``(vocabulary,)``."""
        with torch.no_grad():
            share = (counts + 1.0) / (counts + 1.0).sum()
            self.unigram.copy_(share.log() + _UNIGRAM_LEVEL)
        return self

    def teach_topics(self, topics: Tensor) -> None:
        """Set the topics of words, ``(words + 1, gist_bits)``, for good; the rest learns on.

        The forward pass starts anew from adding nothing to them.
        """
        with torch.no_grad():
            self.topic.weight.copy_(topics)
            self.to_gist.weight.zero_()

    def freeze(self) -> R3MemNetwork:
        """Round all weights to what a checkpoint holds; inference needs it."""
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

    def _bias_rows(
        self, place: Tensor, turn: Tensor, role: Tensor, held: Tensor, held_turn: Tensor
    ) -> Tensor:
        """Rows of the bias table, ``(batch, some, SLOTS + held)``, for positions and held tokens.

        Args:
            place: ``(batch, some)`` positions.
            turn: Their rounds.
            role: Their roles.
            held: ``(batch, others)`` which token each of the others holds.
            held_turn: The round in which it was given, ``(batch, others)``.
        """
        distance = held[:, None] - place[..., None]
        rows = self.index.text_to_text(role[..., None], distance)
        hidden = (held_turn[:, None] > turn[..., None]) | (held_turn == self.config.rounds)[:, None]
        rows = rows.masked_fill(hidden, self.index.blocked)
        return torch.cat((self.index.text_to_slots(role), rows), -1)

    def _biases(self, rows: Tensor) -> Tensor:
        """Biases ``(layers, batch, heads, queries, keys)`` from rows ``(batch, queries, keys)``."""
        nowhere = torch.full_like(self.backward_bias[:1], _NOWHERE)
        table = torch.cat((self.backward_bias, nowhere))
        found = table.flatten(1)[rows].reshape(*rows.shape, *table.shape[1:])
        return found.permute(3, 0, 4, 1, 2)

    def _slots(self, condition: Condition) -> Tensor:
        going_on = condition.continued * self.config.segment_tokens
        length = self.length[(condition.count - 1).clamp_min(0) + going_on]
        code = self.from_gist(condition.gist.to(length.dtype) * ACTIVATION_SCALE)
        return snap(torch.stack((length * STREAM_SCALE, code.to(length.dtype)), 1))

    def _blanks(self, known: Tensor) -> Tensor:
        """Stream ``a`` beside what is known ``(batch, positions, hidden)``."""
        return snap(self.blank * STREAM_SCALE).to(known.dtype).expand_as(known)


class Rounds:
    """An expansion under way: one backward pass per round, each given the tokens before.

    Runs the very arithmetic of ``R3MemNetwork.predict``, a slice at a time; since sums are exact,
    both give the same bits.
    """

    def __init__(self, network: R3MemNetwork, condition: Condition) -> None:
        self._network = network
        self._count = count = condition.count
        turns = network.round[count]
        self.rounds = int(turns.masked_fill(turns == network.config.rounds, -1).max()) + 1
        self._turns = turns
        slots = network._slots(condition)
        room = SLOTS + sum(self.positions(turn)[0].shape[1] for turn in range(self.rounds))
        self._known = [
            Known(len(count), room, network.config, slots) for _ in range(network.config.layers - 1)
        ]
        between = network.index.slots_to_slots(count.device).expand(len(count), -1, -1)
        network.stack.expand(network._blanks(slots), slots, network._biases(between), self._known)
        self._held = count.new_zeros((len(count), 0))
        self._held_turn = self._held

    def positions(self, turn: int) -> tuple[Tensor, Tensor]:
        """Positions ``(batch, some)`` that a round fills in, and which of them are real."""
        here = self._turns == turn
        some = int(here.sum(1).max())
        place = here.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :some]
        return place, here.gather(1, place)

    def held(self, place: Tensor) -> Tensor:
        """Positions of the tokens that these positions hold, ``(batch, some)``; after round 0."""
        role = self._network.roles[self._count].gather(1, place)
        return held_by(place, role).clamp(0, int(self._count.max()) - 1)

    def predict(self, turn: int, place: Tensor, real: Tensor, beside: Tensor | None) -> Tensor:
        """Run a round; final states ``(batch, some, hidden)`` of its positions.

        Args:
            turn: The round; they come in order.
            place: Its positions, from ``positions``.
            real: Which of them are real.
            beside: ``(batch, some)`` the tokens that they hold; none in round 0.
        """
        network = self._network
        role = network.roles[self._count].gather(1, place)
        now = torch.where(real, turn, network.config.rounds)
        self._held = torch.cat((self._held, held_by(place, role)), 1)
        self._held_turn = torch.cat((self._held_turn, now), 1)
        text = network._frame(self._count, place, torch.full_like(place, turn), role)
        if beside is not None:
            text = text + snap(network.embedding.rows(beside) * EMBEDDING_GAIN)
        rows = network._bias_rows(
            place, torch.full_like(place, turn), role, self._held, self._held_turn
        )
        a = network.stack.expand(network._blanks(text), text, network._biases(rows), self._known)
        return normalize(a)
