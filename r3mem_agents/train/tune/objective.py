"""The loss of tuning: the gist of the answer is to rank first for its question."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.train.distil.objective import signs_of
from r3mem_agents.train.recipe import TuningRecipe

_NEVER = -1e4


def tuning_loss(
    gists: Tensor,
    start: Tensor,
    targets: Tensor,
    asked: Tensor,
    candidates: Tensor,
    answers: Tensor,
    unsure: Tensor,
    r: TuningRecipe,
) -> dict[str, Tensor]:
    """Return the loss of a batch, in three parts and their weighted sum, ``loss``.

    * ``found``: minus the log-likelihood of the answers among all candidates, a softmax of the
      products of a question in floats with gists in bits, as a lookup takes them (InfoNCE, van den
      Oord et al. 2018, arXiv 1807.03748; candidates are the batch's, and near misses);
    * ``listed``: the divergence from the teacher's list of the same candidates, of questions that
      it reads (listwise: Cao et al. 2007), and of candidates among themselves, bits to bits;
    * ``moved``: 1 - cosine to the gists at the start, before their bits are taken: what is known of
      texts unlike these, and of other languages, stays, and the expander knows its gists again.

    Args:
        gists: ``(texts, gist_bits)`` before binarization.
        start: The initial gists, of length 1.
        targets: The teacher's vectors, ``(texts, dimensions)``, of length 1 or zeros.
        asked: Indices of questions, ``(questions,)``.
        candidates: Indices of possible answers, ``(candidates,)``.
        answers: Boolean ``(questions, candidates)``.
        unsure: Candidates that are left out of a question's list.
        r: Weights and temperature.
    """
    floats = F.normalize(gists, dim=-1)
    bits = signs_of(gists)[candidates] / gists.shape[1] ** 0.5
    # A vector and the signs of another are less similar than two vectors, by this factor on
    # average.
    straight = (math.pi / 2) ** 0.5
    odds = floats[asked] @ bits.T * (straight / r.temperature)
    listed = odds.masked_fill(unsure, _NEVER).log_softmax(-1)
    led = listed.masked_fill(~answers, _NEVER).logsumexp(-1)
    found = -led.mean()
    known = targets.abs().sum(-1) > 0
    seen, said = known[asked], known[candidates]
    wanted = targets[asked][seen] @ targets[candidates][said].T / r.temperature
    lists = _divergence(wanted, odds[seen][:, said])
    among = targets[candidates][said] @ targets[candidates][said].T / r.temperature
    alone = torch.eye(len(among), dtype=torch.bool, device=among.device)
    agree = torch.sin((bits[said] @ bits[said].T) * (math.pi / 2)) / r.temperature
    lists = lists + _divergence(among.masked_fill(alone, _NEVER), agree.masked_fill(alone, _NEVER))
    moved = 1 - (floats * start).sum(-1).mean()
    loss = found + r.list_weight * lists + r.start_weight * moved
    return {"loss": loss, "found": found, "listed": lists, "moved": moved}


def _divergence(wanted: Tensor, got: Tensor) -> Tensor:
    if not len(wanted):
        return got.sum() * 0.0
    return F.kl_div(
        got.log_softmax(-1), wanted.log_softmax(-1), reduction="batchmean", log_target=True
    )
