"""The network that compares two turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from r3mem_agents.errors import CheckpointError, InvalidInputError
from r3mem_agents.model import ReversibleModel, checkpoint
from r3mem_agents.model.config import SupersederConfig
from r3mem_agents.model.reference.loading import stored, torch_encoder
from r3mem_agents.model.trainable import Encoder, Superseder
from r3mem_agents.testing import tiny_model
from r3mem_agents.train.supersede.loop import from_encoder

WORDS = st.text("abc dog Lisbon 17.ü猫", max_size=40)


def compared(folder: Path) -> ReversibleModel:
    """A tiny model that compares turns, as it comes from a checkpoint."""
    tiny = tiny_model()
    own = tiny.encoder.config
    sizes = SupersederConfig(
        hidden=own.hidden, heads=own.heads, feedforward=own.feedforward, biased=own.biased,
        layers=1, positions=24,
    )  # fmt: skip
    torch.manual_seed(0)
    held = tiny.checkpoint
    encoder = torch_encoder(held.encoder)
    network = from_encoder(Encoder.thaw(encoder), Superseder(sizes))
    parts = (held.encoder, held.expander, held.pieces, held.tokenizer, held.static_counts)
    frozen = stored(network.freeze(encoder.embedding))
    ReversibleModel.from_networks(*parts, held.name, superseder=frozen).save_pretrained(folder)
    return ReversibleModel.from_pretrained(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("superseding")


@pytest.fixture(scope="module")
def comparing(folder: Path) -> ReversibleModel:
    return compared(folder)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), max_size=5))
def test_a_pair_is_compared_as_it_is_alone(
    comparing: ReversibleModel, pairs: list[tuple[str, str]]
) -> None:
    together = comparing.supersedes(pairs)
    alone = [comparing.supersedes([pair])[0] for pair in pairs]
    assert together.tolist() == pytest.approx(alone, abs=1e-6)


def test_which_is_the_newer_matters(comparing: ReversibleModel) -> None:
    one, other = "I live in Lisbon.", "The boxes are unpacked in Porto."
    there, back = comparing.supersedes([(one, other), (other, one)])
    assert there != back


def test_of_a_long_turn_the_beginning_is_read(comparing: ReversibleModel) -> None:
    words = "a dog " * 30
    first, second = comparing.supersedes([(words, "Lisbon"), (words * 1000, "Lisbon")])
    assert first == second


def test_it_decides_nothing_that_is_stored(comparing: ReversibleModel) -> None:
    plain = tiny_model()
    assert comparing.fingerprint == plain.fingerprint
    assert comparing.compress(["A dog in Lisbon."]) == plain.compress(["A dog in Lisbon."])


def test_without_it_nothing_is_compared() -> None:
    with pytest.raises(CheckpointError, match="r3mem supersede"):
        tiny_model().supersedes([("a", "b")])


def test_no_text_is_refused_by_name(comparing: ReversibleModel) -> None:
    with pytest.raises(InvalidInputError, match="lone surrogate"):
        comparing.supersedes([("a", "b\ud800")])


def test_damage_is_refused(folder: Path, comparing: ReversibleModel, tmp_path: Path) -> None:
    comparing.save_pretrained(tmp_path)
    path = tmp_path / "superseder.safetensors"
    tensors = load_file(path)
    save_file({name: one for name, one in tensors.items() if name != "side"}, path)
    with pytest.raises(CheckpointError, match="side"):
        checkpoint.load(tmp_path)
    save_file(tensors, path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path)
    path.unlink()
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["superseder"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert checkpoint.load(tmp_path).superseder is None


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=20)
def test_a_flipped_bit_is_noticed(
    comparing: ReversibleModel, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    comparing.save_pretrained(folder)
    path = folder / "superseder.safetensors"
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged|superseder"):
        checkpoint.load(folder)


def test_one_without_a_digest_is_refused(comparing: ReversibleModel, tmp_path: Path) -> None:
    comparing.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["superseder"]["digest"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"superseder.safetensors is damaged: its digest"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("wrong", [None, True, 3, "text"])
def test_sizes_that_are_none_are_refused(
    comparing: ReversibleModel, tmp_path: Path, wrong: object
) -> None:
    comparing.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"superseder": wrong}))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("pairs", [None, 3, "ab", [("a",)], [("a", "b", "c")], ["ab"], [None]])
def test_what_is_no_pair_is_refused_by_name(comparing: ReversibleModel, pairs: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"pairs"):
        comparing.supersedes(pairs)


def test_nothing_to_compare(comparing: ReversibleModel) -> None:
    assert comparing.supersedes([]).shape == (0,)
    assert np.isfinite(comparing.supersedes([("", "")])).all()


def test_a_folder_keeps_no_network_of_another_model(
    comparing: ReversibleModel, tmp_path: Path
) -> None:
    comparing.save_pretrained(tmp_path)
    tiny_model().save_pretrained(tmp_path)
    assert not (tmp_path / "superseder.safetensors").exists()
    assert checkpoint.load(tmp_path).superseder is None


@pytest.mark.parametrize("wrong", [{"heads": 0}, {"hidden": 0}, {"layers": "many"}])
def test_sizes_that_fit_nothing_are_refused(
    comparing: ReversibleModel, tmp_path: Path, wrong: dict[str, object]
) -> None:
    comparing.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["superseder"] |= wrong
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=f"{next(iter(wrong))}="):
        checkpoint.load(tmp_path)
