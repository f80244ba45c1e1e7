"""What is known about the texts of pairs, made once and reused when a run is resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from r3mem_agents.model.checkpoint import Checkpoint
from r3mem_agents.model.reference.encoder import TorchEncoder
from r3mem_agents.model.reference.loading import torch_encoder
from r3mem_agents.train.corpus import Ragged
from r3mem_agents.train.distil.teacher import Teacher, Vectors
from r3mem_agents.train.gists import before_bits
from r3mem_agents.train.recipe import TuningRecipe
from r3mem_agents.train.tune.pairs import Known, Pairs


def prepare(
    pairs: Pairs,
    start: Checkpoint,
    teacher: Path,
    recipe: TuningRecipe,
    out: Path,
    device: torch.device,
    note: Callable[[str], None],
) -> Known:
    """Read or make what is known about texts before training; write ``known.npz`` into ``out``.

    Args:
        pairs: The pairs with the texts.
        start: The checkpoint that is tuned.
        teacher: Folder of a sentence encoder for English.
        recipe: How much of a text is read.
        out: Folder of the run.
        device: Device to compute on.
        note: Called with a description of each stage.
    """
    pieces = Ragged.of(start.pieces.encode(pairs.texts, recipe.positions), np.int32)
    path, mark = out / "known.npz", out / "known.json"
    said = hashlib.sha256("\0".join(pairs.texts).encode()).hexdigest()
    wanted = [said, start.fingerprint, str(teacher), recipe.positions]
    if mark.exists() and json.loads(mark.read_text()) == wanted:
        with np.load(path) as arrays:
            return Known(pieces, arrays["targets"], arrays["gists"])
    note("gists at the start")
    gists = gists_of(pieces, torch_encoder(start.encoder), device)
    rows = np.flatnonzero(pairs.taught)
    some = [pairs.texts[row] for row in rows]
    read = Teacher(teacher, device)
    found = read.vectors(some, lambda done: note(f"teacher: {done:,} of {len(some):,} vectors"))
    targets = np.zeros((len(pairs.texts), found.shape[1]), np.float16)
    targets[rows] = found
    np.savez(path, targets=targets, gists=gists)
    mark.write_text(json.dumps(wanted))
    return Known(pieces, targets, gists)


def gists_of(pieces: Ragged, encoder: TorchEncoder, device: torch.device) -> Vectors:
    """Return gists of texts before binarization, ``(texts, gist_bits)``, of length 1."""
    found = torch.from_numpy(before_bits(pieces, encoder.to(device)))
    return F.normalize(found, dim=-1).half().numpy()
