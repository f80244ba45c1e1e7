"""The word pieces of an encoder: its teacher's united with a unigram model's, and their embeddings.

Pieces that the teacher has start with its embeddings; the others start from the embeddings of a
second Transformer that has them, mapped by ridge regression, or else from the mean of the teacher's
pieces that they split into.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.pieces import END, PADDING, SPACE, START, UNKNOWN, Pieces
from r3mem_agents.train.corpus import ENGLISH

INSIDE = -13.5
"""Log probability of a teacher's word-internal piece that the unigram model lacks (chosen)."""

WHOLE = 2.0
"""Nats by which a teacher's word beats the unigram model's best segmentation of it (chosen)."""

ENGLISH_WEIGHT = 2.0
"""Weight of a piece's share of English beside its share of another language (chosen)."""

RIDGE = 3.0
"""Ridge penalty, in variances of an embedding (chosen; not tuned)."""

LARGEST_SPREAD = 1.5
"""Regression shrinks rows, so they are scaled to the teacher's spread, at most by this factor."""

_PLAIN = re.compile(r"[a-z0-9]+")
_LONGEST = 1 << 20

Scores = dict[str, float]
Vectors = NDArray[np.float32]


def unigram_of(folder: Path) -> Scores:
    """Return pieces and log probabilities of a ``tokenizer.json``, special pieces excluded.

    Raises:
        CheckpointError: If there is no unigram model.
    """
    try:
        model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
        kind, vocabulary = model["type"], model["vocab"]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"no usable tokenizer.json in {folder}: {error}") from error
    if kind != "Unigram":
        raise CheckpointError(f"the tokenizer of {folder} is {kind}, not a unigram model")
    return {piece: score for piece, score in vocabulary if piece and score != 0.0}


def unite(
    unigram: Scores, words: Mapping[str, int], texts: Mapping[str, Sequence[str]], size: int
) -> Scores:
    """Return a unigram model's pieces united with the plain ones of the teacher, up to ``size``.

    Single characters are kept first, then the teacher's words and pieces, then the pieces with the
    greatest share of the texts of any language.

    Args:
        unigram: Pieces and log probabilities.
        words: The teacher's pieces, word-internal ones with the prefix ``##``.
        texts: By language.
        size: Maximum number of pieces, including the four special ones.
    """
    full = Pieces.of(list(unigram.items()))
    names = list(unigram)
    added: Scores = {}
    for word in words:
        inside = word.removeprefix("##")
        piece = inside if word != inside else SPACE + word
        if not _PLAIN.fullmatch(inside) or piece in unigram:
            continue
        if word != inside:
            added[piece] = INSIDE
        else:
            cut = full.encode([word], _LONGEST)[0][1:-1]
            costs = [unigram[names[i - 4]] if i != UNKNOWN else INSIDE for i in cut]
            added[piece] = sum(costs, WHOLE)
    shares = _shares(full, names, texts)
    characters = [piece for piece in unigram if len(piece.strip(SPACE)) <= 1]
    shared = [piece for piece in unigram if piece.startswith(SPACE) and piece[1:] in words]
    common = sorted(shares, key=shares.__getitem__, reverse=True)
    wanted = dict.fromkeys(chain(characters, shared, added, common))
    kept = set(islice(wanted, size - 4))
    return {piece: score for piece, score in (unigram | added).items() if piece in kept}


def _shares(full: Pieces, names: list[str], texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """The greatest share of each piece in a language's texts."""
    share: dict[str, float] = defaultdict(float)
    for language, some in texts.items():
        found = Counter(i for ids in full.encode(some, _LONGEST) for i in ids[1:-1])
        total = sum(found.values())
        weight = ENGLISH_WEIGHT if language == ENGLISH else 1.0
        for place, number in found.items():
            if place > UNKNOWN:
                piece = names[place - 4]
                share[piece] = max(share[piece], weight * number / total)
    return share


def teacher_rows(pieces: Sequence[str], tokenizer: Any) -> NDArray[np.int64]:
    """The row of the teacher's embedding for each piece after the four special ones, or -1."""
    words = tokenizer.get_vocab()
    rows = np.full(4 + len(pieces), -1, np.int64)
    rows[[START, PADDING, END, UNKNOWN]] = (
        tokenizer.cls_token_id,
        tokenizer.pad_token_id,
        tokenizer.sep_token_id,
        tokenizer.unk_token_id,
    )
    for place, piece in enumerate(pieces, 4):
        if piece.startswith(SPACE):
            rows[place] = words.get(piece[1:], -1) if len(piece) > 1 else -1
        else:
            alone = -1 if piece.isalnum() else words.get(piece, -1)
            rows[place] = words.get("##" + piece, alone)
    return rows


def start_rows(
    pieces: Sequence[str],
    table: Vectors,
    tokenizer: Any,
    other: tuple[Vectors, Mapping[str, int]] | None,
) -> Vectors:
    """Return the initial embedding of each piece, ``(4 + pieces, hidden)``.

    Args:
        pieces: The pieces after the four special ones.
        table: The teacher's embeddings.
        tokenizer: The teacher's tokenizer.
        other: Embeddings of another Transformer, and the row of each piece there.
    """
    exact = teacher_rows(pieces, tokenizer)
    known = exact >= 0
    rows = np.zeros((len(exact), table.shape[1]), np.float32)
    rows[known] = table[exact[known]]
    for place in np.flatnonzero(~known).tolist():
        text = pieces[place - 4].replace(SPACE, " ").strip()
        cut = tokenizer(text, add_special_tokens=False)["input_ids"]
        rows[place] = table[cut].mean(0) if cut else table.mean(0)
    if other is not None:
        vectors, places = other
        there = np.array([-1] * 4 + [places.get(piece, -1) for piece in pieces])
        both, missing = (np.flatnonzero(mask & (there >= 0)) for mask in (known, ~known))
        if len(both) and len(missing):
            rows[missing] = _regress(vectors[there[both]], rows[both], vectors[there[missing]])
    return rows


def _regress(inputs: Vectors, outputs: Vectors, asked: Vectors) -> Vectors:
    """Ridge regression from rows of one table to rows of another, with a constant."""
    first, wanted = (np.concatenate([x, np.ones((len(x), 1), x.dtype)], 1) for x in (inputs, asked))
    ridge = RIDGE * inputs.var() * np.eye(first.shape[1], dtype=np.float32)
    found: Vectors = wanted @ np.linalg.solve(first.T @ first + ridge, first.T @ outputs)
    spread = min(float(outputs.std() / max(found.std(), 1e-6)), LARGEST_SPREAD)
    centre: Vectors = found.mean(0)
    return centre + (found - centre) * np.float32(spread)
