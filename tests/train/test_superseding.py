"""A network that compares turns, trained on memories whose updates are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from r3mem_agents import ReversibleModel
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.supersede.data import confusable, read
from tests.train.conftest import TOWNS, r3mem, record_of, write

WHO = ("Ana", "Rui", "Eva", "Gil", "Leo", "Mia")


@pytest.fixture(scope="module")
def memories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Moves that are told by "now", and second homes that are not."""
    folder = tmp_path_factory.mktemp("memories")
    write(
        folder / "moves.jsonl",
        [
            {
                "type": "memory",
                "turns": [
                    {"text": f"{who} lives in {town}."},
                    {"text": f"Now {who} lives in {other}."},
                    {"text": f"{who} has a hut in {third}."},
                    {"role": "assistant", "text": f"Now to {other}!"},
                ],
                "questions": [{"query": f"Where is {who}?", "gold": [1]}],
                "updates": [[0, 1]],
                "alike": [[1, 2], [0, 2]],
            }
            for who in WHO
            for town, other, third in zip(TOWNS, TOWNS[1:], TOWNS[2:], strict=False)
        ],
    )
    return folder


def test_what_is_read(memories: Path, data: Path) -> None:
    talks = read(memories, data, 1.0)
    assert talks.memories == 12 and len(talks.talks) == 13
    for older, newer in talks.updates:
        assert talks.texts[newer].startswith("Now") and older < newer
    assert len(talks.updates) == 12 and len(talks.alike) == 24
    assert len(talks.speakers) == len(talks.texts) == talks.talks[-1][1]


def test_confusable_pairs_are_one_speakers_and_not_known(memories: Path, data: Path) -> None:
    talks = read(memories, data, 0.001)
    gists = np.random.default_rng(0).normal(size=(len(talks.texts), 64)).astype(np.float32)
    mine, others = confusable(talks, gists, 2)
    known = {*map(tuple, talks.updates), *map(tuple, talks.alike)}
    owner = np.repeat(np.arange(len(talks.talks)), [end - first for first, end in talks.talks])
    for pairs, ours in ((mine, True), (others, False)):
        for older, newer in pairs.tolist():
            assert older < newer and owner[older] == owner[newer]
            assert (owner[newer] < talks.memories) == ours
            assert talks.speakers[older] == talks.speakers[newer]
            assert (older, newer) not in known
        newest = pairs[:, 1].tolist()
        assert all(newest.count(row) <= 2 for row in set(newest))


def test_talk_alone_is_refused(data: Path) -> None:
    with pytest.raises(InvalidInputError, match="no memory"):
        read(data, None, 1.0)


def test_the_command_trains_and_goes_on(
    memories: Path, data: Path, start: Path, tmp_path: Path
) -> None:
    out = tmp_path / "first"
    r3mem(
        "supersede", memories, "--beside", data, "--start-from", start, "--out", out,
        "--steps", 40, "--pairs", 24, "--rates", 20, "--device", "cpu",
    )  # fmt: skip
    model = ReversibleModel.from_pretrained(out / "checkpoint")
    assert model.fingerprint == ReversibleModel.from_pretrained(start).fingerprint
    moved, both = model.supersedes(
        [
            ("Zoe lives in Faro.", "Now Zoe lives in Braga."),
            ("Zoe lives in Faro.", "Zoe has a hut in Braga."),
        ]
    )
    assert moved > both + 1
    first = record_of(out)["superseder"]
    assert first["started_from"] is None and first["updates"] == 12 and first["steps"] == 40
    r3mem(
        "supersede", memories, "--start-from", out / "checkpoint", "--out", tmp_path / "second",
        "--steps", 1, "--pairs", 4, "--device", "cpu",
    )  # fmt: skip
    again = record_of(tmp_path / "second")["superseder"]
    assert again["started_from"] == model.fingerprint
    assert again["before"]["steps"] == 40
