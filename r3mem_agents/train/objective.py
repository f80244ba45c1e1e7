"""What training minimizes: bits of an expansion, and gists that find their answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.schedule import positions_in_rounds


def gist_bits(gist: Tensor) -> Tensor:
    """Bits -1 and 1 of a gist, with the gradient of ``tanh`` (straight-through)."""
    soft = torch.tanh(gist)
    return soft + (torch.where(soft > 0, 1.0, -1.0) - soft).detach()


def in_rounds(network: R3MemNetwork, tokens: Tensor) -> Tensor:
    """Tokens in natural order ``(batch, positions)`` to the order of rounds."""
    return tokens[:, positions_in_rounds(network.config, tokens.shape[1]).to(tokens.device)]


def expansion_loss(
    network: R3MemNetwork, tokens: Tensor, count: Tensor, continued: Tensor, gist: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of an expansion: what the stored tokens would cost.

    Args:
        network: The network.
        tokens: ``(batch, positions)`` in the order of rounds.
        count: ``(batch,)`` tokens in each segment.
        continued: ``(batch,)`` whether it goes on where another segment ended.
        gist: ``(batch, gist_bits)`` of -1 and 1, or 0 for an expansion without a gist.

    Returns:
        Mean nats per token, and the share of tokens that are the first prediction.
    """
    states = network.predict(tokens, count, continued, gist)
    logits = network.logits(states).float()
    place = positions_in_rounds(network.config, tokens.shape[1]).to(tokens.device)
    real = (place[None] < count[:, None]).flatten()
    flat = logits.flatten(0, 1)
    nats = F.cross_entropy(flat, tokens.flatten(), reduction="none")
    hits = flat.detach().argmax(-1) == tokens.flatten()
    total = real.sum()
    return (nats * real).sum() / total, (hits & real).sum() / total


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
