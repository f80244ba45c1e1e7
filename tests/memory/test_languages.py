"""Words are found in other forms, and what nothing answers is not, in any language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory
from r3mem_agents.analysis.dates.spans import find_dates
from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.terms import indexed_terms, terms
from r3mem_agents.analysis.words import spelled
from r3mem_agents.lookup.hashes import OPEN_BITS
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_words import asked_words
from r3mem_agents.timestamps import Span
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

DOCS = Path(__file__).parents[2] / "docs/lookup.md"
OBFUSCATOR = Obfuscator(b"0123456789abcdef")
LATIN_WORDS = st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), max_size=8)


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    fake: Any = FakeModel()
    return open_memory(model=fake)


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


FORMS = [
    ("Ich habe morgen einen Zahnarzttermin.", "Wann ist der Zahnarzt?"),
    ("Der Termin beim Zahnarzt ist um neun.", "Wann ist der Zahnarzttermin?"),
    ("Nous avons adopté deux chattes.", "Quelle chatte avons-nous adoptée ?"),
    ("Ayer compramos unas bicicletas rojas.", "¿De qué color es la bicicleta?"),
    ("Мы снова выгуляли собаку.", "Где моя собака?"),
    ("Ми купили новий велосипед.", "Який у нас був велосипеда колір?"),
    ("Kupiliśmy czerwony samochód.", "Gdzie są nasze samochody?"),
    ("Köpeğimiz bahçede uyuyor ve mutlu.", "Bizim köpek nerede?"),
    ("قرأت الكتاب في البيت", "أين كتاب؟"),
    ("मेरी किताबें मेज पर हैं", "किताब कहाँ है?"),
    ("고양이는 소파에서 자요.", "고양이가 어디에 있어요?"),
    ("我家的猫在沙发上睡觉。", "猫在哪里?"),
    ("猫がソファーで寝ています。", "猫はどこですか?"),
    ("แมวของฉันนอนบนโซฟา", "แมวอยู่ที่ไหน"),
    ("Tôi có hẹn với nha sĩ vào thứ sáu.", "Khi nào gặp nha sĩ?"),
    ("Sepedanya sudah dicuri, sayang sekali.", "Di mana sepeda saya?"),
]
OTHERS = (
    "Ok.", "Das Wetter war schön.", "Il pleut encore.", "La reunión fue larga.", "Было холодно.",
    "Hava çok sıcak ve güzel.", "الجو حار اليوم", "आज मौसम अच्छा है", "오늘은 추워요.", "今天很冷。",
    "今日は寒いです。", "วันนี้อากาศร้อน", "Hôm nay trời lạnh.", "Cuaca hari ini panas.",
)  # fmt: skip


@pytest.mark.parametrize(("told", "question"), FORMS)
def test_a_word_is_found_in_another_form(
    memory: CompressiveMemory, told: str, question: str
) -> None:
    for text in (*OTHERS, told):
        memory.remember("user", text)
    hits = memory.recall(question, k=1, explain=True)
    assert [hit.text for hit in hits] == [told]
    assert hits[0].explanation is not None
    assert hits[0].explanation.evidence["words"].log_odds > 0


@pytest.mark.parametrize("told", [told for told, _ in FORMS])
def test_every_word_of_a_turn_finds_it(memory: CompressiveMemory, told: str) -> None:
    for text in (*OTHERS, told):
        memory.remember("user", text)
    text = uniform(told)
    for word in dict.fromkeys(spelled(text, told_languages(text))):
        hits = memory.recall(word[0][0], explain=True)
        assert told in [hit.text for hit in hits if hit.explanation and hit.explanation.said]


@pytest.mark.parametrize(
    ("language", "turn", "question"),
    [
        ("de", "Mein Hund Rex ist krank.", "What did the vet say about Rex?"),
        ("en", "My dog Rex is ill.", "Was hat der Tierarzt über Rex gesagt?"),
        ("tr", "Köpeğim Rex'i veterinere götürdüm.", "Rex"),
        ("ru", "Мой пёс Рекс заболел.", "What about Рекс?"),
    ],
)
def test_names_are_found_across_languages(
    memory: CompressiveMemory, language: str, turn: str, question: str
) -> None:
    assert language in told_languages(turn)
    for text in (*OTHERS, turn):
        memory.remember("user", text)
    assert memory.recall(question)[0].text == turn


def test_the_word_itself_counts_more_than_what_begins_alike(memory: CompressiveMemory) -> None:
    said = ("Die Brille ist beim Augenarzt.", "Der Augenblick ist schön.", "Das Auto ist neu.")
    for text in said:
        memory.remember("user", text, session=text)
    hits = memory.recall("Was sagt der Augenarzt?", explain=True)
    worth = {
        hit.text: hit.explanation.evidence["words"].log_odds for hit in hits if hit.explanation
    }
    assert worth[said[0]] > 1.5 * worth[said[1]] > 0
    assert said[2] not in worth or worth[said[2]] == 0


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


@given(st.text(max_size=6), st.text(max_size=9), st.text(max_size=9))
def test_terms_with_one_prefix_begin_alike(prefix: str, one: str, other: str) -> None:
    first, second = (int.from_bytes(OBFUSCATOR.prefixed(prefix, text)) for text in (one, other))
    assert first >> OPEN_BITS == second >> OPEN_BITS
    assert (first == second) == (
        OBFUSCATOR.term(one)[1] & 15 == OBFUSCATOR.term(other)[1] & 15
        and OBFUSCATOR.term(one)[2] == OBFUSCATOR.term(other)[2]
    )


def test_the_documented_terms_are_true() -> None:
    others = DOCS.read_text("utf-8").partition("## Words of other")[2].partition("## What dec")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| .+ \|$", others, re.MULTILINE)
    assert len(rows) > 9
    for text, told in rows:
        assert terms(text) == re.findall(r"`(.+?)`", told)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("苹果香蕉橙子葡萄", 3.5),
        ("apples bananas oranges grapes", 4),
        ("사과 바나나 오렌지 포도", 4),
    ],
)
def test_pairs_of_letters_are_half_a_word_each(question: str, words: float) -> None:
    asked = [one.word for one in asked_words(OBFUSCATOR, question, ())]
    pairs = sum(len(word.halves) for word in asked)
    assert sum(len(word.spellings[0]) for word in asked) - pairs / 2 == words


def test_a_word_of_five_is_no_answer_in_chinese_either(memory: CompressiveMemory) -> None:
    for text in OTHERS:
        memory.remember("user", text)
    memory.remember("user", "We bought bananas.")
    memory.remember("user", "买了香蕉。")
    english = memory.recall("apples bananas oranges grapes melons", explain=True).explanation
    chinese = memory.recall("苹果香蕉橙子葡萄西瓜", explain=True).explanation
    assert english is not None and chinese is not None
    assert english.words[1] == "bananas"
    assert chinese.words[2] == "香蕉"
    assert chinese.sureness < 1.5 * english.sureness


@pytest.mark.parametrize("text", ["ɸʘ ǃxóõ", "mixed Привет 你好 hello วันนี้", "\u0b85 \ua9a9" * 9])
def test_any_script_is_taken(memory: CompressiveMemory, text: str) -> None:
    memory.remember("user", text)
    assert memory.recall(text)[0].text == text
    memory.recall("Wie " + f"{text} " * 3_000)
    assert memory.verify().ok


NOW = datetime(2023, 11, 27, 12, tzinfo=UTC)
TURNS = Span(1_609_459_200_000_000, 1_701_086_400_000_000)  # 2021 to now


def day(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("Was hat Marta am 3. Mai 2023 gesagt?", (2023, 5, 3), (2023, 5, 4)),
        ("Was passierte gestern?", (2023, 11, 26), (2023, 11, 27)),
        ("Was hat sie vor dem 3. Mai gesagt?", None, (2023, 5, 3)),
        ("Was geschah vor zwei Jahren?", (2021, 1, 1), (2022, 1, 1)),
        ("Was haben wir seit Mai gemacht?", (2023, 5, 1), None),
        ("Was war zwischen März und Mai?", (2023, 3, 1), (2023, 6, 1)),
        ("Qu'a-t-elle dit avant le 3 mai ?", None, (2023, 5, 3)),
        ("Qu'est-ce qui s'est passé entre mars et mai ?", (2023, 3, 1), (2023, 6, 1)),
        ("¿Qué dijo después del 3 de mayo de 2023?", (2023, 5, 4), None),
        ("¿Qué hicimos desde marzo hasta mayo?", (2023, 3, 1), (2023, 6, 1)),
        ("Cosa ha detto prima di maggio?", None, (2023, 5, 1)),
        ("O que ela disse depois de maio?", (2023, 6, 1), None),
        ("Wat zei ze vóór mei?", None, (2023, 5, 1)),
        ("Что она сказала до 3 мая?", None, (2023, 5, 3)),
        ("Что она говорила между 3 мая 2023 и 5 мая 2023?", (2023, 5, 3), (2023, 5, 6)),
        ("她在5月之前说了什么?", None, (2023, 5, 1)),
        ("5月3日以降に何を話しましたか", (2023, 5, 4), None),
        ("3月から5月まで何をしましたか", (2023, 3, 1), (2023, 6, 1)),
        ("Co powiedziała w maju?", (2023, 5, 1), (2023, 6, 1)),
        ("Що вона сказала вчора?", (2023, 11, 26), (2023, 11, 27)),
        ("어제 뭐라고 했어요?", (2023, 11, 26), (2023, 11, 27)),
        ("उसने 3 मई 2023 को क्या कहा?", (2023, 5, 3), (2023, 5, 4)),
        ("Hôm qua cô ấy nói gì?", (2023, 11, 26), (2023, 11, 27)),
        ("Que s'est-il passé il y a trois jours ?", (2023, 11, 24), (2023, 11, 25)),
        ("¿Qué pasó hace tres días?", (2023, 11, 24), (2023, 11, 25)),
        ("¿A quién vi el año pasado?", (2022, 1, 1), (2023, 1, 1)),
        ("Chi ho visto l'anno scorso?", (2022, 1, 1), (2023, 1, 1)),
        ("Wat gebeurde er vorige maand?", (2023, 10, 1), (2023, 11, 1)),
        ("Gdzie byłem w zeszłym miesiącu?", (2023, 10, 1), (2023, 11, 1)),
        ("Что она сказала в мае?", (2023, 5, 1), (2023, 6, 1)),
        ("Кого я бачив минулого року?", (2022, 1, 1), (2023, 1, 1)),
        ("Üç gün önce ne oldu?", (2023, 11, 24), (2023, 11, 25)),
        ("Mayıs ayında ne dedi?", (2023, 5, 1), (2023, 6, 1)),
        ("ماذا حدث قبل ثلاثة أيام؟", (2023, 11, 24), (2023, 11, 25)),
        ("मैंने पिछले सप्ताह क्या किया?", (2023, 11, 20), (2023, 11, 27)),
        ("三天前发生了什么?", (2023, 11, 24), (2023, 11, 25)),
        ("5月3日发生了什么?", (2023, 5, 3), (2023, 5, 4)),
        ("我十二月二十三号说了什么?", (2022, 12, 23), (2022, 12, 24)),
        ("10月4日到11月5日之间我说了什么?", (2023, 10, 4), (2023, 11, 6)),
        ("二十天前发生了什么?", (2023, 11, 7), (2023, 11, 8)),
        ("10月4日に何がありましたか?", (2023, 10, 4), (2023, 10, 5)),
        ("12月24日に何を言った?", (2022, 12, 24), (2022, 12, 25)),
        ("先月どこにいましたか?", (2023, 10, 1), (2023, 11, 1)),
        ("지난주에 뭐 했어?", (2023, 11, 20), (2023, 11, 27)),
        ("เดือนที่แล้วฉันอยู่ที่ไหน", (2023, 10, 1), (2023, 11, 1)),
        ("Apa yang dia katakan pada bulan Mei?", (2023, 5, 1), (2023, 6, 1)),
    ],
)
def test_dates_are_read_in_the_language_of_the_question(
    question: str, start: tuple[int, int, int] | None, end: tuple[int, int, int] | None
) -> None:
    (span,) = find_dates(question, NOW, TURNS).spans
    assert span.start == (day(*start) if start else -(10**18))
    assert span.end == (day(*end) if end else 10**18)


@pytest.mark.parametrize(
    "question",
    [
        "Wie alt ist der Hund?",
        "Wann kommt der Zug um 12 an?",
        "Was hat sie nach dem Essen gesagt?",
        "Was macht mein Sohn mit 3 Jahren?",
        "J'aime la mer, et toi ?",
        "Je suis venu te voir ?",
        "¿Te gusta el sol y el mar?",
        "¿Quién es Abril?",
        "¿Cuántos hermanos tengo, uno o dos?",
        "Berapa harga dua apel?",
        "मैंने कल क्या खाया?",  # yesterday, or tomorrow
        "我有两个孩子吗?",
        "二月三十日是什么?",
        "99月99日は何ですか?",
        "子供が3人いますか?",
    ],
)
def test_what_is_no_date_is_not_read(question: str) -> None:
    assert find_dates(question, NOW, TURNS).spans == ()


@pytest.mark.parametrize(
    "question",
    [
        "Was ist gestern passiert?",
        "Qu'est-ce qui s'est passé hier ?",
        "Que s'est-il passé hier ?",
        "Qu'ai-je dit hier ?",
        "Qu'a-t-on dit hier ?",
        "Cosa è successo ieri?",
        "Wat is er gisteren gebeurd?",
        "昨天发生了什么？",
        "我昨天说了什么？",
        "11月26日我们聊了些什么？",
        "昨日は何がありましたか？",
        "11月26日に何を言いましたか？",
    ],
)
def test_whatever_was_said_at_a_time_is_asked_for_in_other_languages_too(
    memory: CompressiveMemory, question: str
) -> None:
    memory.remember("user", "Die Blumen sind gegossen.", time=datetime(2023, 11, 26, 9, tzinfo=UTC))
    memory.remember("user", "Der Zug war zu spät.", time=datetime(2023, 11, 20, 9, tzinfo=UTC))
    hits = memory.recall(question, now=NOW)
    assert [hit.text for hit in hits] == ["Die Blumen sind gegossen."]
