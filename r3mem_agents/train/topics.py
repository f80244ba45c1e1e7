"""The topics of words: a first gist without the network, taught in large batches.

A sum of word vectors is cheap enough to see hundreds of thousands of texts in minutes, which the
network is not; the forward pass then learns what the words alone leave open.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.words import Words, padded
from r3mem_agents.train.batches import equal_rows
from r3mem_agents.train.objective import contrastive_loss, likeness_loss
from r3mem_agents.train.taught import Taught

BATCH = 1024
"""Pairs of a step; twice as many taught texts."""

RATE = 2e-3
"""Peak learning rate of Adam for vectors; five times that for the logarithm of their weights."""

RARE = 1e-3
"""Words rarer than this weigh fully at the start (Arora et al. 2017, "A Simple but Tough-to-Beat
Baseline for Sentence Embeddings")."""

CONTRAST = 0.3
"""Weight of the pairs' loss beside that of the taught texts (docs/LOG.md, "word topics")."""

Ids = NDArray[np.int64]


class Topics:
    """Vectors of words under training.

    Args:
        words: Which words.
        taught: What a teacher says of texts; that of single words is where their vectors start.
        pairs: Word ids of queries and of the passages that answer them, filled up with 0.
        temperature: Of the contrastive loss.
        seed: Of the batches.
    """

    def __init__(
        self, words: Words, taught: Taught, pairs: tuple[Ids, Ids], temperature: float, seed: int
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._temperature = temperature
        self._pairs = pairs
        said = [words.ids(text) for text in taught.texts]
        self._texts = torch.from_numpy(padded(said))
        self._targets = torch.from_numpy(taught.targets)
        counts = np.bincount(self._texts.flatten(), minlength=len(words) + 1)[1:] + 1.0
        vectors = torch.zeros(len(words) + 1, taught.targets.shape[1])
        alone = [row for row, ids in enumerate(said) if ids and " " not in taught.texts[row]]
        vectors[self._texts[alone, 0]] = self._targets[alone]
        self._vectors = nn.Parameter(vectors)
        weight = torch.zeros(len(words) + 1)
        weight[1:] = torch.from_numpy(RARE / (RARE + counts / counts.sum())).log()
        self._weight = nn.Parameter(weight)
        self._rows = np.flatnonzero((self._texts > 0).sum(1).numpy() > 1)

    def fit(self, steps: int) -> Iterator[float]:
        """Train; yields the cosine between gist and target, over the batch of each step."""
        optimizer = torch.optim.Adam(
            [
                {"params": [self._vectors], "lr": RATE},
                {"params": [self._weight], "lr": 5 * RATE},
            ],
            betas=(0.9, 0.99),
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / 30) * (1 - step / steps)
        )
        for _ in range(steps):
            rows = self._random.choice(self._rows, 2 * BATCH)
            loss = likeness_loss(self._sum(self._texts[rows]), self._targets[rows])
            alike = 1 - loss.item()
            if len(self._pairs[0]):
                loss = loss * 2 + CONTRAST * self._contrast()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            yield alike

    def matrix(self) -> Tensor:
        """Topics ``(words + 1, gist_bits)``; on the taught texts they sum to about unit size."""
        with torch.no_grad():
            topics = self._vectors * self._weight.exp()[:, None]
            topics[0] = 0
            sample = self._texts[self._rows[: 8 * BATCH]]
            number = (sample > 0).sum(1, keepdim=True).sqrt()
            size = (self._sum(sample) / number).square().mean().sqrt()
            return topics / size

    def _sum(self, ids: Tensor) -> Tensor:
        weights = self._weight.exp()[ids] * (ids > 0)
        return F.embedding_bag(ids, self._vectors, mode="sum", per_sample_weights=weights)

    def _contrast(self) -> Tensor:
        rows = self._random.integers(len(self._pairs[0]), size=BATCH)
        asked, answers = (torch.from_numpy(ids[rows]) for ids in self._pairs)
        same = equal_rows(asked) | equal_rows(answers)
        same.fill_diagonal_(False)
        queries, passages = (F.normalize(self._sum(ids)) for ids in (asked, answers))
        # contrastive_loss divides by the length of bits, which is 1 here.
        size = queries.shape[1]
        return contrastive_loss(queries * size**0.5, passages * size**0.5, same, self._temperature)
