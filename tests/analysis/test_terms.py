from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.analysis.terms import terms

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is my dog called?", ["dog", "call"]),
        ("Dogs, DOG's and dog\u2019s", ["dog", "dog", "dog"]),
        ("LX1842 at 07:35 for 3.50", ["lx1842", "lx", "1842", "07", "35", "3.50", "3", "50"]),
        ("alice@example.org", ["alic", "exampleorg", "exampl", "org"]),
        ("MAX_RETRY", ["maxretri", "max", "retri"]),
        ("Will may sell", ["will", "may", "sell"]),
        ("I don't, won't, mustn't", []),
        ("STRASSE stra\u00dfe", ["strass", "strass"]),
        ("cafe\u0301s caf\u00e9", ["caf\u00e9", "cafe"] * 2),
        ("\u041c\u043e\u0441\u043a\u0432\u0430", ["~\u043c\u043e\u0441\u043a\u0432"]),
        ("\u0439\u043e\u0433", ["~\u0439\u043e\u0433"]),
        ("\u6771\u4eac\u90fd", ["~\u6771\u4eac", "~\u4eac\u90fd"]),
        ("\u732b", ["~\u732b"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", ["~\u0939\u093f\u0928\u094d\u0926"]),
        ("2023-05-07, 7.5.2023", ["2023", "05", "07", "7", "5", "2023"]),
        ("a1b2c3d4e5f6", ["a1b2c3d4e5f6"]),
        ("\U0001e4f0", ["\U0001e4f0"]),  # a digit that is younger than Python 3.11's tables
        ("?! ... \n\t", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(ANY_TEXT)
def test_what_nobody_sees_does_not_matter(text: str) -> None:
    assert terms("\u200b\u00ad".join(text)) == terms(text)


@given(st.from_regex(r"[a-z]{2,9}( [a-z]{2,9}){0,4}", fullmatch=True))
def test_case_does_not_matter(text: str) -> None:
    assert terms(text) == terms(text.upper()) == terms(text.title())


def test_terms_in_many_threads_are_the_same() -> None:
    words = [f"running{i} quickly{i} connections" for i in range(300)]
    expected = [terms(text) for text in words]
    found: list[bool] = []

    def work() -> None:
        found.append([terms(text) for text in words] == expected)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
