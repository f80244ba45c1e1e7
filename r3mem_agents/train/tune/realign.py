"""The end of a tuning: the averaged encoder, and an expander that reads its gists."""

from __future__ import annotations

import torch
from torch import Tensor

from r3mem_agents.model.reference.expander import TorchExpander
from r3mem_agents.model.trainable import Encoder, Expander

PENALTY = 20.0
"""Ridge penalty, in texts: with thousands of them it matters little (chosen)."""


def blend(tuned: Encoder, start: Encoder, kept: float) -> Encoder:
    """Move the weights of a tuned encoder back towards the initial ones, and return it.

    Args:
        tuned: The tuned encoder; changed in place.
        start: The encoder before.
        kept: Share of the initial weights, 0 to 1.
    """
    with torch.no_grad():
        for weight, before in zip(tuned.parameters(), start.parameters(), strict=True):
            weight.lerp_(before, kept)
    return tuned


def realign(expander: TorchExpander, before: Tensor, after: Tensor) -> tuple[TorchExpander, float]:
    """Return an expander that reads new gists as nearly as possible as it read the old ones.

    The matrix that reads gists is fitted by least squares, with a penalty on large weights;
    everything else stays the same.

    Args:
        expander: The expander.
        before: Gists of texts that it was trained with, ``(texts, gist_bits)`` of -1 and 1.
        after: The new gists of the same texts.

    Returns:
        The new expander, and the share of the old one's inputs that it reproduces (R squared).
    """
    matrix = Expander.thaw(expander).from_gist
    known, found = before.double(), after.double()
    with torch.no_grad():
        wanted = known @ matrix.weight.double().T
        square = found.T @ found + PENALTY * torch.eye(found.shape[1], dtype=torch.float64)
        solved = torch.linalg.solve(square, found.T @ wanted)
        missed = (found @ solved - wanted).square().sum()
        matrix.weight.copy_(solved.T)
    fitted = {f"from_gist.{name}": tensor for name, tensor in matrix.rounded().items()}
    read_again = 1 - float(missed / (wanted - wanted.mean(0)).square().sum())
    return TorchExpander(expander.config, {**expander.tensors, **fitted}), read_again
