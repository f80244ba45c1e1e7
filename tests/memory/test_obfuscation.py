"""No word of a name lies in the database, and it comes back under the same secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.lookup.hashes import OPEN_BITS
from r3mem_agents.memory.obfuscation import Obfuscator

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY_TEXT)
def test_what_is_hidden_is_revealed(text: str) -> None:
    obfuscator = Obfuscator(b"0123456789abcdef")
    hidden = obfuscator.hide(text)
    assert obfuscator.reveal(hidden) == text
    if len(text) > 3:
        assert text.encode() not in hidden


def test_incompressible_values_are_hidden_too() -> None:
    # Deflate alone would store these bytes as they are.
    text = "\u9f98\u9f99\u9f9a\u9f9b\u9f9c\u9f9d" * 2 + "\u7345\u5b50\u5927\u65e5"
    hidden = Obfuscator(b"0123456789abcdef").hide(text)
    assert not any(letter.encode() in hidden for letter in text)


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


OBFUSCATOR = Obfuscator(b"0123456789abcdef")


@given(st.text(max_size=6), st.text(max_size=9), st.text(max_size=9))
def test_terms_with_one_prefix_begin_alike(prefix: str, one: str, other: str) -> None:
    first, second = (int.from_bytes(OBFUSCATOR.prefixed(prefix, text)) for text in (one, other))
    assert first >> OPEN_BITS == second >> OPEN_BITS
    assert (first == second) == (
        OBFUSCATOR.term(one)[1] & 15 == OBFUSCATOR.term(other)[1] & 15
        and OBFUSCATOR.term(one)[2] == OBFUSCATOR.term(other)[2]
    )
