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

from r3mem_agents.memory.lookup.confidence import ALIKE, LEAST, UNHEARD_TURNS, WEIGHTIEST
from r3mem_agents.memory.lookup.dates import Span
from r3mem_agents.memory.lookup.index import Index, Snapshot, Speaker
from r3mem_agents.memory.lookup.postings import unpack
from r3mem_agents.memory.lookup.question import Question, speakers_named
from r3mem_agents.memory.lookup.scoring import GIST_FLOOR, gist_likeness, weigh
from r3mem_agents.memory.lookup.weights import WEIGHTS
from r3mem_agents.store import IndexColumns, ScopeState

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
SPEAKERS = {1: Speaker("user", "A", (frozenset([1]),)), 2: Speaker("user", None)}


def columns(*rows: tuple[int, int, int, int, bytes, bytes]) -> IndexColumns:
    return IndexColumns(*zip(*rows, strict=True))


def written_out_bm25(documents: list[list[int]], query: set[int]) -> list[float]:
    mean = max(sum(map(len, documents)) / len(documents), 1)
    scores = [0.0] * len(documents)
    for term in query:
        having = sum(term in document for document in documents)
        idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        for place, document in enumerate(documents):
            count = document.count(term)
            norm = WEIGHTS.k1 * (1 - WEIGHTS.b + WEIGHTS.b * len(document) / mean)
            scores[place] += idf * count / (count + norm)
    return scores


def relative(scores: list[float]) -> list[float]:
    best = max([0.0, *scores])
    return [score / best if best else score for score in scores]


def written_out_coverage(lines: list[Line], query: set[int]) -> float:
    documents = len(lines) + UNHEARD_TURNS
    weight = {}
    for term in query:
        heard = sum(term in line.terms for line in lines)
        weight[term] = math.log(1 + (documents - heard + 0.5) / (heard + 0.5))
    whole = sum(sorted(weight.values(), reverse=True)[:WEIGHTIEST])
    said = [
        sum(weight[term] for term in query & set(line.terms))
        + sum(weight[term] for term in SPEAKERS[line.speaker].matched(query))
        for line in lines
        if query & set(line.terms)
    ]
    return min(max(said, default=0.0) / whole, 1.0) if whole else 0.0


def likeness(one: bytes, other: bytes) -> float:
    differing = sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))
    return min(max((1 - 2 * differing / BITS) * math.sqrt(math.pi / 2), -1), 1)


def asked(gist: bytes) -> NDArray[np.float32]:
    """The question whose signs are these bits, all alike in size."""
    bits = np.unpackbits(np.frombuffer(gist, np.uint8)).astype(np.float32)
    return np.asarray((2 * bits - 1) / np.float32(math.sqrt(BITS)))


def written_out(lines: list[Line], query: set[int], gist: bytes) -> list[tuple[float, bool]]:
    """Score and relevance of every line, by DESIGN's formula."""
    entity = written_out_bm25([line.terms for line in lines], query)
    like = [max([likeness(one, gist) for one in line.gists], default=-1.0) for line in lines]
    direct = [e > 0 or g >= GIST_FLOOR for e, g in zip(entity, like, strict=True)]
    numbers = sorted({line.session for line in lines})
    documents = [[t for line in lines if line.session == s for t in line.terms] for s in numbers]
    of_session = dict(zip(numbers, relative(written_out_bm25(documents, query)), strict=True))
    positive = relative([max(one, 0.0) for one in like])
    own = [e + WEIGHTS.gist * g for e, g in zip(relative(entity), positive, strict=True)]
    given = [
        one * WEIGHTS.brevity / (WEIGHTS.brevity + len(line.terms))
        for one, line in zip(own, lines, strict=True)
    ]
    results = []
    for place, line in enumerate(lines):
        same = [p for p, other in enumerate(lines) if other.session == line.session]
        before = [p for p in same if p < place][-1:]
        after = [p for p in same if p > place][:1]
        score = (
            own[place]
            + sum(WEIGHTS.previous * given[p] for p in before)
            + sum(WEIGHTS.following * given[p] for p in after)
            + WEIGHTS.session * of_session[line.session]
            + WEIGHTS.speaker * bool(SPEAKERS[line.speaker].matched(query))
        )
        results.append((score, any(direct[p] for p in [place, *before, *after])))
    alike = max(like)
    sure = max(written_out_coverage(lines, query), alike if alike >= ALIKE else 0.0)
    best = max(score for score, _ in results)
    return [
        (sure * score / best if best else 0.0, relevant and sure >= LEAST)
        for score, relevant in results
    ]


