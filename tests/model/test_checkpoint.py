"""Laws of checkpoints and of the stored bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from r3mem_agents.errors import CheckpointError, FormatError
from r3mem_agents.model import MemoryTokens, ReversibleModel, checkpoint
from r3mem_agents.model.checkpoint import BUNDLED
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.reference.loading import stored, torch_encoder, torch_expander
from r3mem_agents.model.trainable import Encoder, Expander
from r3mem_agents.testing import tiny_model

GOLDEN = Path(__file__).parent.parent / "golden"


def test_saved_and_loaded_after_training_it_is_the_same_model(tmp_path: Path) -> None:
    model = tiny_model()
    networks = (
        Encoder.thaw(torch_encoder(model.checkpoint.encoder)),
        Expander.thaw(torch_expander(model.checkpoint.expander)),
    )
    with torch.no_grad():
        for network in networks:
            for parameter in network.parameters():
                parameter.mul_(1.01)
    changed = ReversibleModel.from_networks(
        stored(networks[0].freeze()),
        stored(networks[1].freeze()),
        model.pieces,
        model.tokenizer,
        model.static_counts,
        "changed",
    )
    changed.save_pretrained(tmp_path / "a")
    again = ReversibleModel.from_pretrained(tmp_path / "a")
    assert again.fingerprint == changed.fingerprint != tiny_model().fingerprint
    texts = ["My dog is called Biscuit.", "10:30 in Lisbon"]
    assert again.compress(texts) == changed.compress(texts)
    assert again.expand(changed.compress(texts)) == texts


def _with(model: ReversibleModel, **others: Any) -> ReversibleModel:
    parts = {
        name: getattr(model.checkpoint, name)
        for name in ("encoder", "expander", "pieces", "tokenizer", "static_counts", "name")
    }
    return ReversibleModel.from_networks(**(parts | others))


def test_each_part_of_a_checkpoint_has_a_fingerprint_of_its_own() -> None:
    model, other = tiny_model(), tiny_model(seed=1)
    reordered = model.tokenizer.reordered([*range(2), 3, 2, *range(4, model.tokenizer.vocabulary)])
    pieces = Pieces.of([(piece, score - 1) for piece, score in model.pieces.scores])
    for changed, encodes_alike, expands_alike in (
        (_with(model, name="another name"), True, True),
        (_with(model, encoder=other.checkpoint.encoder), False, True),
        (_with(model, pieces=pieces), False, True),
        (_with(model, expander=other.checkpoint.expander), True, False),
        (_with(model, tokenizer=reordered), True, False),
        (_with(model, static_counts=model.static_counts + 1), True, False),
    ):
        assert (changed.encoder_fingerprint == model.encoder_fingerprint) is encodes_alike
        assert (changed.expander_fingerprint == model.expander_fingerprint) is expands_alike
        alike = encodes_alike and expands_alike
        assert (changed.fingerprint == model.fingerprint) is alike


def test_codes_of_version_2_are_read_and_written_byte_for_byte() -> None:
    """The golden file was written by another machine than the one that runs this test."""
    model = ReversibleModel.from_pretrained(GOLDEN / "tiny")
    golden = json.loads((GOLDEN / "codes-v2.json").read_text())
    assert model.fingerprint == golden["fingerprint"]
    stored = [
        MemoryTokens(code=bytes.fromhex(item["code"]), gists=bytes.fromhex(item["gists"]))
        for item in golden["texts"]
    ]
    texts = [item["text"] for item in golden["texts"]]
    assert model.expand(stored) == texts
    assert [segment.code for segment in model.compress(texts)] == [s.code for s in stored]
    assert [segment.gists for segment in model.compress(texts)] == [s.gists for s in stored]


def test_a_later_kind_of_code_is_refused_by_name() -> None:
    with pytest.raises(FormatError, match="later version: upgrade"):
        tiny_model().expand([MemoryTokens(code=b"\xfeabcdef", gists=b"")])


def test_the_name_of_a_bundled_checkpoint_means_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model().save_pretrained(tmp_path / "r3mem-base-1")
    monkeypatch.chdir(tmp_path)
    assert ReversibleModel.from_pretrained("r3mem-base-1").name == "r3mem-base-1"
    assert ReversibleModel.from_pretrained("./r3mem-base-1").name == "tiny-0"
    assert ReversibleModel.from_pretrained(Path("r3mem-base-1")).name == "tiny-0"


def test_a_missing_checkpoint_names_what_there_is() -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at 'nowhere'"):
        ReversibleModel.from_pretrained("nowhere")


def test_a_checkpoint_that_is_read_can_be_trained_on(tmp_path: Path) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path)
    read = checkpoint.load(tmp_path)
    again = ReversibleModel.from_networks(
        stored(Encoder.thaw(torch_encoder(read.encoder)).freeze()),
        stored(Expander.thaw(torch_expander(read.expander)).freeze()),
        read.pieces,
        read.tokenizer,
        read.static_counts,
        read.name,
    )
    assert again.fingerprint == model.fingerprint


def test_a_checkpoint_that_is_read_is_frozen_as_it_is(tmp_path: Path) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path)
    read = checkpoint.load(tmp_path)
    parts = (read.encoder, read.expander, read.pieces, read.tokenizer, read.static_counts)
    assert ReversibleModel.from_networks(*parts, read.name).fingerprint == model.fingerprint


def test_there_is_nothing_to_train_in_a_frozen_network() -> None:
    held = tiny_model().checkpoint
    for network in (torch_encoder(held.encoder), torch_expander(held.expander)):
        assert not isinstance(network, torch.nn.Module)
        for tensor in network.tensors.values():
            assert not isinstance(tensor, torch.nn.Parameter)
            assert not tensor.requires_grad


def test_training_on_does_not_change_what_was_frozen() -> None:
    network = Encoder.thaw(torch_encoder(tiny_model().checkpoint.encoder))
    frozen = network.freeze()
    before = {name: tensor.clone() for name, tensor in frozen.tensors.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(frozen.tensors[name], before[name]) for name in before)


def _other(name: str) -> bytes:
    """The file of another model, which has more tokens and pieces."""
    return (BUNDLED / "r3mem-base-1" / name).read_bytes()


def damaged(folder: Path, name: str, content: bytes) -> Path:
    tiny_model().save_pretrained(folder)
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b'{"format": 3, "name": "x", "encoder": {}}'),
        ("config.json", b'{"format": 3, "name": "x", "encoder": {"colour": 3}, "expander": {}}'),
        ("model.safetensors", b"\x00" * 100),
        ("tokenizer.json", b"[]"),
        ("tokenizer.json", _other("tokenizer.json")),
        ("pieces.json", b"\xff\xff\n"),
        ("pieces.json", _other("pieces.json")),
    ],
)
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(CheckpointError):
        ReversibleModel.from_pretrained(damaged(tmp_path, name, content))


@pytest.mark.parametrize(
    ("network", "size", "value"),
    [
        ("encoder", "layers", 10**9),
        ("encoder", "heads", -8),
        ("encoder", "heads", 4.0),
        ("encoder", "positions", 128.0),
        ("expander", "hidden", 32.0),
        ("expander", "hidden", "32"),
        ("expander", "heads", 0),
        ("expander", "layers", True),
        ("expander", "layers", 10**9),
        ("expander", "rounds", 10**9),
        ("expander", "gist_bits", None),
        ("expander", "biased", "yes"),
    ],
)
def test_sizes_that_no_network_has_are_named(
    tmp_path: Path, network: str, size: str, value: object
) -> None:
    tiny_model().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config[network][size] = value
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=f"{size}="):
        ReversibleModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"3", b"[" * 10**5])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        ReversibleModel.from_pretrained(damaged(tmp_path, "config.json", content))


def test_pieces_without_one_for_the_unknown_are_refused(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    pieces = json.loads((tmp_path / "pieces.json").read_text())
    pieces["model"]["unk_id"] = None
    (tmp_path / "pieces.json").write_text(json.dumps(pieces))
    with pytest.raises(CheckpointError, match="unk_id"):
        ReversibleModel.from_pretrained(tmp_path)


def test_a_tokenizer_that_lacks_a_byte_is_refused(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    tokens = json.loads((tmp_path / "tokenizer.json").read_text())
    vocabulary = tokens["model"]["vocab"]
    vocabulary["\u0100" * 9] = vocabulary.pop("\u0100")  # what is written for the byte 0
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokens))
    with pytest.raises(CheckpointError, match="no token for 1 bytes"):
        ReversibleModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("path", [None, 3, b"r3mem-base-1", "\0", "x" * 5000])
def test_what_is_no_path_is_no_checkpoint(path: Any) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        ReversibleModel.from_pretrained(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="no checkpoint can be written to .*file"):
        tiny_model().save_pretrained(tmp_path / "file")


@pytest.mark.parametrize(("form", "advice"), [(2, "train it anew"), (4, "upgrade")])
def test_a_checkpoint_of_another_format_is_refused(tmp_path: Path, form: int, advice: str) -> None:
    config = json.dumps({"format": form, "name": "x"}).encode()
    folder = damaged(tmp_path, "config.json", config)
    with pytest.raises(CheckpointError, match=f"has format {form}.*{advice}"):
        ReversibleModel.from_pretrained(folder)


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("expander.edge")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="edge"):
        ReversibleModel.from_pretrained(tmp_path)


def test_tensors_of_no_network_are_refused(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(tensors | {"stray": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="no network"):
        ReversibleModel.from_pretrained(tmp_path)


def test_tensors_of_another_shape_or_dtype_are_named(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    edge = tensors["expander.edge"]
    for wrong in (edge[:2], edge.to(torch.int8), edge.double(), edge / 0.0):
        save_file(tensors | {"expander.edge": wrong}, tmp_path / "model.safetensors")
        with pytest.raises(CheckpointError, match="edge"):
            ReversibleModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("wrong", ["short", "float", "negative", "enormous"])
def test_counts_of_tokens_that_are_none_are_refused(tmp_path: Path, wrong: str) -> None:
    tiny_model().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    counts = tensors["static_counts"]
    changed = {
        "short": counts[1:].clone(),
        "float": counts.float(),
        "negative": -counts - 1,
        "enormous": counts + (1 << 62),
    }[wrong]
    save_file(tensors | {"static_counts": changed}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="static_counts is damaged"):
        ReversibleModel.from_pretrained(tmp_path)
