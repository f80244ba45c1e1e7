"""What follows from the files of a checkpoint, kept beside them, so that no load has to compute it.

``derived.safetensors`` holds the fingerprints, the bytes of each token and the sorted pieces: two
thirds of the time of a load, and 100 MB. It also has a checksum of all that they follow from and of
itself, so what does not fit the files that are there counts for nothing, and is computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer as Backend

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.fingerprints import Fingerprints
from r3mem_agents.model.native.library import library, pointer
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.tensors import Arrays, header_of, mapped, mapping
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.unigram import Unigram

_FILE = "derived.safetensors"
_TOKENS, _PIECES = "tokenizer.json", "pieces.json"
_SOURCES = ("model.safetensors", _TOKENS, _PIECES, "superseder.safetensors")
_CHECKSUM = "checksum"
_AT_ONCE = 1 << 18


class Derived(NamedTuple):
    """What follows from the files of a checkpoint.

    Attributes:
        fingerprints: Hashes of them.
        tokenizer: Cuts and joins texts for the expander.
        pieces: Cut texts for the encoder.
    """

    fingerprints: Fingerprints
    tokenizer: Tokenizer
    pieces: Pieces


def read(folder: Path, fields: Mapping[str, Any]) -> Derived | None:
    """What is kept in a folder; ``None`` if that is nothing, or not of the files that are there.

    Args:
        folder: Of the checkpoint.
        fields: What ``config.json`` holds, its name aside.
    """
    path = folder / _FILE
    try:
        said = header_of(path)[0]["__metadata__"]
        if said[_CHECKSUM] != _checksum(folder, fields):
            return None
    except (OSError, LookupError, ValueError, TypeError, CheckpointError):
        return None
    held = mapped(path)
    whole = held["tokens"].tobytes()
    ends = held["token_ends"].tolist()
    tokens = mapping(folder / _TOKENS)
    pieces = mapping(folder / _PIECES)
    unigram = Unigram(
        held["pieces"].view(f"S{held['pieces'].shape[1]}")[:, 0],
        held["piece_ids"],
        held["piece_scores"],
        int(said["unknown"]),
    )
    return Derived(
        Fingerprints(*(said[name] for name in Fingerprints._fields)),
        Tokenizer(
            [whole[start:end] for start, end in pairwise([0, *ends])],
            lambda: Backend.from_buffer(tokens[:]),
        ),
        Pieces(unigram, said["reading"], lambda: Backend.from_buffer(pieces[:])),
    )


def write(folder: Path, fields: Mapping[str, Any], derived: Derived) -> None:
    """Keep what follows from the files in a folder; as of ``read``."""
    tokens, unigram = derived.tokenizer.tokens, derived.pieces.unigram
    arrays: Arrays = {
        "tokens": np.frombuffer(b"".join(tokens), np.uint8),
        "token_ends": np.cumsum([len(token) for token in tokens], dtype=np.int32),
        "pieces": unigram.names.view(np.uint8).reshape(len(unigram.names), -1),
        "piece_ids": unigram.ids,
        "piece_scores": unigram.scores,
    }
    said = derived.fingerprints._asdict() | {
        "reading": derived.pieces.reading,
        "unknown": str(unigram.unknown),
    }
    save_file(arrays, folder / _FILE, said)
    save_file(arrays, folder / _FILE, said | {_CHECKSUM: _checksum(folder, fields)})


def _checksum(folder: Path, fields: Mapping[str, Any]) -> str:
    """Checksum of a checkpoint and of what is derived of it, but for the checksum itself."""
    header, begin = header_of(folder / _FILE)
    header["__metadata__"].pop(_CHECKSUM, None)
    said = np.frombuffer(json.dumps([fields, header], sort_keys=True).encode(), np.uint8)
    found = _added(0, said)
    found = _with_file(found, folder / _FILE, begin)
    for name in _SOURCES:
        if (folder / name).is_file():
            found = _with_file(found, folder / name)
    return f"{found:016x}"


def _with_file(checksum: int, path: Path, begin: int = 0) -> int:
    """The checksum with a file added; its pages are read, not mapped, and take no memory."""
    room = np.empty(_AT_ONCE, np.uint8)
    with path.open("rb") as file:
        file.seek(begin)
        while size := file.readinto(room.data):
            checksum = _added(checksum, room[:size])
    return checksum


def _added(checksum: int, data: NDArray[np.uint8]) -> int:
    return int(library().calls.r3_checksum(checksum, pointer(data), len(data)))
