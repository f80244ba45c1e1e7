"""Texts with the vectors that a sentence encoder gives them: what the gist is taught.

The file is an ``.npz`` of ``texts`` (uint8, UTF-8 of all texts end to end), ``starts`` (int64,
where each begins, and the total length) and ``vectors`` (floats, ``(texts, dimensions)``), made by
any encoder; ``examples/recipes/teach.py`` makes one. Texts may be single words.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError

Vectors = NDArray[np.float32]

TURNS = 30
"""Iterations of the rotation; it has settled by then (Gong and Lazebnik 2011, section 2.2)."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a teacher says.

    Attributes:
        texts: Texts.
        targets: ``(texts, gist_bits)``, of length 1: what the gists of the texts should be like.
    """

    texts: list[str]
    targets: Vectors


def load_taught(path: Path, gist_bits: int) -> Taught:
    """Read texts and vectors, and bring the vectors to the size of a gist.

    Raises:
        InvalidInputError: The file is missing, damaged, or its vectors are smaller than a gist.
    """
    try:
        with np.load(path) as arrays:
            blob, starts = arrays["texts"].tobytes(), arrays["starts"].tolist()
            vectors = arrays["vectors"].astype(np.float32)
        texts = [blob[start:end].decode() for start, end in pairwise(starts)]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInputError(f"{path} holds no texts with vectors: {error}") from error
    if len(texts) != len(vectors) or vectors.shape[1] < gist_bits:
        raise InvalidInputError(
            f"{path}: {len(texts)} texts have {vectors.shape} vectors; one each of at least "
            f"{gist_bits} dimensions is needed"
        )
    mean = vectors.mean(0)
    some = np.array([" " in text for text in texts])
    turned = (vectors - mean) @ rotation(vectors[some] - mean, gist_bits)
    targets = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    return Taught(texts, targets)


def rotation(vectors: Vectors, bits: int) -> Vectors:
    """A map to vectors whose signs keep what is alike: onto the principal axes, and turned.

    Iterative quantization (Gong and Lazebnik 2011, "Iterative Quantization: A Procrustean Approach
    to Learning Binary Codes").

    Args:
        vectors: ``(rows, dimensions)``, centred.
        bits: Dimensions of the result.

    Returns:
        ``(dimensions, bits)``.
    """
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    longest = axes[:, ::-1][:, :bits]
    short = vectors @ longest
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((bits, bits)))[0]
    turn = turn.astype(np.float32)
    for _ in range(TURNS):
        left, _, right = np.linalg.svd(np.sign(short @ turn).T @ short)
        turn = (left @ right).T
    matrix: Vectors = longest @ turn
    return matrix
