"""Which model reads a file: the one that wrote it, by its fingerprint, and never by a path."""

from __future__ import annotations

import dataclasses
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, ReversibleModel, recompress
from r3mem_agents.errors import (
    CheckpointError,
    InvalidInputError,
    ModelMismatchError,
    OtherGistsWarning,
)
from r3mem_agents.memory import models
from r3mem_agents.model import checkpoint
from r3mem_agents.testing import tiny_model
from r3mem_agents.types import DEFAULT_MODEL
from tests.golden.conversation import SCOPES, is_told
from tests.memory.fake_model import FakeModel
from tests.memory.filling import fill


def test_another_model_is_refused_by_name(path: Path, model: ReversibleModel) -> None:
    turns = fill(path, model, 2)
    other = tiny_model(seed=1)
    with pytest.raises(ModelMismatchError, match="r3mem recompress .* --from") as caught:
        CompressiveMemory(path, model=other)
    for one in (model, other):
        assert one.name in str(caught.value)
        assert one.expander_fingerprint in str(caught.value)
    with CompressiveMemory(path, model=model) as memory:
        assert memory.history() == turns


def test_a_model_with_another_encoder_reads_everything(path: Path, fake: Any) -> None:
    turns = fill(path, fake, 3)
    other: Any = FakeModel(fake.fingerprint, encoder="b" * 16)
    with pytest.warns(OtherGistsWarning, match="by their words alone .* r3mem recompress .*db"):
        memory = CompressiveMemory(path, model=other)
    with memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherGistsWarning)
        assert memory.history() == turns
        new = memory.remember("user", "Turn 3: my dog is called Biscuit.")
        assert memory.history() == [*turns, new]
        assert memory.fetch(turn_ids=[1, 4]) == [turns[0], new]
        assert memory.verify().ok
        (old,) = memory.recall("Turn 1 words", k=1, explain=True)
        assert old.explanation is not None
        assert (old.text, old.explanation.similarity) == (turns[1].text, None)
        assert old.explanation.evidence["gist"].log_odds == 0
        (hit,) = memory.recall("the dog Biscuit", k=1, explain=True)
        assert hit.explanation is not None
        assert hit.text == new.text
        assert (hit.explanation.similarity or 0) > 0
        assert memory.summary() != []
    with pytest.warns(OtherGistsWarning), CompressiveMemory(path, model=fake) as memory:
        assert memory.history() == [*turns, new]


def test_gists_of_another_encoder_are_told_of_once(path: Path, fake: Any) -> None:
    fill(path, fake, 3)
    other: Any = FakeModel(fake.fingerprint, encoder="b" * 16)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        with CompressiveMemory(path, model=other) as memory:
            memory.recall("words")
            memory.scoped(user="bob").recall("words")
    assert [warning.category for warning in told] == [OtherGistsWarning]


def test_only_real_gists_of_another_encoder_are_told_of(path: Path, fake: Any) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        said = memory.remember("user", "My dog is called Biscuit.")
        memory.remember("user", "")
        memory.forget(turn_ids=[said.id])
    other: Any = FakeModel(fake.fingerprint, encoder="b" * 16)
    with CompressiveMemory(path, model=other) as memory:  # warnings are errors in these tests
        assert memory.recall("dog") == []


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Checkpoints that can be loaded by name."""
    names: dict[str, Any] = {DEFAULT_MODEL: FakeModel("d" * 16)}

    def load(name: str) -> Any:
        if name not in names:
            raise CheckpointError(f"no checkpoint {name}")
        return names[name]

    monkeypatch.setattr(ReversibleModel, "from_pretrained", staticmethod(load))
    monkeypatch.setattr(models, "_shared", {})
    monkeypatch.setattr(models, "bundled", lambda: list(names))
    monkeypatch.setattr(checkpoint, "expander_of", lambda name: names[name].expander_fingerprint)
    return names


def test_the_model_of_a_file_is_loaded_by_its_name(path: Path, installed: dict[str, Any]) -> None:
    installed["fake"] = FakeModel("a" * 16)
    turns = fill(path, installed["fake"], 2)
    with CompressiveMemory(path) as memory:
        assert memory.model is installed["fake"]
        assert memory.history() == turns


@pytest.mark.parametrize("present", [False, True])
def test_a_file_whose_model_is_not_at_hand(
    path: Path, installed: dict[str, Any], present: bool
) -> None:
    fill(path, FakeModel("a" * 16), 2)
    if present:
        installed["fake"] = FakeModel("b" * 16)  # the right name, other weights
    with pytest.raises(ModelMismatchError, match=r"fake \(a{16}\)"):
        CompressiveMemory(path)


@pytest.mark.parametrize("way", ["name", "./name", "/absolute", "../up"])
def test_the_model_of_a_file_is_never_a_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A file from anybody may name what it likes: no folder is opened for it."""
    planted = {"/absolute": tmp_path / "planted", "../up": tmp_path / "up"}.get(
        way, tmp_path / "cwd" / "name"
    )
    model: Any = tiny_model(seed=1)
    model.save_pretrained(planted)
    (tmp_path / "cwd").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "cwd")
    model.name = str(planted) if way == "/absolute" else way
    fill(path, model, 2)
    with pytest.raises(ModelMismatchError, match=model.expander_fingerprint):
        CompressiveMemory(path)
    with CompressiveMemory(path, model=planted) as memory:
        assert len(memory.history()) == 2


