"""Fingerprints of a checkpoint: hashes of what decides gists and memory tokens; files hold them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from r3mem_agents.model.frozen.shapes import Tensors


class Fingerprints(NamedTuple):
    """Hashes of 16 hex digits each.

    Attributes:
        all: Of all that decides memory tokens.
        encoder: Of what makes gists; two checkpoints with the same one find each other's turns by
            them.
        expander: Of what expands; two checkpoints with the same one read each other's memories.
    """

    all: str
    encoder: str
    expander: str

    @classmethod
    def of(cls, folder: Path, sizes: Mapping[str, Any], tensors: Tensors) -> Fingerprints:
        """Hash a checkpoint.

        Args:
            folder: Where it lies.
            sizes: Its format and the sizes of encoder and expander, as ``config.json`` has them.
            tensors: Those of ``model.safetensors``.
        """
        form = int(sizes["format"])
        encoding = {name for name in tensors if name.startswith("encoder.")}
        expanding = tensors.keys() - encoding
        pieces, tokens = folder / "pieces.json", folder / "tokenizer.json"
        return cls(
            _of_files(sizes, (folder / "model.safetensors", tokens, pieces)),
            _of_tensors([form, sizes["encoder"]], tensors, encoding, pieces),
            _of_tensors([form, sizes["expander"]], tensors, expanding, tokens),
        )


def _of_files(sizes: Mapping[str, Any], files: tuple[Path, ...]) -> str:
    digest = hashlib.blake2b(json.dumps(sizes, sort_keys=True).encode(), digest_size=8)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _of_tensors(sizes: list[Any], tensors: Tensors, names: Set[str], cut: Path) -> str:
    digest = hashlib.blake2b(json.dumps(sizes, sort_keys=True).encode(), digest_size=8)
    for name in sorted(names):
        held = tensors[name]
        digest.update(f"{name} torch.{held.dtype} {[*held.shape]}".encode())
        digest.update(np.ascontiguousarray(held).data)
    digest.update(cut.read_bytes())
    return digest.hexdigest()
