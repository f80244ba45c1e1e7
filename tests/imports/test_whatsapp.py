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