def test_a_file_finds_its_model_under_another_name(path: Path, installed: dict[str, Any]) -> None:
    turns = fill(path, FakeModel("a" * 16), 2)
    installed["fake"] = FakeModel("b" * 16)  # the right name, other weights
    installed["renamed"] = FakeModel("a" * 16)
    with CompressiveMemory(path) as memory:
        assert memory.model is installed["renamed"]
        assert memory.history() == turns


VERSIONS = ["small-1", "small-2"]


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two versions of a model come with the package; the later one is what new files get."""
    for seed, name in enumerate(VERSIONS):
        model = tiny_model(seed)
        folder = tmp_path / "bundled" / name
        checkpoint.save(dataclasses.replace(model.checkpoint, name=name), folder)
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(models, "_shared", {})
    monkeypatch.setattr(models, "DEFAULT_MODEL", VERSIONS[-1])
    return VERSIONS


def test_every_version_that_comes_with_the_package_reads_its_files(
    path: Path, tmp_path: Path, versions: list[str]
) -> None:
    files = {name: tmp_path / f"{name}.db" for name in versions}
    turns = {name: fill(file, name, 3) for name, file in files.items()}
    for name, file in files.items():
        with CompressiveMemory(file) as memory:
            assert memory.model.name == name
            assert memory.history() == turns[name]
            assert memory.verify().ok
    with CompressiveMemory(path) as memory:
        assert memory.model.name == versions[-1]


def test_a_file_is_moved_to_a_later_version(path: Path, versions: list[str]) -> None:
    old, new = versions
    turns = fill(path, old, 3)
    done = recompress(path, model=new)
    assert (done.model_before, done.model, done.recompressed) == (old, new, 3)
    with CompressiveMemory(path) as memory:
        assert memory.model.name == new
        assert memory.history() == turns
        assert memory.verify().ok
    assert recompress(path, model=old).recompressed == 3
    with CompressiveMemory(path) as memory:
        assert (memory.model.name, memory.history()) == (old, turns)


@pytest.mark.parametrize("name", checkpoint.bundled())
def test_a_file_of_each_released_model_is_read(name: str, path: Path) -> None:
    """Written once with the model of that name, and never again: so it stays what it was."""
    shutil.copy(Path(__file__).parents[1] / "golden" / f"{name}.db", path)
    with CompressiveMemory(path) as memory:
        assert memory.model.name == name
        assert memory.verify().ok
        for (user, agent), said in SCOPES.items():
            told = memory.scoped(user=user, agent=agent).history()
            assert is_told(said, told)


def test_new_files_get_a_model_that_is_there() -> None:
    assert DEFAULT_MODEL in checkpoint.bundled()


def test_the_bundled_model_is_shared(installed: dict[str, Any], tmp_path: Path) -> None:
    with CompressiveMemory(tmp_path / "a.db") as one, CompressiveMemory(tmp_path / "b.db") as two:
        assert one.model is two.model is installed[DEFAULT_MODEL]


@pytest.mark.parametrize("nothing", ["no-such-model", 3])
def test_no_file_is_made_for_a_model_that_is_not_there(path: Path, nothing: Any) -> None:
    with pytest.raises((CheckpointError, InvalidInputError)):
        CompressiveMemory(path, model=nothing)
    assert not list(path.parent.iterdir())


def test_a_model_by_path(path: Path, model: ReversibleModel, tmp_path: Path) -> None:
    turns = fill(path, model, 2)
    model.save_pretrained(tmp_path / "checkpoint")
    with CompressiveMemory(path, model=tmp_path / "checkpoint") as memory:
        assert memory.history() == turns
    with pytest.raises(CheckpointError):
        CompressiveMemory(path, model=tmp_path / "nothing")
    with pytest.raises(InvalidInputError, match="ReversibleModel, a path or None"):
        CompressiveMemory(path, model=5)  # type: ignore[arg-type]
