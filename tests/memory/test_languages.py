"""Words are found in other forms, and what nothing answers is not, in any language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.words import spelled
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_words import asked_words
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

OBFUSCATOR = Obfuscator(b"0123456789abcdef")


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    fake: Any = FakeModel()
    return open_memory(model=fake)


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
