"""A matrix whose float master weights are rounded in every pass."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.reference.exact import FLOAT
from r3mem_agents.model.scales import ACTIVATION_SCALE
from r3mem_agents.model.trainable.rounding import quantize


class RoundedLinear(nn.Module):
    """A linear map by integer levels, with a scale per output row and straight-through gradients.

    Args:
        inputs: Number of columns.
        outputs: Number of rows.
        std: Standard deviation of the initial weights; ``inputs ** -0.5`` if not given.
        gain: Units of the output per real unit; a power of two, so that it rounds nothing.
        biased: Add a learned bias per output row, in units of the output.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        std: float | None = None,
        gain: float = 1.0,
        biased: bool = False,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = inputs, outputs
        self.unit = gain / ACTIVATION_SCALE
        self.weight = nn.Parameter(torch.empty(outputs, inputs, dtype=FLOAT))
        nn.init.normal_(self.weight, std=inputs**-0.5 if std is None else std)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=FLOAT)) if biased else None

    def forward(self, x: Tensor) -> Tensor:
        """Map integer levels ``(..., inputs)`` to reals ``(..., outputs)`` times the gain."""
        return self.apply_weight(self.weight, x)

    def apply_weight(self, weight: Tensor, x: Tensor) -> Tensor:
        """``forward`` with these master weights in place of ``weight``."""
        rounded, scale = quantize(weight)
        product = F.linear(x, rounded) * (scale * self.unit)
        return product if self.bias is None else product + self.bias

    def rows(self, index: Tensor) -> Tensor:
        """Rows of the matrix as reals: an embedding look-up ``(...) -> (..., inputs)``."""
        rounded, scale = quantize(F.embedding(index, self.weight))
        return rounded * scale[..., None]

    def rounded(self) -> dict[str, Tensor]:
        """What a checkpoint holds of the matrix (``frozen.shapes``)."""
        return self.rounded_as(self.weight)

    @torch.no_grad()
    def rounded_as(self, weight: Tensor) -> dict[str, Tensor]:
        """``rounded`` with these master weights in place of ``weight``."""
        rounded, scale = quantize(weight)
        found = {"levels": rounded.to(torch.int8), "scale": scale * self.unit}
        return found if self.bias is None else found | {"bias": self.bias.detach().clone()}

    @torch.no_grad()
    def set_rounded(self, tensors: Mapping[str, Tensor]) -> None:
        """Set the master weights from what a checkpoint holds of the matrix."""
        self.weight.copy_(tensors["levels"] * (tensors["scale"][:, None] / self.unit))
        if self.bias is not None:
            self.bias.copy_(tensors["bias"])
