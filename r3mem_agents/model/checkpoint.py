"""A checkpoint on disk: safetensors, a tokenizer and JSON; no pickle.

A folder holds ``config.json`` (format, name, sizes), ``model.safetensors`` (rounded weights,
scales and biases of both networks, static token counts), ``tokenizer.json``, ``pieces.json`` (what
the encoder reads), ``superseder.safetensors`` if there is one, what follows from these
(``derived``) and, once trained, ``training.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model import derived
from r3mem_agents.model.config import EncoderConfig, ModelConfig, StackConfig, SupersederConfig
from r3mem_agents.model.derived import Derived
from r3mem_agents.model.fingerprints import Fingerprints
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.shapes import Tensors
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.rangecoder import LARGEST_TOTAL
from r3mem_agents.model.tensors import Arrays, mapped
from r3mem_agents.model.tokenizer import Tokenizer

C = TypeVar("C", bound=StackConfig)

FORMAT = 3
"""Counts up when the same tensors mean other predictions: 3 has a network for either direction."""

BUNDLED = Path(__file__).parent.parent / "checkpoints"
_STATIC_COUNTS = "static_counts"
_ENCODER, _EXPANDER = "encoder.", "expander."
_SUPERSEDER, _SUPERSEDER_FILE = "superseder", "superseder.safetensors"
_DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Stored(Generic[C]):
    """A frozen network as a checkpoint holds it.

    Attributes:
        config: Sizes of the network.
        tensors: Its tensors by name (``frozen.shapes``).
    """

    config: C
    tensors: Tensors


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The contents of a checkpoint folder.

    Attributes:
        name: Name of the model, as memories record it.
        encoder: Runs forward.
        expander: Runs backward.
        tokenizer: Tokenizer of the expander.
        pieces: Word pieces of the encoder.
        static_counts: int64 ``(vocabulary,)``, occurrences of each token in the training set.
        fingerprint: Fingerprint of all that decides memory tokens; 16 hex digits.
        encoder_fingerprint: Fingerprint of what makes gists; two checkpoints with the same one find
            each other's turns by them.
        expander_fingerprint: Fingerprint of what expands; two checkpoints with the same one read
            each other's memories.
        superseder: Compares two turns; reads the encoder's pieces and embeddings. It decides
            nothing that is stored, so no fingerprint is of it: ``config.json`` has a digest of its
            file. ``None``: nothing is superseded.
    """

    name: str
    encoder: Stored[EncoderConfig]
    expander: Stored[ModelConfig]
    tokenizer: Tokenizer
    pieces: Pieces
    static_counts: NDArray[np.int64]
    fingerprint: str = ""
    encoder_fingerprint: str = ""
    expander_fingerprint: str = ""
    superseder: Stored[SupersederConfig] | None = None


def bundled() -> list[str]:
    """Names of the checkpoints that come with the package."""
    return sorted(item.parent.name for item in BUNDLED.glob("*/config.json"))


def find(path: str | Path) -> Path:
    """The folder of a checkpoint, given as the name of a bundled one or as a path.

    A name of a bundled one always means that one; ``./r3mem-base-1`` is the path of another.

    Raises:
        CheckpointError: There is none.
    """
    if isinstance(path, str) and path in bundled():
        return BUNDLED / path
    with suppress(OSError, TypeError):  # no name that a folder can have
        if (Path(path) / "config.json").is_file():
            return Path(path)
    raise CheckpointError(
        f"no checkpoint at {str(path)!r}: give a folder that holds config.json, or one of "
        f"{bundled()}"
    )


def expander_of(name: str) -> str:
    """Fingerprint of the expander of a bundled checkpoint, without making its networks.

    Raises:
        CheckpointError: It is damaged.
    """
    folder = find(name)
    with _reading(folder):
        fields = _fields_of(folder)[0]
        if known := _known(folder, fields):
            return known.fingerprints.expander
        return _fingerprints(folder, fields, mapped(folder / "model.safetensors")).expander


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a checkpoint into a folder, which is made if need be.

    Raises:
        CheckpointError: It cannot be written there.
    """
    try:
        _save(checkpoint, folder)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"no checkpoint can be written to {folder}: {error}") from error


def _save(checkpoint: Checkpoint, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": FORMAT,
        "name": checkpoint.name,
        "encoder": checkpoint.encoder.config.to_dict(),
        "expander": checkpoint.expander.config.to_dict(),
    }
    if checkpoint.superseder is not None:
        save_file(_stored(checkpoint.superseder.tensors), folder / _SUPERSEDER_FILE)
        sizes = checkpoint.superseder.config.to_dict()
        config[_SUPERSEDER] = sizes | {_DIGEST: _digest(folder / _SUPERSEDER_FILE)}
    else:
        (folder / _SUPERSEDER_FILE).unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    checkpoint.tokenizer.save(folder / "tokenizer.json")
    checkpoint.pieces.save(folder / "pieces.json")
    counts = checkpoint.static_counts.astype(np.int64)
    tensors = {
        **_stored(checkpoint.encoder.tensors, _ENCODER),
        **_stored(checkpoint.expander.tensors, _EXPANDER),
        _STATIC_COUNTS: counts,
    }
    save_file(tensors, folder / "model.safetensors")
    fields = _fields_of(folder)[0]
    prints = _fingerprints(folder, fields, tensors)
    derived.write(folder, fields, Derived(prints, checkpoint.tokenizer, checkpoint.pieces))


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: It is missing, damaged or of another format.
    """
    folder = find(path)
    with _reading(folder):
        return _load(folder)


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Name a folder in whatever is wrong with it."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from error
    except (
        OSError, ArithmeticError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError,
    ) as error:  # fmt: skip
        raise CheckpointError(f"{folder} is damaged: {error}") from error


