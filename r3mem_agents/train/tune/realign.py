"""What a tuning ends with: an encoder half-way, and an expander that reads its gists."""

from __future__ import annotations

import torch
from torch import Tensor

from r3mem_agents.model.encoder import Encoder
from r3mem_agents.model.expander import Expander

PENALTY = 20.0
"""Ridge penalty, in texts: of thousands it says little (chosen)."""


def blend(tuned: Encoder, start: Encoder, kept: float) -> Encoder:
    """Move the weights of a tuned encoder back towards those at the start, and return it.

    Args:
        tuned: What to change; with its master weights, as ``start``.
        start: The encoder before.
        kept: Share of the start, 0 to 1.
    """
    with torch.no_grad():
        for weight, before in zip(tuned.parameters(), start.parameters(), strict=True):
            weight.lerp_(before, kept)
    return tuned


def realign(expander: Expander, before: Tensor, after: Tensor) -> float:
    """Set the matrix that reads gists to the one that makes the same of the new ones.

    By least squares, with a penalty on large weights. The expander is frozen in the end.

    Args:
        expander: What to change.
        before: Gists of texts as it knows them, ``(texts, gist_bits)`` of -1 and 1.
        after: The new gists of the same texts.

    Returns:
        Share of what it read that it reads again, 0 to 1 (R squared).
    """
    matrix = expander.thaw().from_gist
    known, found = before.double(), after.double()
    with torch.no_grad():
        wanted = known @ matrix.master.double().T
        square = found.T @ found + PENALTY * torch.eye(found.shape[1], dtype=torch.float64)
        solved = torch.linalg.solve(square, found.T @ wanted)
        missed = (found @ solved - wanted).square().sum()
        matrix.master.copy_(solved.T)
    expander.freeze()
    return 1 - float(missed / (wanted - wanted.mean(0)).square().sum())
