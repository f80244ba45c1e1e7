"""A map from a second teacher's vectors to the first one's space, learned on common texts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

WIDENED = 4
"""Hidden channels, as a multiple of the width of a vector."""

RATE = 1e-3
MIN_RATE = 1e-5
BATCH = 4096
DECAY = 0.02
"""Weight decay."""

PASSES = 50
"""Maximum number of passes over the rows: few rows take few steps."""

HELD_OUT, MAX_HELD_OUT = 8, 4000
"""One in this many rows is held out, up to a maximum number."""

AT_ONCE = 65536

Vectors = NDArray[np.float16]


class SpaceMap:
    """Two hidden layers from vectors of length 1 to others.

    Attributes:
        cosine: Mean cosine of mapped vectors to the first teacher's, on held-out rows.

    Args:
        inputs: Vectors of the second teacher.
        outputs: Vectors of the first one for the same texts, row by row.
        steps: Maximum number of training steps.
        device: Device to compute on.
        seed: Seed of the batches.
    """

    def __init__(
        self, inputs: Vectors, outputs: Vectors, steps: int, device: torch.device, seed: int
    ) -> None:
        self._device = device
        random = np.random.default_rng(seed)
        order = random.permutation(len(inputs))
        kept_out = max(1, min(MAX_HELD_OUT, len(order) // HELD_OUT))
        apart, training = order[:kept_out], order[kept_out:]
        x, y = (torch.from_numpy(part[training]).to(device) for part in (inputs, outputs))
        self._mean, self._spread = x.float().mean(0), x.float().std()
        size, wide = x.shape[1], WIDENED * y.shape[1]
        self._net = nn.Sequential(
            nn.Linear(size, wide), nn.GELU(), nn.Linear(wide, wide), nn.GELU(),
            nn.Linear(wide, y.shape[1]),
        ).to(device)  # fmt: skip
        batch = min(BATCH, len(x))
        steps = min(steps, -(-PASSES * len(x) // batch))
        optimizer = torch.optim.AdamW(self._net.parameters(), lr=RATE, weight_decay=DECAY)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / steps) + MIN_RATE
            rows = torch.from_numpy(random.integers(len(x), size=batch)).to(device)
            loss = 1 - F.cosine_similarity(self._apply(x[rows]), y[rows].float()).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        found = torch.from_numpy(self(inputs[apart])).float()
        known = torch.from_numpy(outputs[apart]).float()
        self.cosine = round(F.cosine_similarity(found, known).mean().item(), 4)

    @torch.no_grad()
    def __call__(self, vectors: Vectors) -> Vectors:
        """Return vectors of length 1 in the first teacher's space."""
        parts = [
            F.normalize(self._apply(part.to(self._device)), dim=-1).half().cpu().numpy()
            for part in torch.split(torch.from_numpy(vectors), AT_ONCE)
        ]
        return np.concatenate(parts)

    def _apply(self, vectors: Tensor) -> Tensor:
        mapped: Tensor = self._net((vectors.float() - self._mean) / self._spread)
        return mapped
