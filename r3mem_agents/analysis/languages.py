"""Language identification by script and function words, without a model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files

import regex

from r3mem_agents.analysis.spelling import casefolded
from r3mem_agents.analysis.stopwords import STOP_WORDS

ENGLISH = "en"

SCRIPTS = {
    r"\p{Cyrillic}": ("ru", "uk"),
    r"\p{Arabic}": ("ar", "fa"),
    r"\p{Devanagari}": ("hi",),
    r"\p{Hangul}": ("ko",),
    r"\p{Thai}": ("th",),
    r"[\p{Hiragana}\p{Katakana}]": ("ja",),
}
"""The languages of a script. A text with Chinese characters and no kana is Chinese."""

LATIN = (
    "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "vi", "id",
    "sv", "da", "cs", "fi", "ro", "hu",
)  # fmt: skip
"""Languages written in Latin letters, other than English."""

ENGLISH_TOO = STOP_WORDS.union(
    """
    ad af ai allen au az ben bent bin care chi co com come comment contra da dan dat de del der di
    die dies dig dine dir door dos ed el em end era eu face ga go ha han hans hat hay ho im ins ja
    jo kim kit la las los ma man mas meg men met mi mia min mina mine mint mit mod mon na nas ned
    nic non notre nu ok one op pan par para per plus po por pour prima pro sa sea sin sit size sol
    son su sue ta te ten ti til till ton train un van var vi vid vil volt wat wil will yo ya
    """.split(),  # noqa: SIM905 - as for stop words
    "abcdefghijklmnopqrstuvwxyz",
)
"""Function words of other languages that occur in English texts too, for instance in names: a few
of them alone do not identify another language."""

TOGETHER = 1
"""Up to this many of them identify nothing."""

LETTERS = {
    "de": "ß", "pt": "ãõ", "pl": "ąćęłńśźż", "tr": "ğış", "cs": "ěřů", "ro": "ășț", "hu": "őű",
    "vi": "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}  # fmt: skip
"""Letters that identify a language as a function word does."""

_SCRIPT = {regex.compile(script): languages for script, languages in SCRIPTS.items()}
LONGEST_SUFFIX = 2
"""If it is longer, what follows an apostrophe is a word of its own, as in "qu'est"."""

_LETTERS = frozenset("".join(LETTERS.values()))
_HAN = regex.compile(r"\p{Han}")
_WORD = regex.compile(r"[\p{L}\p{M}]+(?:'[\p{L}\p{M}]+)*")
_NOT_LATIN = regex.compile(r"[\p{L}--\p{Latin}]", regex.V1)


def told_languages(text: str) -> tuple[str, ...]:
    """Identify the languages that a text may be in by its script and its function words.

    There are several where the evidence is ambiguous: two languages share the words, or the text
    mixes two. There is none without evidence.

    Args:
        text: Any text, in compatible forms (``uniform``).
    """
    plain = casefolded(text)
    words = set(_WORD.findall(plain))
    for word in [one for one in words if "'" in one and one not in STOP_WORDS]:
        first, *others = word.split("'")
        words.update((first, *(one for one in others if len(one) > LONGEST_SUFFIX)))
    if not text.isascii():
        words.update(_LETTERS.intersection(plain))
    found = list(_latin(words))
    if not text.isascii() and _NOT_LATIN.search(text):
        for script, languages in _SCRIPT.items():
            if script.search(text):
                found += _most(words, languages)
        if "ja" not in found and _HAN.search(text):
            found.append("zh")
    return tuple(found)


def latin_language(told: Iterable[str]) -> str:
    """Return the language of a text in Latin letters."""
    return next((one for one in told if one in LATIN), ENGLISH)


def function_words(languages: Iterable[str]) -> frozenset[str]:
    """Return the words that find no turn: those of English where no language is identified."""
    found = [STOP_WORDS if one == ENGLISH else _lists()[one] for one in languages]
    return frozenset[str]().union(*found) if found else STOP_WORDS


def _latin(words: Collection[str]) -> Iterable[str]:
    # English, unless another language has more of the words.
    english = _english().intersection(words)
    owners = _owners()
    known = [word for word in words if word in owners]
    if ENGLISH_TOO.issuperset(known):  # letters are written alone in English too
        known = [word for word in known if len(word) > 1]
        least = max(len(english), TOGETHER)
    else:
        least = len(english)
    score = Counter[str](language for word in known for language in owners[word])
    most = max(score.values(), default=0)
    if most > least:
        return [language for language in LATIN if score[language] == most]
    return [ENGLISH] if english else []


def _most(words: Collection[str], languages: tuple[str, ...]) -> tuple[str, ...]:
    counts = {one: len(_lists()[one].intersection(words)) for one in languages}
    most = max(counts.values())
    return tuple(one for one, count in counts.items() if count == most)


@cache
def _english() -> frozenset[str]:
    # What identifies English: its function words, and its most common words that no other language
    # has.
    return STOP_WORDS.union(_lists()[ENGLISH])


@cache
def _owners() -> Mapping[str, tuple[str, ...]]:
    # Languages in Latin letters by their function words.
    found: dict[str, tuple[str, ...]] = {}
    for language in LATIN:
        for word in _lists()[language].union(LETTERS.get(language, "")):
            found[word] = (*found.get(word, ()), language)
    return found


@cache
def _lists() -> Mapping[str, frozenset[str]]:
    text = files("r3mem_agents.analysis").joinpath("function_words.json").read_text("utf-8")
    return {
        language: frozenset(casefolded(listed).split())
        for language, listed in json.loads(text).items()
    }
