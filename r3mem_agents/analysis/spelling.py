"""Normalization of characters, and the other spellings of a word."""

from __future__ import annotations

import unicodedata

import regex

APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4\u05f3\uff07", "'"))

# Zero-width spaces and joiners, soft hyphens, variation selectors, direction marks.
INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")

FOREIGN_DIGIT = regex.compile(r"[\p{Nd}--0-9]", regex.V1)

# Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic signs: marks that people leave out.
# The breve of a Cyrillic short i makes it another letter, and marks of other scripts are vowels.
ACCENT = regex.compile(
    "(?<!\u0438)\u0306|[\u0300-\u0305\u0307-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]"
)

# Letters that Unicode does not decompose.
PLAIN = str.maketrans(
    {
        "\u00e6": "ae",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u00fe": "th",
        "\u0111": "d",
        "\u0127": "h",
        "\u0131": "i",
        "\u0142": "l",
        "\u0153": "oe",
        "\u0640": None,  # Arabic's stretching line
    }
)

# Without its letter, German writes "ue", Danish "oe", Norwegian "aa".
PAIRED = str.maketrans(
    {"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00f8": "oe", "\u00e5": "aa"}
)


def uniform(text: str) -> str:
    """Normalize a text: compatible forms, plain apostrophes and digits, nothing invisible.

    Args:
        text: Any text.
    """
    visible: str = INVISIBLE.sub("", text.translate(APOSTROPHES))
    plain = unicodedata.normalize("NFKC", visible)
    latin: str = FOREIGN_DIGIT.sub(lambda digit: _decimal(digit[0]), plain)
    return latin


def _decimal(digit: str) -> str:
    # Python's tables may be older than those of regex.
    value = unicodedata.decimal(digit, None)
    return digit if value is None else str(value)


def casefolded(word: str) -> str:
    """Return a casefolded word; accents kept."""
    return unicodedata.normalize("NFKC", word.casefold())


def unaccented(word: str) -> str:
    """Return a casefolded word without accents."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", ACCENT.sub("", apart)).translate(PLAIN)


def paired(word: str) -> str:
    """Return a casefolded word with "ue" for "ü", and the like."""
    return unaccented(word.translate(PAIRED))
