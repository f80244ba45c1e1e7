"""The times that questions in other languages than English name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from r3mem_agents.analysis.dates.spans import find_dates
from r3mem_agents.timestamps import Span

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
