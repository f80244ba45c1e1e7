"""Any text is kept and asked for: scripts that nobody knows, many languages at once, any length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, Turn
from tests.memory.fake_model import FakeModel

STRANGE = {
    "unassigned": "\u0378\u0379 \u0530\U0001fc00 \U000e0fff\u05ff",
    "private use": "\ue000\uf8ff \U000f0000\U0010fffd",
    "noncharacters": "\ufdd0\ufffe \uffff\U0010ffff",
    "a script of few": "\U00010d40\U00010d41 \U00010940\U00010941",
    "hieroglyphs": "\U00013000\U00013001 \U00013080\U00013081",
    "cuneiform": "\U00012000\U00012038\U0001202d",
    "right to left in left to right": "Meet me at בית קפה in תל אביב, مع أحمد, at the harbour",
    "left to right in right to left": "פגשתי את Anna Schmidt ב-Kaffeehaus וגם את محمد",
    "turned by controls": "\u202egnp.eman\u202c \u2067אב ג\u2069 \u200fabc\u200e",
    "nine languages": (
        "My dog ist sehr lieb, il s'appelle Biscuit y vive en Москве, 和我住在東京, 서울에서, "
        "مرحبا, नमस्ते, ประเทศไทย"
    ),
    "marks upon marks": "z" + "\u0301\u0316\u0335" * 300 + " e\u0301",
    "hidden tags": "\U000e0041\U000e0042\u200b\u2060 hidden",
    "no letters": "\u3000\u200b\u2060 …!?",
    "controls": "a\x00b \x1b[2J \x85\u2028c\u2029 \ufeffd",
}

LONG = {
    "words": " ".join(f"w{number}ord" for number in range(3_000)),
    "one word again and again": "dog " * 10_000,
    "stop words": "who am I " * 3_500,
    "numbers": " ".join(map(str, range(3_000))),
    "dates": " ".join(f"{1 + day % 28} May {1990 + day % 40}" for day in range(3_400)),
    "spans": "from 3 to 5 May " * 2_000,
    "unspaced": "東京都港区" * 2_000,
    "no space at all": "x" * 50_000,
    "private use": " ".join("\ue000\ue001" for _ in range(10_000)),
    "unassigned": "\u0378" * 10_000,
    "marks": "a" + "\u0301" * 10_000,
    "brackets": "([{<" * 2_500,
    "nine languages": f"{STRANGE['nine languages']} " * 500,
}


@pytest.fixture(scope="module")
def bundled() -> Iterator[CompressiveMemory]:
    """What the bundled model keeps of all these texts."""
    with CompressiveMemory(":memory:") as memory:
        memory.remember_many([Turn(role="user", text=text) for text in STRANGE.values()])
        yield memory


def test_every_text_comes_back(bundled: CompressiveMemory) -> None:
    assert [turn.text for turn in bundled.history()] == [*STRANGE.values()]
    assert bundled.verify().ok


@pytest.mark.parametrize("name", [name for name in STRANGE if name != "no letters"])
def test_every_text_that_has_words_finds_itself(bundled: CompressiveMemory, name: str) -> None:
    assert bundled.recall(STRANGE[name], k=1)[0].text == STRANGE[name]
    assert bundled.context(STRANGE[name])


def test_a_text_without_words_finds_nothing(bundled: CompressiveMemory) -> None:
    assert bundled.recall(STRANGE["no letters"]) == []


@pytest.mark.parametrize("name", LONG)
def test_a_question_of_any_length_is_answered_and_kept(
    bundled: CompressiveMemory, name: str
) -> None:
    assert bundled.recall(LONG[name], k=3, explain=True).explanation is not None
    bundled.context(LONG[name], token_budget=200)
    with CompressiveMemory(":memory:", model=bundled.model) as memory:
        turn = memory.remember("user", LONG[name])
        assert memory.history() == [turn]
        assert turn.text == LONG[name]


def test_what_a_question_of_thousands_of_words_begins_with_is_found(
    bundled: CompressiveMemory,
) -> None:
    with CompressiveMemory(":memory:", model=bundled.model) as memory:
        memory.remember("user", "The Kaffeehaus in Graz opens at noon.")
        for said in ("We adopted a cat.", "The printer is broken again.", "I like green tea."):
            memory.remember("user", said)
        (hit,) = memory.recall(f"When does that coffee house open? {LONG['words']}", k=1)
        assert "Graz" in hit.text


ALPHABETS = (
    st.characters(categories=["Cn"]),
    st.characters(categories=["Co"]),
    st.characters(categories=["Lo"]),
    st.characters(categories=["Lu", "Ll", "Lt", "Lm"]),
    st.characters(categories=["Mn", "Mc"]),
    st.characters(min_codepoint=0x590, max_codepoint=0x6FF),
    st.characters(min_codepoint=0x900, max_codepoint=0xDFF),
    st.characters(categories=["Cf", "Cc", "Zs"]),
)
WORDS = st.one_of(*(st.text(alphabet, min_size=1, max_size=8) for alphabet in ALPHABETS))
MIXED = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(MIXED, min_size=1, max_size=4))
def test_any_mixture_of_scripts_is_expanded_by_the_bundled_model(
    bundled: CompressiveMemory, texts: list[str]
) -> None:
    assert bundled.model.expand(bundled.model.compress(texts)) == texts


@pytest.fixture(scope="module")
def any_text() -> Iterator[CompressiveMemory]:
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", model=fake) as memory:
        yield memory


numbers = count()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=MIXED, names=st.lists(WORDS.filter(str.strip), min_size=2, max_size=2))
def test_any_mixture_of_scripts_is_kept_and_asked_for(
    any_text: CompressiveMemory, text: str, names: list[str]
) -> None:
    name, key = names
    memory = any_text.scoped(session=f"{name} {next(numbers)}")
    turn = memory.remember("user", text, name=name, key=key, metadata={key: text})
    assert memory.history(memory.session) == [turn]
    assert (turn.text, turn.name, turn.key, turn.metadata) == (text, name, key, {key: text})
    memory.recall(text)
    memory.recall(name, sessions=[memory.session])
    memory.context(text, token_budget=100)
    assert memory.fetch(keys=[key]) == [turn]
