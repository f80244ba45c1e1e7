"""The reversible stack as training runs it: the couplings of ``frozen.stack``, with gradients."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import StackConfig
from r3mem_agents.model.scales import ACTIVATION_SCALE, NOWHERE, STREAM_SCALE, score_steps
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.rounding import levels, normalize, snap


class Attention(nn.Module):
    """Multi-head attention with a learned additive bias per head over (position, position)."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.heads, self.head_size = config.heads, config.head_size
        hidden, biased = config.hidden, config.biased
        self.mix = RoundedLinear(hidden, 3 * hidden, gain=ACTIVATION_SCALE, biased=biased)
        self.out = RoundedLinear(hidden, hidden, std=0.0, gain=STREAM_SCALE, biased=biased)

    def forward(self, a: Tensor, bias: Tensor, blocked: Tensor | None = None) -> Tensor:
        """Look from every position at those that are not blocked.

        Args:
            a: ``(batch, positions, hidden)``, the stream that is read.
            bias: ``(heads, batch or 1, positions, positions)``, added to the products of queries
                and keys; ``NOWHERE`` blocks a key.
            blocked: Boolean ``(batch, positions or 1, positions)``.

        Returns:
            What to add to the other stream, ``(batch, positions, hidden)``.
        """
        batch, positions, hidden = a.shape
        mixed = levels(self.mix(normalize(a)))
        mixed = mixed.view(batch, positions, 3, self.heads, self.head_size).permute(2, 3, 0, 1, 4)
        query, key, value = mixed
        scores = torch.matmul(query, key.transpose(-1, -2)) + bias
        if blocked is not None:
            scores = scores.masked_fill(blocked, NOWHERE)
        weights = (scores / score_steps(self.head_size)).softmax(-1)
        seen = levels(torch.matmul(weights.to(value.dtype), value))
        added: Tensor = self.out(seen.permute(1, 2, 0, 3).reshape(batch, -1, hidden))
        return added


class FeedForward(nn.Module):
    """Two matrices around a hard swish, ``h * clamp(h + 3, 0, 6) / 6``."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        hidden, inner, biased = config.hidden, config.feedforward, config.biased
        self.widen = RoundedLinear(hidden, inner, biased=biased)
        self.narrow = RoundedLinear(inner, hidden, std=0.0, gain=STREAM_SCALE, biased=biased)

    def forward(self, b: Tensor) -> Tensor:
        """Map ``(..., hidden)`` to ``(..., hidden)``, position by position."""
        h = self.widen(normalize(b))
        swish = h * torch.clamp(h + 3.0, 0.0, 6.0) * (ACTIVATION_SCALE / 6.0)
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
        """``(a, b)`` to ``(a', b')``."""
        b = b + snap(self.attention(a, bias, blocked))
        a = a + snap(self.feedforward(b))
        return a, b

    def inverse(self, a: Tensor, b: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """``(a', b')`` to ``(a, b)``."""
        a = a - snap(self.feedforward(b))
        b = b - snap(self.attention(a, bias))
        return a, b


class ReversibleStack(nn.Module):
    """Couplings in a row; arguments and results are those of ``frozen.stack.Stack``."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(config) for _ in range(config.layers))

    def forward(
        self, a: Tensor, b: Tensor, biases: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run forward."""
        for layer, coupling in enumerate(self.couplings):
            a, b = coupling(a, b, biases[layer], blocked)
        return a, b

    def read(self, text: Tensor, outside: Tensor) -> Tensor:
        """Run forward over embedded word pieces, which both streams start as."""
        start = snap(text * STREAM_SCALE)
        even = start.new_zeros((len(self.couplings), 1, 1, 1, 1))
        a, b = self(start, start, even, outside[:, None])
        return normalize(a + b)

    def expand(self, a: Tensor, b: Tensor, biases: Tensor) -> Tensor:
        """Run backward as far as stream ``a`` needs."""
        for layer in range(len(self.couplings) - 1, 0, -1):
            a, b = cast(Coupling, self.couplings[layer]).inverse(a, b, biases[layer - 1])
        return a - snap(cast(Coupling, self.couplings[0]).feedforward(b))
