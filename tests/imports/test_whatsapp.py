from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Found
from r3mem_agents.imports.recognizing import find

IOS = """\
[15/08/2023, 21:01:05] Bakers: \u200eMessages and calls are end-to-end encrypted.
[15/08/2023, 21:01:05] Ann: Who brings rye?
And who
brings: salt?
\u200e[15/08/2023, 21:01:06] Ann: \u200eimage omitted
[15/08/2023, 21:02:00] ~\u202fBob: I do \u200e<This message was edited>
""".replace("\n", "\r\n")
ANDROID = """\
8/15/23, 9:01\u202fPM - Messages and calls are end-to-end encrypted.
8/15/23, 9:01\u202fPM - Ann: Who brings rye?
And who
brings: salt?
8/15/23, 9:01\u202fPM - Ann: <Media omitted>
8/15/23, 9:02\u202fPM - Bob: I do
8/15/23, 9:03\u202fPM - Ann changed the subject to "Rye: the best"
"""
GERMAN = """\
15.08.23, 21:01 - Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.
15.08.23, 21:01 - Ann: Who brings rye?
And who
brings: salt?
15.08.23, 21:01 - Ann: <Medien ausgeschlossen>
15.08.23, 21:02 - \u202aBob\u202c: I do
"""


def _find(text: str, name: str = "WhatsApp Chat with Bakers.txt") -> Found:
    return find(name, text.encode())


def _said(found: Found) -> list[tuple[str | None, str]]:
    return [(entry.turn.name, entry.turn.text) for entry in found.entries]


@pytest.mark.parametrize("export", [IOS, ANDROID, GERMAN])
def test_every_telephone_says_the_same(export: str) -> None:
    found = _find(export)
    assert found.kind == "WhatsApp"
    assert _said(found) == [("Ann", "Who brings rye?\nAnd who\nbrings: salt?"), ("Bob", "I do")]
    times = [entry.turn.time for entry in found.entries]
    assert [time and time.replace(second=0, tzinfo=None) for time in times] == [
        datetime(2023, 8, 15, 21, 1),
        datetime(2023, 8, 15, 21, 2),
    ]
    assert {entry.turn.session for entry in found.entries} == {"whatsapp/WhatsApp Chat with Bakers"}
    assert sum(found.skipped.values()) == export.count(" - ") + export.count("[") - 2
    assert not found.notes


def test_the_archive_of_a_telephone_is_called_as_the_chat() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("_chat.txt", IOS)
        archive.writestr("00001-PHOTO.jpg", b"\xff\xd8")
    found = find("WhatsApp Chat - Bakers.zip", packed.getvalue())
    assert {entry.turn.session for entry in found.entries} == {"whatsapp/WhatsApp Chat - Bakers"}
    assert _said(found) == _said(_find(IOS))


def test_one_date_tells_the_day_from_the_month_for_all() -> None:
    def days(*dates: str) -> list[str]:
        lines = "".join(f"{date}, 10:00 - Ann: x\n" for date in dates)
        return [str(entry.turn.time)[:10] for entry in _find(lines).entries]

    assert days("3/4/2023", "13/4/2023") == ["2023-04-03", "2023-04-13"]
    assert days("3/4/2023", "3/13/2023") == ["2023-03-04", "2023-03-13"]
    assert days("2023/3/4", "2023/3/13") == ["2023-03-04", "2023-03-13"]
    # Time does not go back: 2 March comes before 1 April.
    assert days("2/3/2023", "1/4/2023") == ["2023-03-02", "2023-04-01"]
    assert days("3/2/2023", "4/1/2023") == ["2023-03-02", "2023-04-01"]