@given(
    lines=st.lists(LINES, min_size=1, max_size=12),
    query=st.sets(st.integers(0, 9), max_size=5),
    gist=GISTS,
    parts=st.integers(1, 4),
)
@settings(max_examples=150, deadline=None)
def test_scores_are_the_formula(
    lines: list[Line], query: set[int], gist: bytes, parts: int
) -> None:
    index = Index(ScopeState(1, 0), GIST_BYTES)
    index.speakers = SPEAKERS
    rows = [
        (
            place + 1,
            line.session,
            line.speaker,
            place,
            b"".join(line.gists),
            b"".join(term.to_bytes(3) for term in sorted(line.terms)),
        )
        for place, line in enumerate(lines)
    ]
    for start in range(0, len(rows), parts):
        index.add(columns(*rows[start : start + parts]))
    snapshot = index.snapshot()
    told = [
        (place, term, count)
        for place, line in enumerate(lines)
        for term, count in Counter(line.terms).items()
    ]
    terms, owners, counts = unpack(snapshot.postings)
    assert sorted(zip(owners, terms, counts, strict=True)) == sorted(told)
    question = Question(frozenset(query), named=speakers_named(snapshot.speakers, query))
    evidence = weigh(snapshot, question, gist_likeness(snapshot, asked(gist)))
    expected = written_out(lines, query, gist)
    assert evidence.score.tolist() == pytest.approx([score for score, _ in expected], abs=1e-6)
    assert evidence.relevant.tolist() == [relevant for _, relevant in expected]
    assert all(0 <= score <= 1 + 1e-9 for score in evidence.score)


def test_the_best_possible_turn_scores_one() -> None:
    index = Index(ScopeState(1, 0), GIST_BYTES)
    index.speakers = SPEAKERS
    term = (1).to_bytes(3)
    index.add(columns(*((i, 1, 1, i, bytes(5), term) for i in (1, 2, 3))))
    snapshot = index.snapshot()
    question = Question(frozenset([1]), named=frozenset([0]))
    evidence = weigh(snapshot, question, gist_likeness(snapshot, asked(bytes(5))))
    assert evidence.score[1] == pytest.approx(1.0)
    assert evidence.score[0] < 1


SPANS = (Span(100, 110), Span(500, 510))


def timed() -> Snapshot:
    index = Index(ScopeState(1, 0), GIST_BYTES)
    index.speakers = SPEAKERS
    times = (80, 99, 100, 109, 120)
    index.add(columns(*((i, i, 2, time, b"", b"") for i, time in enumerate(times))))
    index.add(columns((9, 9, 2, 105, bytes(5), b"\0\0\1")))
    return index.snapshot()


def test_time_counts_inside_a_span_and_fades_outside() -> None:
    snapshot = timed()
    alike = gist_likeness(snapshot, asked(bytes(5)))
    question = Question(frozenset([1]), spans=SPANS)
    evidence = weigh(snapshot, question, alike)
    # The last turn is the best one; it has entity, gist and session beside time, and scores 1.
    weight = WEIGHTS.time / (WEIGHTS.entity + WEIGHTS.gist + WEIGHTS.session + WEIGHTS.time)
    fading = [2**-2, 2**-0.1, 1, 1, 2**-1.1, 1]
    found = [evidence.of(position)["time"] for position in range(len(fading))]
    assert found == pytest.approx([weight * part for part in fading])
    assert evidence.relevant.tolist() == [False] * 5 + [True]
    assert all(0 <= score <= 1 + 1e-9 for score in evidence.score)
    without = weigh(snapshot, question, alike, WEIGHTS.without("time"))
    plain = weigh(snapshot, Question(frozenset([1])), alike)
    assert without.score.tolist() == plain.score.tolist()
    assert without.relevant.tolist() == plain.relevant.tolist()


def test_half_of_time_has_a_fading_of_its_own() -> None:
    snapshot = timed()
    question = Question(frozenset([1]), spans=(Span(105, 10**18, 10),))
    evidence = weigh(snapshot, question, gist_likeness(snapshot, asked(bytes(5))))
    found = np.array([evidence.of(position)["time"] for position in range(6)])
    assert found / found[-1] == pytest.approx([2**-2.5, 2**-0.6, 2**-0.5, 1, 1, 1])


def test_whatever_was_said_at_a_time_is_there_newest_first() -> None:
    snapshot = timed()
    alike = gist_likeness(snapshot, asked(bytes(5)))
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
    index = Index(ScopeState(1, 0), GIST_BYTES)
    index.speakers = SPEAKERS
    index.add(columns((1, 1, 1, 5, bytes(5), b"\0\0\1")))
    snapshot = index.snapshot()
    index.add(columns(*((i, 2, 2, 6, b"\1" * 10, b"\0\0\2" * 3) for i in range(2, 2000))))
    assert snapshot.ids.tolist() == [1]
    assert [part.tolist() for part in unpack(snapshot.postings)] == [[1], [0], [1]]
    assert len(snapshot.speakers) == len(snapshot.sessions) == 1
    assert {len(word) for word in index.snapshot().gists} == {1 + 2 * 1998}
