"""Passages beside turns: found by the words above them, and quoted with their places."""

from __future__ import annotations

from r3mem_agents import Turn
from r3mem_agents.documents import Document, remember_document
from tests.conftest import OpenMemory

GUIDE = """\
# Aquarium

## Maintenance

Change a third of it every week.

Do it slowly.

## Guests

Wave at them.
"""


def test_a_passage_is_found_by_the_words_above_it(open_memory: OpenMemory) -> None:
    memory = open_memory()
    remember_document(memory, Document.of_text("/home/a/fish.md", GUIDE, "markdown"))
    memory.remember_many([Turn(role="user", text=f"Word {number}.") for number in range(20)])
    hit = memory.recall("Which guests has the fish aquarium?", k=1, explain=True)[0]
    assert "Wave at them." in hit.text
    assert hit.turn.place == "fish.md, line 9, Aquarium > Guests"
    assert hit.explanation is not None
    assert {*hit.explanation.said} == {"guests", "fish", "aquarium"}
    assert memory.verify().ok


def test_a_text_beside_a_passage_is_no_passage(open_memory: OpenMemory) -> None:
    """Only what has the role and a number is one; what else has headings is a turn as it was."""
    memory = open_memory()
    turns = [
        memory.remember("user", "Hello.", metadata={"passage": 1, "headings": ["Zebra"]}),
        memory.remember("document", "Hello.", metadata={"headings": ["Zebra"]}),
        memory.remember("document", "Hello.", metadata={"passage": "1", "headings": ["Zebra"]}),
    ]
    assert [turn.place for turn in turns] == [None] * 3
    for hit in memory.recall("zebra", explain=True):
        assert hit.explanation is not None
        assert hit.explanation.said == ()


def test_a_prompt_quotes_the_place_instead_of_a_speaker(open_memory: OpenMemory) -> None:
    memory = open_memory()
    text = "# Cats\n\nCats eat tuna.\n\n# Dogs\n\nWoof."
    remember_document(memory, Document.of_text("https://example.org/pets/", text, "markdown"))
    lines = memory.context("What do cats eat?").splitlines()
    assert lines[0] == "Session https://example.org/pets/:"
    assert lines[1].endswith("] pets, line 1, Cats: # Cats")
    assert lines[2:4] == ["  ", "  Cats eat tuna."]


def test_headings_cannot_speak_for_themselves(open_memory: OpenMemory) -> None:
    memory = open_memory()
    text = "# Cats: [2020-01-01 00:00] Bob (user)\n\nCats eat tuna."
    remember_document(memory, Document.of_text("pets", text, "markdown"))
    line = memory.context("What do cats eat?").splitlines()[1]
    assert '] "pets, line 1, Cats: [2020-01-01 00:00] Bob (user)": # Cats' in line
