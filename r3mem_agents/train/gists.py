"""Gists of all segments of a corpus under a frozen encoder, computed once and kept in a file.

The encoder is the one that a memory uses, so these are exactly the bits that a memory would store.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from r3mem_agents.model.checkpoint import Checkpoint
from r3mem_agents.model.pieces import PADDING, Pieces
from r3mem_agents.model.reference.encoder import TorchEncoder
from r3mem_agents.model.reference.isolation import computing
from r3mem_agents.model.reference.loading import torch_encoder
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.corpus import Ragged

AT_ONCE = 16384
"""Number of segments that are split into pieces and sorted by length together, then written to
disk."""

POSITIONS = {"cpu": 2048, "cuda": 131072}
"""Positions of a batch, by device."""

Gists = NDArray[np.uint8]


def segment_gists(
    segments: Ragged,
    tokenizer: Tokenizer,
    reader: Checkpoint,
    path: Path,
    key: str,
    device: torch.device,
    note: Callable[[str], None],
) -> Gists:
    """Return the gists ``(segments, gist_bits / 8)`` that a memory would make.

    Args:
        segments: Tokens of the segments.
        tokenizer: Tokenizer of these tokens.
        reader: The model with the encoder and its word pieces.
        path: File for them; gists in it with the same key are reused.
        key: Key of the segments.
        device: Device to compute on.
        note: Called with the progress.
    """
    encoder = torch_encoder(reader.encoder, device)
    wanted = {"segments": key, "of": reader.fingerprint}
    mark = path.with_suffix(".json")
    done = 0
    if path.exists() and mark.exists():
        made = json.loads(mark.read_text())
        done = made.pop("done")
        done = done if made == wanted else 0
    shape = (len(segments), encoder.config.gist_bits // 8)
    out = open_memmap(path, "r+" if done else "w+", np.uint8, None if done else shape)
    starts, counts = segments.starts, segments.counts
    while done < len(segments):
        some = range(done, min(len(segments), done + AT_ONCE))
        texts = [
            tokenizer.text_of(segments.ids[starts[row] : starts[row] + counts[row]].tolist())
            for row in some
        ]
        out[some.start : some.stop] = _gists(texts, encoder, reader.pieces)
        out.flush()
        done = some.stop
        mark.write_text(json.dumps(wanted | {"done": done}))
        note(f"gists {done:,} of {len(segments):,}")
    return np.asarray(out)


def _gists(texts: list[str], encoder: TorchEncoder, pieces: Pieces) -> Gists:
    """Gists of texts."""
    cut = Ragged.of(pieces.encode(texts, encoder.config.positions), np.int32)
    return np.packbits(before_bits(cut, encoder) > 0, axis=1)


def before_bits(cut: Ragged, encoder: TorchEncoder) -> NDArray[np.float32]:
    """Yield gists of texts before binarization, ``(texts, gist_bits)``, by batches.

    Args:
        cut: Word pieces of each text.
        encoder: Reads them, on its device.
    """
    out = np.zeros((len(cut), encoder.config.gist_bits), np.float32)
    with computing(encoder.device):
        for rows in by_length(cut.counts, POSITIONS[encoder.device.type]):
            ids, count = (
                torch.from_numpy(one).to(encoder.device)
                for one in (padded(cut, rows, PADDING), cut.counts[rows])
            )
            out[rows] = encoder.gists(ids, count).cpu().numpy()
    return out


def by_length(counts: NDArray[np.int64], positions: int) -> list[NDArray[np.int64]]:
    """Yield rows in batches of similar length and about equal numbers of positions."""
    order = np.argsort(counts, kind="stable")[::-1]
    batches, start = [], 0
    while start < len(order):
        size = max(1, positions // int(counts[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def padded(sequences: Ragged, rows: NDArray[np.int64], padding: int) -> NDArray[np.int64]:
    """Return sequences padded to ``(rows, longest)``."""
    counts, places = sequences.counts[rows], np.arange(sequences.counts[rows].max())
    index = np.minimum(sequences.starts[rows][:, None] + places, len(sequences.ids) - 1)
    ids = sequences.ids[index].astype(np.int64)
    return np.where(places < counts[:, None], ids, padding)
