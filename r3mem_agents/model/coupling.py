"""The reversible stack: additive couplings over two streams, callable forward and inverse.

One coupling maps the streams ``(a, b)`` to::

    b' = b + Attention(a)          a' = a + FeedForward(b')

and back by the same two functions with minus signs, in the opposite order. Factors are 1 (RevNet,
Reformer); what is added is rounded to the grid of the streams, so that on the grid the inverse
undoes the forward pass bit for bit, at any depth.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.exact import (
    ACTIVATION_SCALE,
    ExactLinear,
    attention_weights,
    levels,
    normalize,
    snap,
)

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values, ``(batch, heads, known, head_size)`` each, one pair per coupling."""


class Attention(nn.Module):
    """Multi-head attention with a learned additive bias per head over (position, position)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.head_size = config.hidden // config.heads
        self.mix = ExactLinear(config.hidden, 3 * config.hidden)
        self.out = ExactLinear(config.hidden, config.hidden, std=0.0)

    def forward(
        self, a: Tensor, bias: Tensor, allowed: Tensor, known: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Look from every position at the allowed ones.

        Args:
            a: ``(batch, positions, hidden)``, the stream that is read.
            bias: ``(heads, positions, keys)``, added to the scores.
            allowed: Boolean ``(batch, 1, positions or 1, keys)``.
            known: Keys and values of positions that were passed before; they come first.

        Returns:
            What to add to the other stream, and the keys and values including these positions.
        """
        batch, positions, hidden = a.shape
        mixed = levels(self.mix(normalize(a)) * ACTIVATION_SCALE)
        mixed = mixed.view(batch, positions, 3, self.heads, self.head_size)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        if known is not None:
            key = torch.cat((known[0], key), 2)
            value = torch.cat((known[1], value), 2)
        unit = self.head_size**-0.5 / ACTIVATION_SCALE**2
        scores = torch.matmul(query, key.transpose(-1, -2)) * unit + bias
        if torch.is_grad_enabled():
            weights = scores.masked_fill(~allowed, -1e9).softmax(-1)
            seen = torch.matmul(weights.to(value.dtype), value)
        else:
            weights = attention_weights(scores, allowed)
            seen = torch.matmul(weights, value) / weights.sum(-1, keepdim=True)
        merged = levels(seen).transpose(1, 2).reshape(batch, positions, hidden)
        added: Tensor = self.out(merged)
        return added, (key, value)


class FeedForward(nn.Module):
    """Two exact matrices around a hard swish, ``h * clamp(h + 3, 0, 6) / 6``."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.widen = ExactLinear(config.hidden, config.feedforward)
        self.narrow = ExactLinear(config.feedforward, config.hidden, std=0.0)

    def forward(self, b: Tensor) -> Tensor:
        """Map ``(..., hidden)`` to ``(..., hidden)``, position by position."""
        h = self.widen(normalize(b))
        gate = torch.clamp(h + 3.0, 0.0, 6.0)
        added: Tensor = self.narrow(levels(h * gate * (ACTIVATION_SCALE / 6.0)))
        return added


class Coupling(nn.Module):
    """One bijection of the two streams."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feedforward = FeedForward(config)

    def forward(self, a: Tensor, b: Tensor, bias: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """``(a, b)`` to ``(a', b')``; see the module's docstring for the formulas."""
        b = b + snap(self.attention(a, bias, allowed)[0])
        a = a + snap(self.feedforward(b))
        return a, b

    def inverse(
        self,
        a: Tensor,
        b: Tensor,
        bias: Tensor,
        allowed: Tensor,
        known: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """``(a', b')`` to ``(a, b)``, and this coupling's keys and values."""
        a = a - snap(self.feedforward(b))
        seen, keys_values = self.attention(a, bias, allowed, known)
        b = b - snap(seen)
        return a, b, keys_values


class ReversibleStack(nn.Module):
    """Couplings in a row; the inverse runs them in reverse order."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(config) for _ in range(config.layers))

    def forward(
        self, a: Tensor, b: Tensor, biases: Tensor, allowed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Run forward.

        Args:
            a: First stream, ``(batch, positions, hidden)``, on the grid of ``snap``.
            b: Second stream, same shape.
            biases: ``(layers, heads, positions, positions)``.
            allowed: Boolean ``(batch, 1, positions or 1, positions)``.

        Returns:
            The two streams after the last coupling.
        """
        for layer, coupling in enumerate(self.couplings):
            a, b = coupling(a, b, biases[layer], allowed)
        return a, b

    def inverse(
        self, a: Tensor, b: Tensor, biases: Tensor, allowed: Tensor, cache: Cache | None = None
    ) -> tuple[Tensor, Tensor, Cache]:
        """Run backward, optionally after positions that were run before.

        Args:
            a: First stream of the new positions, ``(batch, positions, hidden)``.
            b: Second stream, same shape.
            biases: ``(layers, heads, positions, known + positions)``.
            allowed: Boolean ``(batch, 1, positions or 1, known + positions)``.
            cache: What an earlier call returned for the positions before; ``None`` at first.

        Returns:
            The two streams before the first coupling, and the cache with these positions added.
        """
        grown: Cache = []
        for layer in reversed(range(len(self.couplings))):
            coupling = cast(Coupling, self.couplings[layer])
            known = cache[len(grown)] if cache is not None else None
            a, b, keys_values = coupling.inverse(a, b, biases[layer], allowed, known)
            grown.append(keys_values)
        return a, b, grown
