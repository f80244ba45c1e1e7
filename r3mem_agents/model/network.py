"""The network: what stands in the streams on the way in, and what is read on the way out.

Forward (*compress*): text positions hold the embeddings of their tokens, the slots hold learned
vectors; the gist slot's outcome is kept as bits, everything else is dropped.

Backward (*expand*): stream ``b`` holds what is known: in the slots the length and the gist, at a
text position the token to its left, or a learned start where a lane begins. Stream ``a`` holds a
learned blank everywhere; the inverse fills it in, and what it holds at position ``p`` is read
through the tied embedding as the prediction of token ``p``.

Positions are in the *order of rounds* in both directions: slots first, then round 0's positions,
round 1's, and so on, so that what a round may look at is always a prefix.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
    SLOTS,
    backward_bias,
    forward_bias,
    positions_in_rounds,
    rounds_of,
)

EMBEDDING_STD = 0.02
"""Of the tied embedding at the start (GPT-2)."""

EMBEDDING_GAIN = 50.0 * STREAM_SCALE
"""Steps per unit of the tied embedding: 50 brings it near unit scale."""

_UNIGRAM_LEVEL = 8.0
"""Added to log frequencies, so that those of most tokens start near zero."""


class R3MemNetwork(nn.Module):
    """Reversible stack with its embeddings, slots, biases and gist head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, heads, layers = config.hidden, config.heads, config.layers
        self.embedding = ExactLinear(hidden, config.vocabulary, std=EMBEDDING_STD)
        self.unigram = nn.Parameter(torch.zeros(config.vocabulary))
        self.blank = nn.Parameter(torch.zeros(hidden))
        self.lane_start = nn.Parameter(torch.randn(config.lanes, hidden) * 0.5)
        self.length = nn.Parameter(torch.randn(2 * config.segment_tokens, hidden) * 0.5)
        self.slot = nn.Parameter(torch.randn(SLOTS, hidden) * 0.5)
        self.from_gist = ExactLinear(config.gist_bits, hidden, gain=STREAM_SCALE)
        self.to_gist = ExactLinear(hidden, config.gist_bits)
        self.stack = ReversibleStack(config)
        self.forward_bias = nn.Parameter(forward_bias(config).expand(layers, -1, -1, -1).clone())
        self.backward_bias = nn.Parameter(backward_bias(config).expand(layers, -1, -1, -1).clone())
        assert self.forward_bias.shape[1] == heads

    def gist(self, tokens: Tensor, count: Tensor) -> Tensor:
        """Compress segments forward into the gist, before its bits are taken.

        Args:
            tokens: ``(batch, positions)`` int64 in the order of rounds; padding holds any token.
            count: ``(batch,)`` tokens in each segment.

        Returns:
            ``(batch, gist_bits)`` reals; a bit is 1 where they are positive.
        """
        batch, positions = tokens.shape
        text = self.embedding.rows(tokens) * EMBEDDING_GAIN
        slots = (self.slot * STREAM_SCALE).expand(batch, -1, -1)
        start = snap(torch.cat((slots.to(text.dtype), text), 1))
        order, inside = self._layout(positions, count)
        bias = self.forward_bias[:, :, order][:, :, :, order]
        a, b = self.stack(start, start, bias, ~inside[:, None, None])
        gist: Tensor = self.to_gist(normalize(a[:, SLOTS - 1] + b[:, SLOTS - 1]))
        return gist

    def predict(self, tokens: Tensor, count: Tensor, continued: Tensor, gist: Tensor) -> Tensor:
        """Expand segments whose tokens are known, all rounds at once: what training runs.

        Args:
            tokens: ``(batch, positions)`` int64 in the order of rounds.
            count: ``(batch,)`` tokens in each segment.
            continued: ``(batch,)`` boolean: the segment goes on where another ended.
            gist: ``(batch, gist_bits)`` of -1 and 1.

        Returns:
            Final states ``(batch, positions, hidden)`` as integer levels; ``logits`` reads them.
        """
        slots = self._slots(count, continued, gist)
        known = torch.cat((slots, self._inputs(tokens)), 1)
        order, inside = self._layout(tokens.shape[1], count)
        rounds = rounds_of(self.config, tokens.shape[1]).to(tokens.device)
        blocked = (rounds[None, :] > rounds[:, None]) | ~inside[:, None, None]
        bias = self.backward_bias[:, :, order][:, :, :, order]
        a = self.stack.expand(self._blanks(known), known, bias, blocked)
        return normalize(a[:, SLOTS:])

    def begin(self, count: Tensor, continued: Tensor, gist: Tensor, positions: int) -> Rounds:
        """Start an expansion round by round; see ``Rounds``."""
        return Rounds(self, count, continued, gist, positions)

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

    def _layout(self, positions: int, count: Tensor) -> tuple[Tensor, Tensor]:
        """Bias rows of these positions, and ``(batch, keys)``: slots and real positions."""
        place = positions_in_rounds(self.config, positions).to(count.device)
        order = torch.cat((torch.arange(SLOTS, device=count.device), place + SLOTS))
        text = place[None] < count[:, None]
        inside = torch.cat((torch.ones_like(text[:, :SLOTS]), text), 1)
        return order, inside

    def _slots(self, count: Tensor, continued: Tensor, gist: Tensor) -> Tensor:
        length = self.length[(count - 1).clamp_min(0) + continued * self.config.segment_tokens]
        code = self.from_gist(gist.to(length.dtype) * ACTIVATION_SCALE)
        return snap(torch.stack((length * STREAM_SCALE, code.to(length.dtype)), 1))

    def _inputs(self, tokens: Tensor) -> Tensor:
        """The lane starts, then the tokens to the left: those of all rounds but the last."""
        batch, positions = tokens.shape
        lanes = positions // self.config.rounds
        start = self._lane_starts(batch, lanes)
        left = self.embedding.rows(tokens[:, : positions - lanes]) * EMBEDDING_GAIN
        return snap(torch.cat((start.to(left.dtype), left), 1))

    def _lane_starts(self, batch: int, lanes: int) -> Tensor:
        return (self.lane_start[:lanes] * STREAM_SCALE).expand(batch, -1, -1)

    def _blanks(self, known: Tensor) -> Tensor:
        """Stream ``a`` beside what is known ``(batch, positions, hidden)``."""
        return snap(self.blank * STREAM_SCALE).to(known.dtype).expand_as(known)


