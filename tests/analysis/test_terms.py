from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.analysis.terms import terms
from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.timestamps import from_integers, to_integers

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


@given(ANY_TEXT)
def test_what_is_sealed_is_opened(text: str) -> None:
    obfuscator = Obfuscator(b"0123456789abcdef")
    sealed = obfuscator.hide(text)
    assert obfuscator.reveal(sealed) == text
    if len(text) > 3:
        assert text.encode() not in sealed


def test_incompressible_values_are_hidden_too() -> None:
    # Deflate alone would store these bytes as they are.
    text = "\u9f98\u9f99\u9f9a\u9f9b\u9f9c\u9f9d" * 2 + "\u7345\u5b50\u5927\u65e5"
    sealed = Obfuscator(b"0123456789abcdef").hide(text)
    assert not any(letter.encode() in sealed for letter in text)


@pytest.mark.parametrize("damaged", [b"", b"\x00", b"nonsense", b"\xff" * 40])
def test_damaged_values_are_reported(damaged: bytes) -> None:
    with pytest.raises(StoreCorruptError, match="copy"):
        Obfuscator(b"0123456789abcdef").reveal(damaged)


def test_hashes_depend_on_the_key_and_the_kind() -> None:
    one, other = Obfuscator(b"a" * 16), Obfuscator(b"b" * 16)
    assert one.digest("user", "alice") != other.digest("user", "alice")
    assert one.digest("user", "alice") != one.digest("agent", "alice")
    assert one.term("dog") != other.term("dog")
    assert one.hide("alice") != other.hide("alice")


@pytest.mark.parametrize("time", [datetime.min, datetime.max])
def test_the_ends_of_time(time: datetime) -> None:
    aware = time.replace(tzinfo=UTC)
    assert from_integers(*to_integers(aware)) == aware
