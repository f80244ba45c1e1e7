"""The reversible stack: additive couplings over two streams, callable forward and inverse.

One coupling maps the streams ``(a, b)`` to::

    b' = b + Attention(a)          a' = a + FeedForward(b')

and back by the same two functions with minus signs, in the opposite order. Factors are 1 (RevNet,
Reformer); what is added is rounded to the grid of the streams, so that on the grid the inverse
undoes the forward pass bit for bit, at any depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import StackConfig
from r3mem_agents.model.exact import (
    ACTIVATION_SCALE,
    STREAM_SCALE,
    ExactLinear,
    attention_weights,
    levels,
    normalize,
    score_steps,
    snap,
)

NOWHERE = -1e9
"""Score of a key that must not be looked at."""


class KVCache:
    """Keys and values of positions that were passed before, of one coupling.

    Args:
        batch: Rows.
        positions: Most positions there will be.
        config: Sizes of the model.
        like: A tensor of the dtype and device wanted.
    """

    def __init__(self, batch: int, positions: int, config: StackConfig, like: Tensor) -> None:
        self._room = like.new_empty((2, config.heads, batch, positions, config.head_size))
        self._used = 0

    def extend(self, both: Tensor) -> Tensor:
        """Add keys and values ``(2, heads, batch, positions, head_size)``; all of them so far."""
        begin, self._used = self._used, self._used + both.shape[3]
        self._room[:, :, :, begin : self._used] = both
        return self._room[:, :, :, : self._used]


class Attention(nn.Module):
    """Multi-head attention with a learned additive bias per head over (position, position)."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.heads, self.head_size = config.heads, config.head_size
        hidden, biased = config.hidden, config.biased
        self.mix = ExactLinear(hidden, 3 * hidden, gain=ACTIVATION_SCALE, biased=biased)
        self.out = ExactLinear(hidden, hidden, std=0.0, gain=STREAM_SCALE, biased=biased)

    def forward(
        self,
        a: Tensor,
        bias: Tensor,
        blocked: Tensor | None = None,
        known: KVCache | None = None,
    ) -> Tensor:
        """Look from every position at those that are not blocked.

        Args:
            a: ``(batch, positions, hidden)``, the stream that is read.
            bias: ``(heads, batch or 1, positions, keys)``, added to the products of queries and
                keys; whole numbers outside of training. -1e9 blocks a key.
            blocked: Boolean ``(batch, positions or 1, keys)``.
            known: Positions that were passed before; they come first, and these are added.

        Returns:
            What to add to the other stream, ``(batch, positions, hidden)``.
        """
        batch, positions, hidden = a.shape
        mixed = levels(self.mix(normalize(a)))
        mixed = mixed.view(batch, positions, 3, self.heads, self.head_size).permute(2, 3, 0, 1, 4)
        key, value = mixed[1:] if known is None else known.extend(mixed[1:])
        scores = torch.matmul(mixed[0], key.transpose(-1, -2))
        if torch.is_grad_enabled():
            scores = scores + bias
            if blocked is not None:
                scores = scores.masked_fill(blocked, NOWHERE)
            weights = (scores / score_steps(self.head_size)).softmax(-1)
            seen = levels(torch.matmul(weights.to(value.dtype), value))
        else:
            scores.add_(bias)
            if blocked is not None:
                scores.masked_fill_(blocked, NOWHERE)
            weights = attention_weights(scores, self.head_size)
            # A mean of levels is no larger than they are.
            seen = torch.matmul(weights, value).div_(weights.sum(-1, keepdim=True)).round_()
        added: Tensor = self.out(seen.permute(1, 2, 0, 3).reshape(batch, -1, hidden))
        return added


class FeedForward(nn.Module):
    """Two exact matrices around a hard swish, ``h * clamp(h + 3, 0, 6) / 6``."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        hidden, inner, biased = config.hidden, config.feedforward, config.biased
        self.widen = ExactLinear(hidden, inner, biased=biased)
        self.narrow = ExactLinear(inner, hidden, std=0.0, gain=STREAM_SCALE, biased=biased)

    def forward(self, b: Tensor) -> Tensor:
        """Map ``(..., hidden)`` to ``(..., hidden)``, position by position."""
        h = self.widen(normalize(b))
        if torch.is_grad_enabled():
            swish = h * torch.clamp(h + 3.0, 0.0, 6.0) * (ACTIVATION_SCALE / 6.0)
        else:
            swish = (h + 3.0).clamp_(0.0, 6.0).mul_(h).mul_(ACTIVATION_SCALE / 6.0)
        added: Tensor = self.narrow(levels(swish))
        return added


class Coupling(nn.Module):
    """One bijection of the two streams."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feedforward = FeedForward(config)

    def forward(
        self, a: Tensor, b: Tensor, bias: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """``(a, b)`` to ``(a', b')``; see the module's docstring for the formulas."""
        b = b + snap(self.attention(a, bias, blocked))
        a = a + snap(self.feedforward(b))
        return a, b

    def inverse(
        self,
        a: Tensor,
        b: Tensor,
        bias: Tensor,
        blocked: Tensor | None = None,
        known: KVCache | None = None,
    ) -> tuple[Tensor, Tensor]:
        """``(a', b')`` to ``(a, b)``."""
        a = a - snap(self.feedforward(b))
        b = b - snap(self.attention(a, bias, blocked, known))
        return a, b


class ReversibleStack(nn.Module):
    """Couplings in a row; the inverse runs them in reverse order."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(config) for _ in range(config.layers))

    def forward(
        self, a: Tensor, b: Tensor, biases: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run forward.

        Args:
            a: First stream, ``(batch, positions, hidden)``, on the grid of ``snap``.
            b: Second stream, same shape.
            biases: ``(layers, heads, batch or 1, positions, positions)``, as of ``Attention``.
            blocked: Boolean ``(batch, positions or 1, positions)``: who may not see whom.

        Returns:
            The two streams after the last coupling.
        """
        for layer, coupling in enumerate(self.couplings):
            a, b = coupling(a, b, biases[layer], blocked)
        return a, b

    def inverse(
        self, a: Tensor, b: Tensor, biases: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run backward: ``forward``'s arguments, and the streams before the first coupling."""
        for layer in reversed(range(len(self.couplings))):
            coupling = cast(Coupling, self.couplings[layer])
            a, b = coupling.inverse(a, b, biases[layer], blocked)
        return a, b

    def expand(
        self, a: Tensor, b: Tensor, biases: Tensor, known: Sequence[KVCache] | None = None
    ) -> Tensor:
        """Run backward as far as stream ``a`` needs, optionally after positions run before.

        The last thing that the inverse computes is stream ``b``, which nobody reads.

        Args:
            a: First stream of the new positions, ``(batch, positions, hidden)``.
            b: Second stream, same shape.
            biases: For each coupling but the first, whose attention is not needed,
                ``(layers - 1, heads, batch or 1, positions, known + positions)``.
            known: For each of these couplings the positions before; these positions are added.

        Returns:
            Stream ``a`` before the first coupling.
        """
        for layer in range(len(self.couplings) - 1, 0, -1):
            coupling = cast(Coupling, self.couplings[layer])
            before = known[layer - 1] if known is not None else None
            a, b = coupling.inverse(a, b, biases[layer - 1], None, before)
        first = cast(Coupling, self.couplings[0])
        return a - snap(first.feedforward(b))
