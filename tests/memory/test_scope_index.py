"""Rows of a store become arrays without text, and the names of speakers stand beside them."""

from __future__ import annotations

import numpy as np

from r3mem_agents.analysis.terms import ASKS
from r3mem_agents.lookup.postings import unpack
from r3mem_agents.lookup.snapshot import USER
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import SpeakerName
from r3mem_agents.memory.scope_index import ScopeIndex
from r3mem_agents.memory.term_hashes import hashed, hashed_terms
from r3mem_agents.store import IndexColumns, ScopeState, Terms

OBFUSCATOR = Obfuscator(bytes(32))
GIST_BYTES = 5  # no multiple of a word, so padding is covered too


def rows(*terms: bytes, speakers: tuple[int, ...], gists: tuple[bytes, ...]) -> IndexColumns:
    ids = np.arange(1, len(terms) + 1)
    sizes = np.array([len(each) for each in gists])
    who = np.array(speakers)
    return IndexColumns(ids, ids * 0, who, ids, b"".join(gists), sizes, Terms.of(terms))


def test_what_asks_is_a_bit_and_no_term() -> None:
    index = ScopeIndex(ScopeState(1, 0), OBFUSCATOR, GIST_BYTES)
    asks = OBFUSCATOR.term(ASKS)
    said = rows(b"\0\0\3\0\0\4" + asks, b"\0\0\3", speakers=(1, 1), gists=(b"", b""))
    index.add(said, {1: SpeakerName("user", None)})
    turns = index.snapshot(0).turns
    assert turns.asks.tolist() == [True, False]
    assert turns.lengths.tolist() == [2, 1]
    assert hashed(OBFUSCATOR, ASKS) not in unpack(turns.postings)[0].tolist()


def test_gists_are_padded_to_words() -> None:
    index = ScopeIndex(ScopeState(1, 0), OBFUSCATOR, GIST_BYTES)
    gists = (b"\1\2\3\4\5" + b"\6" * 5, b"\7" * 5)
    index.add(rows(b"", b"", speakers=(1, 1), gists=gists), {1: SpeakerName("user", None)})
    turns = index.snapshot(0).turns
    [words] = turns.gists
    assert turns.gist_turn.tolist() == [0, 0, 1]
    padded = b"\1\2\3\4\5\0\0\0" + b"\6" * 5 + bytes(3) + b"\7" * 5 + bytes(3)
    assert words.astype(np.uint64).tobytes() == padded


def test_speakers_are_numbers_whose_names_stand_beside_them() -> None:
    index = ScopeIndex(ScopeState(1, 0), OBFUSCATOR, GIST_BYTES)
    names = {
        5: SpeakerName("tool", None),
        3: SpeakerName("user", "Dr. Jones"),
        9: SpeakerName("tool", "Search"),
    }
    assert index.unnamed(np.array([3, 5, 5])) == {3, 5}
    index.add(rows(b"", b"", b"", speakers=(5, 3, 9), gists=(b"",) * 3), names)
    assert index.unnamed(np.array([3, 5, 8])) == {8}
    scope = index.snapshot(0)
    tool, user, search = scope.turns.speakers
    assert user.role == USER != tool.role == search.role
    assert [scope.speaker(number) for number in range(3)] == list(names.values())
    assert scope.labels([2, 1, 0]) == ["tool", "Dr. Jones", "Search"]
    assert user.matched(hashed_terms(OBFUSCATOR, "jones")) == hashed_terms(OBFUSCATOR, "Jones")