def _known(folder: Path, fields: Mapping[str, Any]) -> Derived | None:
    """What follows from the files of a checkpoint, if it lies there and fits them.

    Files of a bundled one that do not fit were damaged: what they wrote could be read by no other
    installation.
    """
    known = derived.read(folder, fields)
    if known is None and folder.parent == BUNDLED:
        raise CheckpointError("its files are damaged: install r3mem-agents again")
    return known


def _load(folder: Path) -> Checkpoint:
    fields, name = _fields_of(folder)
    form = int(fields["format"])
    if form != FORMAT:
        advice = "upgrade r3mem-agents" if form > FORMAT else "train it anew: r3mem train --fresh"
        raise CheckpointError(f"it has format {form}, this version reads {FORMAT}: {advice}")
    tensors = mapped(folder / "model.safetensors")
    known = _known(folder, fields)
    encoding, expanding = _part(tensors, _ENCODER), _part(tensors, _EXPANDER)
    counts = tensors[_STATIC_COUNTS]
    if stray := len(tensors) - len(encoding) - len(expanding) - 1:
        raise CheckpointError(f"{stray} of its tensors are of no network")
    encoder = Stored(EncoderConfig(**fields["encoder"]), encoding)
    expander = Stored(ModelConfig(**fields["expander"]), expanding)
    shapes.check(encoding, shapes.encoder(encoder.config), "encoder")
    shapes.check(expanding, shapes.expander(expander.config), "expander")
    superseder = None
    if _SUPERSEDER in fields:
        superseder = _load_superseder(
            fields[_SUPERSEDER], folder / _SUPERSEDER_FILE, intact=known is not None
        )
    prints, tokenizer, pieces = known or Derived(
        _fingerprints(folder, fields, tensors),
        Tokenizer.load(folder / "tokenizer.json"),
        Pieces.load(folder / "pieces.json"),
    )
    for what, found, wanted in (
        ("tokens", tokenizer.vocabulary, expander.config.vocabulary),
        ("word pieces", len(pieces), encoder.config.vocabulary),
        ("bits of a gist to read", expander.config.gist_bits, encoder.config.gist_bits),
    ):
        if found != wanted:
            raise CheckpointError(f"it is damaged: {found} {what} where its sizes say {wanted}")
    return Checkpoint(
        name,
        encoder,
        expander,
        tokenizer,
        pieces,
        _load_counts(counts, expander.config.vocabulary),
        *prints,
        superseder=superseder,
    )


def _fields_of(folder: Path) -> tuple[dict[str, Any], str]:
    """What ``config.json`` says, and the name in it, which decides nothing."""
    fields = dict(json.loads((folder / "config.json").read_text()))
    return fields, str(fields.pop("name"))


def _fingerprints(folder: Path, fields: Mapping[str, Any], tensors: Tensors) -> Fingerprints:
    sizes = {name: value for name, value in fields.items() if name != _SUPERSEDER}
    return Fingerprints.of(folder, sizes, tensors)


def _load_superseder(
    fields: Mapping[str, Any], path: Path, *, intact: bool
) -> Stored[SupersederConfig]:
    sizes = dict(fields)
    recorded = sizes.pop(_DIGEST, None)
    superseder = Stored(SupersederConfig(**sizes), mapped(path))
    shapes.check(superseder.tensors, shapes.superseder(superseder.config), "superseder")
    if not intact and (found := _digest(path)) != recorded:
        raise CheckpointError(
            f"{path.name} is damaged: its digest is {found}, config.json says {recorded}"
        )
    return superseder


def _load_counts(counts: NDArray[np.generic], vocabulary: int) -> NDArray[np.int64]:
    whole = counts.dtype == np.int64 and counts.shape == (vocabulary,)
    if not whole or counts.min() < 0 or counts.astype(float).sum() + vocabulary > LARGEST_TOTAL:
        raise CheckpointError(f"{_STATIC_COUNTS} is damaged: no numbers of {vocabulary} tokens")
    return counts.astype(np.int64)


def _digest(path: Path) -> str:
    """Hash of a file; 16 hex digits."""
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _stored(tensors: Tensors, prefix: str = "") -> Arrays:
    return {prefix + name: np.ascontiguousarray(held) for name, held in tensors.items()}


def _part(tensors: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): held for name, held in tensors.items() if name.startswith(prefix)
    }
