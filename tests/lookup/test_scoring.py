"""The arrays' arithmetic equals the formulas written out turn by turn."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from r3mem_agents.lookup.confidence import (
    ALIKE,
    COVERED,
    MIN_SURENESS,
    OFFSET,
    UNHEARD_TURNS,
    UNRELATED,
    WEIGHTIEST,
)
from r3mem_agents.lookup.features import BREVITY, HOLD, HOLD_PER_TERM, K1, B
from r3mem_agents.lookup.index import Columns, Index
from r3mem_agents.lookup.postings import unpack
from r3mem_agents.lookup.question import Question, speakers_named
from r3mem_agents.lookup.scoring import GIST_FLOOR, SPREAD, weigh
from r3mem_agents.lookup.similarity import gist_similarity, products
from r3mem_agents.lookup.snapshot import DOCUMENT, USER, Snapshot, Speaker
from r3mem_agents.lookup.weights import FEATURES, LEVELS, WEIGHTS, Weights
from r3mem_agents.timestamps import Span

GIST_BYTES = 5  # no multiple of a word, so padding is covered too
BITS = 8 * GIST_BYTES


@dataclass(frozen=True)
class Line:
    session: int
    speaker: int
    terms: list[int]
    gists: list[bytes]


GISTS = st.sampled_from([bytes(5), b"\xff" * 5, b"\x0f" * 5, b"\x01\x02\x03\x04\x05", b"\xfe" * 5])
LINES = st.builds(
    Line,
    session=st.integers(1, 3),
    speaker=st.integers(1, 2),
    terms=st.lists(st.integers(0, 6), max_size=8),
    gists=st.lists(GISTS, max_size=2),
)
SPEAKERS = {1: Speaker(1, USER, (frozenset([1]),)), 2: Speaker(2, USER)}


def columns(*rows: tuple[int, int, int, int, list[bytes], list[int]]) -> Columns:
    ids, sessions, speakers, moments, gists, terms = zip(*rows, strict=True)
    said = sorted((term, place) for place, each in enumerate(terms) for term in each)
    times = Counter(term for term, _ in said)
    padded = b"".join(gist.ljust(8, b"\0") for each in gists for gist in each)
    return Columns(
        ids=np.array(ids),
        sessions=np.array(sessions),
        speakers=np.array(speakers),
        times_us=np.array(moments),
        gists=np.frombuffer(padded, np.uint64).reshape(-1, 1),
        gist_counts=np.array([len(each) for each in gists]),
        terms=np.array([*times], np.int64),
        times=np.array([*times.values()], np.int64),
        places=np.array([place for _, place in said], np.int64),
        asks=np.zeros(len(ids), bool),
    )


def indexed() -> Index:
    index = Index(BITS)
    index.add_speakers(SPEAKERS.values())
    return index


def written_out_bm25(documents: list[list[int]], query: set[int]) -> list[float]:
    mean = max(sum(map(len, documents)) / len(documents), 1)
    scores = [0.0] * len(documents)
    for term in query:
        having = sum(term in document for document in documents)
        idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        for place, document in enumerate(documents):
            count = document.count(term)
            norm = K1 * (1 - B + B * len(document) / mean)
            scores[place] += idf * count / (count + norm)
    return scores


def written_out_coverage(lines: list[Line], query: set[int]) -> list[float]:
    documents = len(lines) + UNHEARD_TURNS
    weight = {}
    for term in query:
        heard = sum(term in line.terms for line in lines)
        weight[term] = math.log(1 + (documents - heard + 0.5) / (heard + 0.5))
    whole = sum(sorted(weight.values(), reverse=True)[:WEIGHTIEST])
    said = [
        sum(weight[term] for term in query & set(line.terms))
        + sum(weight[term] for term in SPEAKERS[line.speaker].matched(query))
        if query & set(line.terms)
        else 0.0
        for line in lines
    ]
    return [min(one / whole, 1.0) if whole else 0.0 for one in said]


def similarity(one: bytes, other: bytes) -> float:
    differing = sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))
    return 1 - 2 * differing / BITS


def asked(gist: bytes) -> NDArray[np.float32]:
    """The question whose signs are these bits, all alike in size."""
    bits = np.unpackbits(np.frombuffer(gist, np.uint8)).astype(np.float32)
    return np.asarray((2 * bits - 1) / np.float32(math.sqrt(BITS)))


def written_out_words(lines: list[Line], query: set[int]) -> list[float]:
    documents, scores = len(lines) + UNHEARD_TURNS, [0.0] * len(lines)
    for term in query:
        having = sum(term in line.terms for line in lines)
        idf = math.log(1 + (documents - having + 0.5) / (having + 0.5))
        for place, line in enumerate(lines):
            count = line.terms.count(term)
            scores[place] += idf * count / (count + HOLD + HOLD_PER_TERM * len(line.terms))
    return scores


def gathered(lines: list[Line]) -> Snapshot:
    index = indexed()
    for place, line in enumerate(lines):
        row = (place + 1, line.session, line.speaker, place, line.gists, line.terms)
        index.add(columns(row))
    return index.snapshot()


def only(**weights: float) -> Weights:
    one = dict.fromkeys(FEATURES, 0.0) | weights
    return Weights(one, one)


MEMORIES = st.lists(LINES, min_size=1, max_size=12)
QUERIES = st.sets(st.integers(0, 9), max_size=5)


@given(lines=MEMORIES, query=QUERIES, gist=GISTS)
@settings(max_examples=100, deadline=None)
def test_words_are_bm25_with_absolute_length(
    lines: list[Line], query: set[int], gist: bytes
) -> None:
    turns = gathered(lines)
    similarity = gist_similarity(turns, asked(gist))
    found = weigh(turns, Question(frozenset(query)), similarity, only(said=10.0)).parts["words"]
    assert found.tolist() == pytest.approx(written_out_words(lines, query))


@given(lines=MEMORIES, query=QUERIES)
@settings(max_examples=100, deadline=None)
def test_a_session_is_one_document(lines: list[Line], query: set[int]) -> None:
    turns = gathered(lines)
    numbers = sorted({line.session for line in lines})
    documents = [[t for line in lines if line.session == s for t in line.terms] for s in numbers]
    each = dict(zip(numbers, written_out_bm25(documents, query), strict=True))
    weights = only(said=1.0, session_said=10.0)
    found = weigh(turns, Question(frozenset(query)), np.full(len(lines), -1.0), weights)
    expected = [each[line.session] * bool(query & set(line.terms)) for line in lines]
    assert found.parts["session"].tolist() == pytest.approx(expected)


@given(lines=MEMORIES, query=QUERIES)
@settings(max_examples=100, deadline=None)
def test_a_short_turn_gives_to_those_beside_it(lines: list[Line], query: set[int]) -> None:
    own = written_out_words(lines, query)
    given_ = [
        score * BREVITY / (BREVITY + len(line.terms))
        for score, line in zip(own, lines, strict=True)
    ]
    weights = only(said=1.0, before_said=20.0, after_said=10.0)
    found = weigh(gathered(lines), Question(frozenset(query)), np.full(len(lines), -1.0), weights)
    for place, line in enumerate(lines):
        same = [p for p, other in enumerate(lines) if other.session == line.session]
        before = sum(given_[p] for p in [p for p in same if p < place][-1:])
        after = sum(given_[p] for p in [p for p in same if p > place][:1])
        expected = (2 * before + after) if line.terms or line.gists else 0.0
        assert found.parts["neighbours"][place] == pytest.approx(expected)


@given(lines=MEMORIES, query=QUERIES, gist=GISTS)
@settings(max_examples=150, deadline=None)
def test_the_best_turn_says_how_sure_it_is(lines: list[Line], query: set[int], gist: bytes) -> None:
    turns = gathered(lines)
    similarity = gist_similarity(turns, asked(gist))
    question = Question(frozenset(query), named=speakers_named(turns.speakers, query))
    evidence = weigh(turns, question, similarity)
    assert evidence.relevant.tolist() in (
        [False] * len(lines),
        written_out_relevance(lines, query, similarity.tolist()),
    )
    for place in range(len(lines)):
        assert evidence.odds[place] == pytest.approx(sum(evidence.of(place).values()))
    if not evidence.relevant.any():
        assert not evidence.score.any()
        return
    odds = np.where(evidence.relevant, evidence.odds, -np.inf)
    best = int(odds.argmax())
    covered = written_out_coverage(lines, query)[best]
    alike = 0.25 if similarity[best] == -1 else max(similarity[best], UNRELATED)
    sure = 1 / (1 + math.exp(-OFFSET - COVERED * covered - ALIKE * alike))
    assert sure >= MIN_SURENESS
    expected = [sure * math.exp((one - odds[best]) / SPREAD) for one in odds]
    assert evidence.score.tolist() == pytest.approx(expected)


def written_out_relevance(
    lines: list[Line], query: set[int], similarity: list[float]
) -> list[bool]:
    direct = [
        bool(query & set(line.terms)) or alike >= GIST_FLOOR
        for line, alike in zip(lines, similarity, strict=True)
    ]
    relevant = []
    for place, line in enumerate(lines):
        same = [p for p, other in enumerate(lines) if other.session == line.session]
        beside = [p for p in same if p < place][-1:] + [p for p in same if p > place][:1]
        speaks = bool(line.terms or line.gists)  # what says nothing answers nothing
        relevant.append(speaks and any(direct[p] for p in [place, *beside]))
    return relevant


@given(lines=MEMORIES, gist=GISTS)
@settings(max_examples=100, deadline=None)
def test_similarity_to_signs_is_their_agreement(lines: list[Line], gist: bytes) -> None:
    found = gist_similarity(gathered(lines), asked(gist))
    best = [max([similarity(one, gist) for one in line.gists], default=-1.0) for line in lines]
    assert found.tolist() == pytest.approx(best, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(0, 70))
@settings(max_examples=30, deadline=None)
def test_products_are_those_of_vectors(seed: int, words: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    gists = rng.integers(0, 256, (rows, 8 * words), np.uint8)
    question = rng.normal(size=64 * words).astype(np.float32)
    question /= np.linalg.norm(question)
    signs = np.unpackbits(gists, axis=1) * 2.0 - 1
    found = products(question, list(np.ascontiguousarray(gists.view(np.uint64).T)))
    assert found == pytest.approx(signs @ question / math.sqrt(64 * words), abs=1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_without_weight_is_left_out(level: str) -> None:
    assert not WEIGHTS.without(level).has(level)
    assert WEIGHTS.has(level)


SPANS = (Span(100, 110), Span(500, 510))


def timed() -> Snapshot:
    index = indexed()
    times = (80, 99, 100, 109, 120)
    index.add(columns(*((i, i, 2, time, [], [1]) for i, time in enumerate(times))))
    index.add(columns((9, 9, 2, 105, [bytes(5)], [1])))
    return index.snapshot()


def test_time_counts_inside_a_span_and_fades_outside() -> None:
    snapshot = timed()
    alike = gist_similarity(snapshot, asked(bytes(5)))
    question = Question(frozenset([1]), spans=SPANS)
    weights = only(said=1.0, then=2.0)
    found = weigh(snapshot, question, alike, weights).parts["time"]
    fading = [2**-2, 2**-0.1, 1, 1, 2**-1.1, 1]
    assert found.tolist() == pytest.approx([2 * part for part in fading])
    without = weigh(snapshot, question, alike, WEIGHTS.without("time"))
    plain = weigh(snapshot, Question(frozenset([1])), alike, WEIGHTS.without("time"))
    assert without.score.tolist() == plain.score.tolist()
    assert without.relevant.tolist() == plain.relevant.tolist()


def test_half_of_time_has_a_fading_of_its_own() -> None:
    snapshot = timed()
    question = Question(frozenset([1]), spans=(Span(105, 10**18, 10),))
    similarity = gist_similarity(snapshot, asked(bytes(5)))
    found = weigh(snapshot, question, similarity, only(said=1.0, then=1.0)).parts["time"]
    assert found.tolist() == pytest.approx([2**-2.5, 2**-0.6, 2**-0.5, 1, 1, 1])


def test_whatever_was_said_at_a_time_is_there_newest_first() -> None:
    snapshot = timed()
    alike = gist_similarity(snapshot, asked(bytes(5)))
    evidence = weigh(snapshot, Question(frozenset(), spans=SPANS, open=True), alike)
    assert evidence.relevant.tolist() == [False, False, True, True, False, True]
    inside, outside = evidence.score[[2, 3, 5]], evidence.score[[0, 1, 4]]
    assert max(outside) < min(inside)
    assert max(evidence.score) == pytest.approx(1.0)
    assert evidence.score[3] > evidence.score[2]
    unlike = np.full(len(snapshot.ids), -1.0)
    nothing = weigh(snapshot, Question(frozenset(), spans=SPANS[1:], open=True), unlike)
    assert not nothing.relevant.any()


def test_snapshots_stay_as_they_are() -> None:
    index = indexed()
    index.add(columns((1, 1, 1, 5, [bytes(5)], [1])))
    snapshot = index.snapshot()
    index.add(columns(*((i, 2, 2, 6, [b"\1" * 5] * 2, [2] * 3) for i in range(2, 2000))))
    assert snapshot.ids.tolist() == [1]
    assert [part.tolist() for part in unpack(snapshot.postings)] == [[1], [0], [1]]
    assert len(snapshot.speakers) == len(snapshot.sessions) == 1
    assert {len(word) for word in index.snapshot().gists} == {1 + 2 * 1998}


def test_talk_does_not_change_how_passages_are_weighed() -> None:
    """A passage is weighed as alone, a turn as without documents."""
    speakers = [Speaker(1, USER), Speaker(2, 2), Speaker(3, DOCUMENT)]
    rows = [
        (1, 1, 1, 0, [bytes(5)], [1, 2]),
        (2, 1, 2, 1, [bytes(5)], [1, 3, 4]),
        (3, 2, 3, 2, [bytes(5)], [1, 2, 5]),
        (4, 2, 3, 3, [bytes(5)], [2]),
    ]
    question = Question(terms=frozenset([1, 2]))

    def worth(*kept: int) -> dict[int, float]:
        # By what is known of a turn alone: how long it is, who speaks, whether it asks.
        index = Index(BITS)
        index.add_speakers(speakers)
        index.add(columns(*(row for row in rows if row[0] in kept)))
        turns = index.snapshot()
        seen = weigh(turns, question, np.zeros(len(turns.ids)))
        return dict(zip(turns.ids.tolist(), seen.parts["role"].tolist(), strict=True))

    together = worth(1, 2, 3, 4)
    assert together == pytest.approx(worth(1, 2) | worth(3, 4))
    assert together[3] > 0 > together[2]
