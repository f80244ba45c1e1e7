"""The loss of distillation: vectors like the teacher's, and bits that rank as it does."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.train.recipe import EncoderRecipe

SHARP = 4.0
"""Factor on a gist before ``tanh``, with which most bits are nearly saturated (chosen; not
tuned)."""

TURNS = 30
"""Iterations of the rotation; it has converged by then (Gong and Lazebnik 2011, section 2.2)."""

MAX_VECTORS_COMPARED = 100_000
"""Maximum number of vectors that the rotation is computed from."""

_NEVER = -1e4


def gist_rotation(vectors: Tensor, bits: int) -> Tensor:
    """Return a map ``(bits, dimensions)`` to vectors whose signs preserve similarity.

    It projects onto the principal axes and rotates: iterative quantization (Gong and Lazebnik 2011,
    "Iterative Quantization: A Procrustean Approach to Learning Binary Codes").

    Args:
        vectors: ``(rows, dimensions)``, centred.
        bits: Dimensions of the result; those beyond the number of axes are random mixtures of them.
    """
    some = vectors[:MAX_VECTORS_COMPARED]
    axes: Tensor = torch.linalg.eigh(some.T @ some)[1].flip(1)[:, :bits]
    if axes.shape[1] < bits:
        mixed = torch.randn(axes.shape[1], bits, device=axes.device)
        return F.normalize(axes @ mixed, dim=0).T
    short = some @ axes
    turn = torch.linalg.qr(torch.randn(bits, bits, device=axes.device))[0]
    for _ in range(TURNS):
        left, _, right = torch.linalg.svd(torch.sign(short @ turn).T @ short)
        turn = (left @ right).T
    matrix: Tensor = axes @ turn
    return matrix.T


def signs_of(gists: Tensor) -> Tensor:
    """Return the bits of gists as -1 and 1, with the gradient of ``tanh``."""
    soft = torch.tanh(gists * SHARP)
    return soft + (torch.where(soft > 0, 1.0, -1.0) - soft).detach()


def distillation_loss(
    vectors: Tensor, gists: Tensor, targets: Tensor, weight: Tensor, mean: Tensor, r: EncoderRecipe
) -> tuple[Tensor, Tensor]:
    """Return the distillation loss of a batch.

    The sum of

    * 1 - cosine to the teacher's vectors;
    * the squared error of the batch's similarities, centred;
    * the squared error of the bits' similarities to those that random hyperplanes would give,
      ``2 / pi * asin(cosine)`` (Charikar 2002); a bit has the gradient of ``tanh``;
    * two divergences between the teacher's list of each text's neighbours and the bits' own: seen
      from the bits, and from the gist before its bits are taken, as a question is compared
      (listwise: Cao et al. 2007).

    Args:
        vectors: ``(batch, dimensions)``, of length 1.
        gists: ``(batch, gist_bits)`` before binarization.
        targets: The teacher's vectors, of length 1.
        weight: ``(batch,)``.
        mean: Mean of the teacher's vectors.
        r: Weights and temperature.

    Returns:
        The loss, and the mean cosine.
    """
    size, bits = gists.shape
    wanted, found = (F.normalize(x - mean, dim=-1) for x in (targets, vectors))
    similarity = wanted @ wanted.T
    pairs = weight[:, None] * weight
    pairs = pairs / pairs.mean()
    share = weight / weight.sum()
    cosine = ((vectors * targets).sum(-1) * share).sum()
    related = ((found @ found.T - similarity).square() * pairs).mean()
    signs = signs_of(gists)
    agree = signs @ signs.T / bits
    hashed = 2 / math.pi * torch.asin(similarity.clamp(-0.999, 0.999))
    coded = ((agree - hashed).square() * pairs).mean()
    alone = torch.eye(size, dtype=torch.bool, device=gists.device)

    def listed(similarities: Tensor) -> Tensor:
        return (similarities / r.temperature).masked_fill(alone, _NEVER)

    neighbours = listed(similarity).softmax(-1)
    asked = F.normalize(gists, dim=-1) @ signs.T / bits**0.5 * (math.pi / 2) ** 0.5
    lists = sum(
        -((neighbours * listed(one).log_softmax(-1)).sum(-1) * share).sum()
        for one in (asked, torch.sin(agree * math.pi / 2))
    )
    loss = 1 - cosine + r.similarity_weight * related + coded + r.list_weight * lists
    return loss, cosine