@pytest.mark.parametrize(
    "stamp",
    [
        "2019-09-13, 11:24 p.m. -",  # Canada
        "13/9/2019, 11:24\u202fp.\u00a0m. -",  # Spain
        "13/09/2019 à 23:24 -",  # France
        "13/09/2019 às 23:24 -",  # Portugal
        "[13.9.2019 klo 23.24.00]",  # Finland
        "13. 09. 2019. u 23:24 -",  # Croatia
        "13.09.19 г., 23:24 -",  # Bulgaria
        "13/9/19, 11:24 μ.μ. -",  # Greece
        "2019. 09. 13. 23:24 -",  # Hungary
        "2019/9/13 下午11:24 -",  # Taiwan
        "\u200e[2019/9/13 晚上11:24:00]",  # China
        "[2019. 9. 13. 오후 11:24:00]",  # Korea
        "2019/09/13, 午後11:24 -",  # Japan
        "13/09/19, 11:24 अपराह्न -",  # India
        "١٣\u200f/٩\u200f/٢٠١٩، ١١:٢٤ م -",  # Egypt
        "13/9/2562 23:24 -",  # Thailand
        "13/09/2019, 23:24 \u2013",
        "13/9/19, 23:24:00:",  # iPhones until 2017
        "9/13/19, 11:24:00 PM:",
    ],
)
def test_dates_of_many_countries_are_read(stamp: str) -> None:
    [entry] = _find(f"{stamp} Ann: Who brings rye: you?\n").entries
    assert (entry.turn.name, entry.turn.text) == ("Ann", "Who brings rye: you?")
    assert entry.turn.time is not None
    assert entry.turn.time.replace(tzinfo=None) == datetime(2019, 9, 13, 23, 24)


def test_midnight_is_read_however_a_clock_calls_it() -> None:
    for stamp in ("13/9/2019, 12:05 AM", "13/9/2019, 0:05 am", "13/9/2019, 24:05"):
        [entry] = _find(f"{stamp} - Ann: x\n").entries
        assert entry.turn.time is not None
        assert entry.turn.time.replace(tzinfo=None) == datetime(2019, 9, 13, 0, 5)


def test_a_calendar_that_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="1398/6/22 23:24 is not a date"):
        _find("1398/6/22, 23:24 - Ann: x\n")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("\u200eIMG-20190913-WA0001.jpg (file attached)\nRye!", "Rye!"),
        ("PTT-20250328-WA0014.opus (archivo adjunto)", None),
        ("IMG-20250328-WA0014.jpg (archivo adjunto)\nRye!", "Rye!"),
        ("<Media omitted>\nRye!", "Rye!"),
        ("Rye! \u200e<attached: 00000012-PHOTO.jpg>", "Rye!"),
        ("\u200ePOLL:\nRye?\n\u200eOPTION: Yes (1 vote)", "Rye?"),
        ("Rye! <Diese Nachricht wurde bearbeitet>", "Rye!"),
        ("Diese Nachricht wurde gelöscht.", None),
        ("<div>\n</div>", "<div>\n</div>"),
        ("Who has <b>", "Who has <b>"),
    ],
)
def test_what_is_said_beside_a_medium_is_kept(said: str, left: str | None) -> None:
    entries = _find(f"13/9/2019, 23:24 - Ann: {said}\n").entries
    assert [entry.turn.text for entry in entries] == ([left] if left else [])


def test_where_no_date_tells_it_is_said() -> None:
    found = _find("1/2/2023, 10:00 - Ann: x\n")
    assert "no date in it tells day and month apart" in found.notes[0]


def test_dates_that_fit_in_no_order_are_named() -> None:
    with pytest.raises(InvalidInputError, match=r"line 3: 3/13/2023 10:00 is not a date"):
        _find(
            "".join(f"{date}, 10:00 - Ann: x\n" for date in ("1/2/2023", "13/3/2023", "3/13/2023"))
        )


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Z"]), min_size=1
)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["Ann", "Bob"]), words), min_size=1),
    st.integers(1, 9),
)
def test_keys_are_unique_and_stay_when_older_messages_are_gone(
    chat: list[tuple[int, str, str]], dropped: int
) -> None:
    """An export has the newest messages only, from some number on."""
    start, lines = datetime(2023, 8, 25), []
    for minutes, name, text in chat:
        start += timedelta(minutes=minutes)
        lines.append(f"[{start:%d/%m/%Y, %H:%M}:00] {name}: x{text}\n")
    keys = [entry.turn.key for entry in _find("".join(lines)).entries]
    assert len({*keys}) == len(keys) == len(chat)
    later = [line for line in lines[dropped:] if line[:22] != lines[dropped - 1][:22]]
    if later:
        assert {entry.turn.key for entry in _find("".join(later)).entries} <= {*keys}
