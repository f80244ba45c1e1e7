"""Languages are told by their words, and have terms of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.terms import indexed_terms, terms
from r3mem_agents.analysis.words import spelled

DOCS = Path(__file__).parents[2] / "docs/lookup.md"


LATIN_WORDS = st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), max_size=8)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "What is the name of my dog?"),
        ("de", "Wie heißt mein Hund?"),
        ("fr", "Comment s'appelle mon chien ?"),
        ("es", "¿Cómo se llama mi perro?"),
        ("it", "Come si chiama il mio cane?"),
        ("pt", "Como se chama o meu cachorro? Não sei."),
        ("nl", "Hoe heet mijn hond?"),
        ("pl", "Jak się nazywa mój pies?"),
        ("ru", "Как зовут мою собаку? Ты это знаешь?"),
        ("uk", "Як звати мого собаку?"),
        ("tr", "Benim köpeğimin adı nedir?"),
        ("ar", "ما هو اسم كلبي؟"),
        ("hi", "मेरे कुत्ते का नाम क्या है?"),
        ("zh", "我的狗叫什么名字?"),
        ("ja", "私の犬の名前は何ですか?"),
        ("ko", "내 강아지 이름이 뭐예요?"),
        ("th", "หมาของฉันชื่ออะไร"),
        ("vi", "Con chó của tôi tên là gì?"),
        ("id", "Siapa nama anjing saya?"),
    ],
)
def test_a_language_is_told_by_its_script_and_its_function_words(language: str, text: str) -> None:
    assert told_languages(text) == (language,)


@given(LATIN_WORDS)
def test_english_has_the_terms_of_english(found: list[str]) -> None:
    text = "what did they say about " + " ".join(found)
    if told_languages(text) == ("en",):
        assert not any(term.startswith(("~", "@")) for term in indexed_terms(text))


@given(
    LATIN_WORDS, st.sampled_from(["Das ist nicht so.", "C'est ça.", "Это здесь.", "Bu çok iyi."])
)
def test_no_word_has_more_terms_than_spellings(found: list[str], start: str) -> None:
    text = uniform(f"{start} {' '.join(found)}")
    kept = list(spelled(text, told_languages(text)))
    parts = sum(len(spelling) for word in kept for spelling in word)
    assert len(terms(text)) <= parts
    assert len(indexed_terms(text)) <= parts + 1  # and the language


def test_the_documented_terms_are_true() -> None:
    others = DOCS.read_text("utf-8").partition("## Words of other")[2].partition("## What dec")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| .+ \|$", others, re.MULTILINE)
    assert len(rows) > 9
    for text, told in rows:
        assert terms(text) == re.findall(r"`(.+?)`", told)
