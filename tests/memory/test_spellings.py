"""Words are found in the spellings that people use, the exact one first."""

from __future__ import annotations

from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    fake: Any = FakeModel()
    return open_memory(model=fake)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Jos\u00e9 brought cr\u00e8me br\u00fbl\u00e9e from M\u00e1laga.", "Jose"),
        ("Jos\u00e9 brought cr\u00e8me br\u00fbl\u00e9e from M\u00e1laga.", "creme brulee"),
        ("Jos\u00e9 brought cr\u00e8me br\u00fbl\u00e9e from M\u00e1laga.", "Malaga"),
        ("Jose came from Malaga.", "jos\u00e9"),
        ("Cafe\u0301 ol\u00e9", "caf\u00e9"),
        ("Herr M\u00fcller rang.", "Mueller"),
        ("Herr Mueller rang.", "M\u00fcller"),
        ("Herr M\u00fcller rang.", "muller"),
        ("S\u00f8ren and \u00c5se moved to \u0141\u00f3d\u017a.", "Soeren"),
        ("S\u00f8ren and \u00c5se moved to \u0141\u00f3d\u017a.", "Lodz"),
        ("\u0130stanbul'da kald\u0131k.", "istanbul"),
        ("\u0130stanbul'da kald\u0131k.", "kaldik"),
        ("l\u2019amour fou", "amour"),
        ("C'\u00e9tait l'\u00e9cole d'Annecy", "ecole"),
        ("un'opera dell'arte", "arte"),
        ("Mr O'Brien called.", "O'Brien"),
        ("Mr O'Brien called.", "OBrien"),
        ("Mr O'Brien called.", "o\u2019brien"),
        ("Mr OBrien called.", "O'Brien"),
        (
            "\u043f'\u044f\u0442\u044c \u044f\u0431\u043b\u0443\u043a",
            "\u043f\u02bc\u044f\u0442\u044c",
        ),
        ("Call getUserById here.", "get user by id"),
        ("Call get_user_by_id here.", "getUserById"),
        ("Set maxRetryCount to 3.", "MAX_RETRY_COUNT"),
        ("Set MAX_RETRY_COUNT to 3.", "max retry count"),
        ("An HTTPServer runs.", "http server"),
        ("Send me an e-mail.", "email"),
        ("Send me an email.", "e-mail"),
        ("The Wi\u2011Fi is slow.", "wifi"),
        ("The wifi is slow.", "Wi-Fi"),
        ("A well-known fact.", "well known"),
        ("It cost 12,500 euros.", "12500"),
        ("It cost 12500 euros.", "12,500"),
        ("It cost 12 500 euros.", "12500"),
        ("It cost 12.500 euros.", "12500"),
        ("It cost 12'500 francs.", "12,500"),
        ("It cost 1,25,000 rupees.", "125000"),
        ("Pi is 3.14.", "3.14"),
        ("She had covid19.", "COVID-19"),
        ("She had COVID-19.", "covid 19"),
        ("My number is +1 (555) 123-4567.", "555-123-4567"),
        ("My number is 5551234567.", "555 123 4567"),
        ("My number is 0170/1234567.", "+49 170 1234567"),
        ("The pass\u200bword is so\u00adft.", "password"),
        ("The password is soft.", "so\u200dft"),
        ("Happy birthday \U0001f382!", "\U0001f382"),
        ("I \u2764\ufe0f it", "\u2764"),
        ("\U0001f1e9\U0001f1ea won", "\U0001f1e9\U0001f1ea"),
        ("Born in the U.S.A.", "USA"),
        ("He works for AT&T.", "AT&T"),
        ("\u0663\u0664\u0665 \u0643\u062a\u0627\u0628", "345"),
        ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
    ],
)
def test_what_is_said_is_found(memory: CompressiveMemory, said: str, asked: str) -> None:
    memory.remember("user", "The weather was fine all week.", session="other")
    memory.remember("user", said)
    assert [hit.text for hit in memory.recall(asked)][:1] == [said]


@pytest.mark.parametrize(
    ("exact", "other"),
    [
        ("Jos\u00e9 rang.", "Jose rang."),
        ("Jose rang.", "Jos\u00e9 rang."),
        ("M\u00fcller rang.", "Muller rang."),
        ("The e-mail came.", "The email came."),
        ("The email came.", "The e-mail came."),
        ("COVID-19 came.", "Covid 19 came, and 19 went."),
    ],
)
def test_the_exact_spelling_is_first(memory: CompressiveMemory, exact: str, other: str) -> None:
    # Of two speakers: what one speaker says again in like words may be newer, and go before.
    memory.remember("user", exact, name="Ann", session="a")
    memory.remember("user", other, name="Bob", session="b")  # the newer one, which wins a tie
    question = exact.removeprefix("The ").split()[0]
    assert [hit.text for hit in memory.recall(question)] == [exact, other]


def test_names_of_languages_are_words_of_their_own(memory: CompressiveMemory) -> None:
    names = ["C", "C++", "C#", ".NET", "F#"]
    for name in names:
        memory.remember("user", f"Zoe writes {name}.", session=name)
    memory.remember("user", "He bought a fishing net.", session="net")
    for name in names:
        found = [hit for hit in memory.recall(name, explain=True) if log_odds(hit)["words"]]
        assert [hit.text for hit in found] == [f"Zoe writes {name}."]


def test_a_spelling_that_nobody_uses_does_not_hide_the_other(memory: CompressiveMemory) -> None:
    memory.remember("user", "The wifi is called Blue.", session="a")
    memory.remember("user", "My password hangs on the door.", session="b")
    hits = memory.recall("What is the Wi-Fi called?", explain=True)
    assert hits[0].text == "The wifi is called Blue."
    other = memory.recall("What is the wifi called?", explain=True)
    assert log_odds(hits[0])["words"] == pytest.approx(log_odds(other[0])["words"])
