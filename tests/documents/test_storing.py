"""Documents in a memory: a second time changes nothing, and a new version what it changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, ReversibleModel, StoredTurn
from r3mem_agents.documents import Document, remember_document
from r3mem_agents.errors import InvalidInputError
from tests.conftest import OpenMemory

SECTIONS = st.lists(
    st.tuples(st.sampled_from(["Cats", "Dogs", "Food"]), st.sampled_from(["Tuna.", "Milk.", ""])),
    min_size=1,
    max_size=6,
)


def _document(sections: list[tuple[str, str]]) -> Document:
    text = "\n".join(f"# {title}\n\n{said}\n" for title, said in sections)
    return Document.of_text("notes.md", text, "markdown")


def _stored(memory: CompressiveMemory) -> list[StoredTurn]:
    return sorted(memory.history("notes.md"), key=lambda turn: turn.metadata["passage"])


@settings(max_examples=25)
@given(versions=st.lists(SECTIONS, min_size=1, max_size=3))
def test_a_memory_has_the_last_version(
    model: ReversibleModel, versions: list[list[tuple[str, str]]]
) -> None:
    """Its text comes back, and what was there before and still is keeps its id."""
    with CompressiveMemory(":memory:", model=model) as memory:
        before: dict[str | None, int] = {}
        for sections in versions:
            document = _document(sections)
            result = remember_document(memory, document)
            there = {turn.key: turn.id for turn in _stored(memory)}
            assert "".join(turn.text for turn in _stored(memory)) == document.text
            assert result.kept == len(there.keys() & before.keys())
            assert result.added == len(there.keys() - before.keys())
            assert result.forgotten == len(before.keys() - there.keys())
            assert all(there[key] == before[key] for key in there.keys() & before.keys())
            before = there


def test_turns_of_a_session_with_that_name_stay(open_memory: OpenMemory) -> None:
    memory = open_memory()
    said = memory.remember("user", "Read my notes.", session="notes.md")
    remember_document(memory, _document([("Cats", "Tuna.")]))
    remember_document(memory, _document([("Dogs", "Milk.")]))
    texts = [turn.text for turn in memory.history("notes.md")]
    assert texts == [said.text, "# Dogs\n\nMilk.\n"]


def test_half_a_character_is_refused_by_name(open_memory: OpenMemory) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInputError, match="surrogate"):
        remember_document(memory, Document.of_text("notes.md", "Cats \ud83d"))
    assert memory.sessions() == []


def test_no_user_has_the_document_of_another(open_memory: OpenMemory) -> None:
    alice, bob = open_memory(user="alice"), open_memory(user="bob")
    remember_document(alice, _document([("Cats", "Tuna.")]))
    assert bob.recall("Cats Tuna") == []
    remember_document(bob, _document([("Dogs", "Milk.")]))
    assert [turn.text for turn in alice.history()] == ["# Cats\n\nTuna.\n"]
    assert [turn.text for turn in bob.history()] == ["# Dogs\n\nMilk.\n"]
