"""What training minimizes: bits of an expansion, and gists that find their answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.network import Condition, R3MemNetwork


def gist_bits(gist: Tensor) -> Tensor:
    """Bits -1 and 1 of a gist, with the gradient of ``tanh`` (straight-through)."""
    soft = torch.tanh(gist)
    return soft + (torch.where(soft > 0, 1.0, -1.0) - soft).detach()


def expansion_loss(
    network: R3MemNetwork, tokens: Tensor, condition: Condition, layout: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of an expansion: what the stored tokens would cost.

    Args:
        network: The network.
        tokens: ``(batch, positions)``.
        condition: What is known of the segments.
        layout: As in ``R3MemNetwork.predict``.

    Returns:
        Mean nats per token, and the share of tokens that are the first prediction.
    """
    states = network.predict(tokens, condition, layout)
    logits = network.logits(states).float()
    place = torch.arange(tokens.shape[1], device=tokens.device)
    real = (place < condition.count[:, None]).flatten()
    flat = logits.flatten(0, 1)
    nats = F.cross_entropy(flat, tokens.flatten(), reduction="none")
    hits = flat.detach().argmax(-1) == tokens.flatten()
    total = real.sum()
    return (nats * real).sum() / total, (hits & real).sum() / total


def likeness_loss(gists: Tensor, targets: Tensor) -> Tensor:
    """Mean of 1 - cosine between gists before their bits are taken and what they should be like.

    Args:
        gists: ``(batch, gist_bits)``.
        targets: The same of the teacher, of length 1.
    """
    return 1 - (F.normalize(gists.float()) * targets).sum(1).mean()


def contrastive_loss(queries: Tensor, passages: Tensor, same: Tensor, temperature: float) -> Tensor:
    """InfoNCE both ways over the bits of gists (van den Oord et al. 2018, arXiv 1807.03748).

    Args:
        queries: ``(batch, gist_bits)`` of -1 and 1.
        passages: The same of the passages; row ``i`` answers query ``i``.
        same: Boolean ``(batch, batch)``: pairs off the diagonal that must not count as negatives.
        temperature: Divides the cosine similarity.
    """
    similarity = queries.float() @ passages.float().t() / (queries.shape[1] * temperature)
    similarity = similarity.masked_fill(same, -1e4)
    target = torch.arange(len(queries), device=queries.device)
    return (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.t(), target)) / 2