class Rounds:
    """An expansion under way: one backward pass per round, each given the tokens before.

    Runs the very arithmetic of ``R3MemNetwork.predict``, a slice at a time; since sums are exact,
    both give the same bits.
    """

    def __init__(
        self,
        network: R3MemNetwork,
        count: Tensor,
        continued: Tensor,
        gist: Tensor,
        positions: int,
    ) -> None:
        self._network = network
        config = network.config
        self._lanes = positions // config.rounds
        order, inside = network._layout(positions, count)
        self._bias = network.backward_bias[:, :, order][:, :, :, order]
        self._outside = ~inside[:, None, None]
        start = network._lane_starts(len(count), self._lanes)
        self._next = snap(torch.cat((network._slots(count, continued, gist), start), 1))
        self._passed = 0
        self._known = [
            Known(len(count), len(order), config, self._next) for _ in range(config.layers)
        ]

    def predict(self) -> Tensor:
        """Run the next round; final states of its positions ``(batch, lanes, hidden)``."""
        start, end = self._passed, self._passed + self._next.shape[1]
        blocked = self._outside[..., :end]
        if start == 0:  # slots are given before round 0, so they look at slots alone
            place = torch.arange(end, device=blocked.device)
            blocked = blocked | ((place[None, :] >= SLOTS) & (place[:, None] < SLOTS))
        a = self._network.stack.expand(
            self._network._blanks(self._next),
            self._next,
            self._bias[:, :, start:end, :end],
            blocked,
            self._known,
        )
        self._passed = end
        return normalize(a[:, -self._lanes :])

    def supply(self, tokens: Tensor) -> None:
        """Give the true tokens ``(batch, lanes)`` of the round just predicted."""
        self._next = snap(self._network.embedding.rows(tokens) * EMBEDDING_GAIN)
