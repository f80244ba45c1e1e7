"""Stems of words, by Snowball or by a list of endings."""

from __future__ import annotations

import threading

import regex
import Stemmer

from r3mem_agents.analysis.spelling import unaccented

SNOWBALL = {
    "ar": "arabic",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""Snowball's names of its stemmers. Older releases lack some of them; then a word is its own stem,
and its forms are found by its beginning."""

# Ukrainian has the endings of Russian in other letters, and so nearly have its neighbours.
_AS_RUSSIAN = str.maketrans("іїєґў", "ииегу")

# Particles and the most common polite endings, which follow a Korean noun without a space.
_PARTICLE = regex.compile(
    "(?:에게서|으로서|으로써|이라고|에서는|에서도|으로는|으로도|까지|부터|에서|에게|한테|으로|이나|이랑"
    "|하고|처럼|보다|마다|조차|밖에|라고|이란|에는|에도|과의|와의"
    "|은|는|이|가|을|를|에|의|로|와|과|도|만|나|랑|야|요)$"
)
_MIN_SYLLABLES = 2

_local = threading.local()


def stem(word: str, language: str) -> str:
    """Return a casefolded word without its endings, and without accents unless it is English.

    Args:
        word: A word, or a part of one.
        language: The language of the endings.
    """
    if language == "en":
        return _snowball(word, language)
    plain = unaccented(word)
    if language == "ko":
        bare = _PARTICLE.sub("", plain)
        return bare if len(bare) >= _MIN_SYLLABLES else plain
    return _snowball(plain.translate(_AS_RUSSIAN) if language == "ru" else plain, language)


def _snowball(word: str, language: str) -> str:
    # A stemmer keeps a cache without a lock, so each thread has its own.
    stemmers: dict[str, Stemmer.Stemmer | None] = _local.__dict__.setdefault("stemmers", {})
    if language not in stemmers:
        name = SNOWBALL.get(language)
        known = name in Stemmer.algorithms()
        stemmers[language] = Stemmer.Stemmer(name) if known else None
    stemmer = stemmers[language]
    return word if stemmer is None else str(stemmer.stemWord(word))
