"""Laws of what is kept with a checkpoint: it is what follows from the files that are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model import ReversibleModel, checkpoint, derived
from r3mem_agents.model.checkpoint import BUNDLED
from r3mem_agents.model.fingerprints import Fingerprints
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.tensors import mapped
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.testing import tiny_model


def _fields(folder: Path) -> dict[str, object]:
    fields: dict[str, object] = json.loads((folder / "config.json").read_text())
    del fields["name"]
    return fields


@pytest.mark.parametrize("name", checkpoint.bundled())
def test_what_comes_with_a_bundled_checkpoint_follows_from_it(name: str) -> None:
    folder = BUNDLED / name
    fields = _fields(folder)
    known = derived.read(folder, fields)
    assert known is not None
    fields.pop("superseder", None)
    of = Fingerprints.of(folder, fields, mapped(folder / "model.safetensors"))
    assert known.fingerprints == of
    assert known.tokenizer.tokens == Tokenizer.load(folder / "tokenizer.json").tokens
    kept, made = known.pieces, Pieces.load(folder / "pieces.json")
    assert kept.reading == made.reading
    assert kept.unigram.unknown == made.unigram.unknown
    for column in ("names", "ids", "scores"):
        assert getattr(kept.unigram, column).tolist() == getattr(made.unigram, column).tolist()


def test_without_it_a_checkpoint_is_the_same_model(tmp_path: Path) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path)
    (tmp_path / "derived.safetensors").unlink()
    again = ReversibleModel.from_pretrained(tmp_path)
    assert again.fingerprint == model.fingerprint
    texts = ["My dog is called Biscuit.", "İstanbul, 10:30"]
    assert again.compress(texts) == model.compress(texts)


def test_a_damaged_bundled_checkpoint_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote could be read by no other installation."""
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    tiny_model().save_pretrained(tmp_path / "tiny")
    weights = tmp_path / "tiny" / "model.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    assert ReversibleModel.from_pretrained("tiny").expand([]) == []
    weights.write_bytes(damaged)
    for use in (ReversibleModel.from_pretrained, checkpoint.expander_of):
        with pytest.raises(CheckpointError, match="damaged: install r3mem-agents again"):
            use("tiny")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "pieces.json", "derived.safetensors"]
)
def test_after_any_damage_it_counts_for_nothing(tmp_path: Path, name: str) -> None:
    tiny_model().save_pretrained(tmp_path)
    fields = _fields(tmp_path)
    assert derived.read(tmp_path, fields) is not None
    whole = (tmp_path / name).read_bytes()
    for place in range(0, len(whole), len(whole) // 40):
        damaged = bytes([*whole[:place], whole[place] ^ 1, *whole[place + 1 :]])
        (tmp_path / name).write_bytes(damaged)
        assert derived.read(tmp_path, fields) is None
    (tmp_path / name).write_bytes(whole[:-1])
    assert derived.read(tmp_path, fields) is None
