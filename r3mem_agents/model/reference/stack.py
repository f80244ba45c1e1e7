"""The reversible stack in integers: additive couplings over two streams, forward and inverse.

One coupling maps the streams ``(a, b)`` to::

    b' = b + Attention(a)          a' = a + FeedForward(b')

and back by the same two functions with minus signs, in the opposite order. Factors are 1 (RevNet,
Reformer); what is added is rounded to the grid of the streams, so that on the grid the inverse
undoes the forward pass bit for bit, at any depth.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from r3mem_agents.model.config import StackConfig
from r3mem_agents.model.reference.exact import attention_weights_, levels_, normalize, snap_
from r3mem_agents.model.reference.matrix import Matrix, Tensors
from r3mem_agents.model.scales import ACTIVATION_SCALE, NOWHERE, STREAM_SCALE


class KVCache:
    """Keys and values of the positions of earlier rounds, of one coupling.

    Args:
        batch: Number of rows.
        positions: Largest number of positions.
        config: Sizes of the stack.
        like: A tensor of the dtype and device wanted.
    """

    def __init__(self, batch: int, positions: int, config: StackConfig, like: Tensor) -> None:
        self._room = like.new_empty((2, config.heads, batch, positions, config.head_size))
        self._used = 0

    def extend(self, both: Tensor) -> Tensor:
        """Add keys and values ``(2, heads, batch, positions, head_size)``; return all so far."""
        begin, self._used = self._used, self._used + both.shape[3]
        self._room[:, :, :, begin : self._used] = both
        return self._room[:, :, :, : self._used]


class Attention:
    """Multi-head attention with an additive bias per head over (position, position)."""

    def __init__(self, config: StackConfig, tensors: Tensors, name: str) -> None:
        self._heads, self._head_size = config.heads, config.head_size
        self._mix, self._out = Matrix(tensors, f"{name}.mix"), Matrix(tensors, f"{name}.out")

    def __call__(
        self,
        a: Tensor,
        bias: Tensor,
        blocked: Tensor | None = None,
        known: KVCache | None = None,
    ) -> Tensor:
        """Look from every position at those that are not blocked.

        Args:
            a: ``(batch, positions, hidden)``, the stream that is read.
            bias: ``(heads, batch or 1, positions, keys)``, whole numbers added to the products of
                queries and keys; ``NOWHERE`` blocks a key.
            blocked: Boolean ``(batch, positions or 1, keys)``.
            known: Positions of earlier rounds; they come first, and these are added.

        Returns:
            What to add to the other stream, ``(batch, positions, hidden)``.
        """
        batch, positions, hidden = a.shape
        mixed = levels_(self._mix(normalize(a)))
        mixed = mixed.view(batch, positions, 3, self._heads, self._head_size).permute(2, 3, 0, 1, 4)
        key, value = mixed[1:] if known is None else known.extend(mixed[1:])
        scores = torch.matmul(mixed[0], key.transpose(-1, -2)).add_(bias)
        if blocked is not None:
            scores.masked_fill_(blocked, NOWHERE)
        weights = attention_weights_(scores, self._head_size)
        # A mean of levels is no larger than they are.
        seen = torch.matmul(weights, value).div_(weights.sum(-1, keepdim=True)).round_()
        return self._out(seen.permute(1, 2, 0, 3).reshape(batch, -1, hidden))


class FeedForward:
    """Two matrices around a hard swish, ``h * clamp(h + 3, 0, 6) / 6``."""

    def __init__(self, tensors: Tensors, name: str) -> None:
        self._widen = Matrix(tensors, f"{name}.widen")
        self._narrow = Matrix(tensors, f"{name}.narrow")

    def __call__(self, b: Tensor) -> Tensor:
        """Map ``(..., hidden)`` to ``(..., hidden)``, position by position."""
        h = self._widen(normalize(b))
        swish = (h + 3.0).clamp_(0.0, 6.0).mul_(h).mul_(ACTIVATION_SCALE / 6.0)
        return self._narrow(levels_(swish))


class Coupling:
    """One bijection of the two streams."""

    def __init__(self, config: StackConfig, tensors: Tensors, name: str) -> None:
        self.attention = Attention(config, tensors, f"{name}.attention")
        self.feedforward = FeedForward(tensors, f"{name}.feedforward")

    def forward(
        self, a: Tensor, b: Tensor, bias: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """``(a, b)`` to ``(a', b')``; see the module's docstring for the formulas."""
        b = b + snap_(self.attention(a, bias, blocked))
        a = a + snap_(self.feedforward(b))
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
        a = a - snap_(self.feedforward(b))
        b = b - snap_(self.attention(a, bias, blocked, known))
        return a, b


class Stack:
    """Couplings in a row; the inverse runs them in reverse order.

    A model runs ``read`` and ``expand``. That ``inverse`` undoes ``forward``, and that ``expand``
    is its first stream, is what makes them the two directions of one stack (tests/model).

    Args:
        config: Sizes of the stack.
        tensors: Tensors of the network that it is part of.
    """

    def __init__(self, config: StackConfig, tensors: Tensors) -> None:
        self._layers = config.layers
        self.couplings = [
            Coupling(config, tensors, f"stack.couplings.{layer}") for layer in range(config.layers)
        ]

    def forward(
        self, a: Tensor, b: Tensor, biases: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run forward.

        Args:
            a: First stream, ``(batch, positions, hidden)``, in whole steps.
            b: Second stream, same shape.
            biases: ``(layers, heads, batch or 1, positions, positions)``, as of ``Attention``.
            blocked: Boolean ``(batch, positions or 1, positions)``: who may not see whom.

        Returns:
            The two streams after the last coupling.
        """
        for layer, coupling in enumerate(self.couplings):
            a, b = coupling.forward(a, b, biases[layer], blocked)
        return a, b

    def inverse(
        self, a: Tensor, b: Tensor, biases: Tensor, blocked: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run backward: ``forward``'s arguments, and the streams before the first coupling."""
        for layer in reversed(range(self._layers)):
            a, b = self.couplings[layer].inverse(a, b, biases[layer], blocked)
        return a, b

    def read(self, text: Tensor, outside: Tensor) -> Tensor:
        """Run forward over embedded word pieces, which both streams start as.

        Args:
            text: ``(batch, positions, hidden)``, in units.
            outside: Boolean ``(batch, positions)``, what is padding.

        Returns:
            The normalized sum of the two streams, as integer levels.
        """
        start = snap_(text * STREAM_SCALE)
        even = start.new_zeros((self._layers, 1, 1, 1, 1))
        a, b = self.forward(start, start, even, outside[:, None])
        return normalize(a + b)

    def expand(
        self, a: Tensor, b: Tensor, biases: Tensor, known: Sequence[KVCache] | None = None
    ) -> Tensor:
        """Run backward as far as stream ``a`` needs, optionally after earlier positions.

        The last thing that the inverse computes is stream ``b``, which nobody reads.

        Args:
            a: First stream of the new positions, ``(batch, positions, hidden)``.
            b: Second stream, same shape.
            biases: For each coupling but the first, whose attention is not needed,
                ``(layers - 1, heads, batch or 1, positions, known + positions)``.
            known: For each of these couplings the earlier positions; these positions are added.

        Returns:
            Stream ``a`` before the first coupling.
        """
        for layer in range(self._layers - 1, 0, -1):
            before = known[layer - 1] if known is not None else None
            a, b = self.couplings[layer].inverse(a, b, biases[layer - 1], None, before)
        return a - snap_(self.couplings[0].feedforward(b))
