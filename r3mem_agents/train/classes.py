"""Classes of tokens: an order of their ids in which each class is contiguous.

Tokens with similar neighbours belong together. Each gets a vector of its neighbours' pointwise
mutual information with it (Church and Hanks 1990; positive part, as in Levy and Goldberg 2014),
reduced to its principal axes by a randomized decomposition (Halko et al. 2011, arXiv 0909.4061);
then the tokens are bisected recursively until each part is one class. The halves are of equal size,
so that class and token follow from an id by division.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError

CONTEXTS = 1536
"""Number of frequent tokens that serve as contexts on either side (chosen; not tuned)."""

DIMENSIONS = 96
"""Principal axes kept (chosen; not tuned)."""

POWER_ITERATIONS = 3
TURNS = 12
"""Iterations for the direction in which a set is halved; it has converged by then."""

SAMPLE = 2000
"""Number of tokens that the first direction is computed from."""

Integers = NDArray[np.int64]
Vectors = NDArray[np.float32]


def class_order(
    texts: Iterable[Sequence[int]], vocabulary: int, classes: int, seed: int = 0
) -> Integers:
    """Return the ids of tokens in the order of their classes, the most frequent first in each.

    Args:
        texts: Token ids of texts.
        vocabulary: Number of tokens.
        classes: Number of classes, a power of two that divides it.
        seed: Seed of the decomposition.

    Raises:
        InvalidInputError: If the tokens cannot be halved into this many classes.
    """
    if classes & (classes - 1) or vocabulary % classes:
        raise InvalidInputError(
            f"{vocabulary} tokens cannot be halved into {classes} classes: "
            "give a power of two that divides their number"
        )
    end = -1
    flat = np.concatenate([[end], *(np.append(ids, end) for ids in texts)]).astype(np.int64)
    counts = np.bincount(flat[flat != end], minlength=vocabulary)
    random = np.random.default_rng(seed)
    vectors = _vectors(flat, counts, random)
    weights = np.sqrt(counts + 1.0)
    groups = [np.arange(vocabulary)]
    while len(groups) < classes:
        groups = [half for ids in groups for half in _halves(ids, vectors, weights, random)]
    return np.concatenate([ids[np.argsort(-counts[ids], kind="stable")] for ids in groups])


def _vectors(flat: Integers, counts: Integers, random: np.random.Generator) -> Vectors:
    """A vector of length 1 for each token, from its neighbours; -1 separates texts."""
    vocabulary = len(counts)
    contexts = np.argsort(-counts, kind="stable")[:CONTEXTS]
    width = len(contexts)
    place = np.full(vocabulary, -1)
    place[contexts] = np.arange(width)
    left, right = flat[:-1], flat[1:]
    both = (left >= 0) & (right >= 0)
    left, right = left[both], right[both]
    table = np.zeros((vocabulary, 2 * width), np.float32)
    for tokens, beside, first in ((left, right, 0), (right, left, width)):
        known = place[beside] >= 0
        cells = tokens[known] * (2 * width) + first + place[beside[known]]
        np.add.at(table.reshape(-1), cells, np.float32(1))
    total = table.sum()
    rows, columns = (table.sum(axis, keepdims=True) + 1e-9 for axis in (1, 0))
    np.log(table * total / (rows * columns) + 1e-12, out=table)
    np.maximum(table, 0, out=table)
    basis = random.standard_normal((2 * width, min(DIMENSIONS, width))).astype(np.float32)
    for _ in range(POWER_ITERATIONS):
        basis, _ = np.linalg.qr(table.T @ np.linalg.qr(table @ basis)[0])
    vectors: Vectors = table @ basis
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6
    return vectors


def _halves(
    ids: Integers, vectors: Vectors, weights: NDArray[np.float64], random: np.random.Generator
) -> tuple[Integers, Integers]:
    """Two sets of equal size whose weighted means lie far apart."""
    own = vectors[ids]
    some = random.permutation(len(own))[:SAMPLE]
    direction = np.linalg.svd((own - own.mean(0))[some], full_matrices=False)[2][0]
    half = len(ids) // 2
    for _ in range(TURNS):
        order = np.argsort(own @ direction, kind="stable")
        low, high = order[:half], order[half:]
        direction = np.average(own[high], 0, weights[ids[high]]) - np.average(
            own[low], 0, weights[ids[low]]
        )
    return ids[low], ids[high]
