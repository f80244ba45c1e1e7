"""LangChain's documents in a memory: found beside turns, and the same when they are added again."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

from r3mem_agents.errors import EmptyDocumentError, InvalidInputError
from r3mem_langchain import R3Retriever
from tests.conftest import OpenMemory

GUIDE = "# Fish\n\n## Water\n\nChange a third of it every week.\n\n## Food\n\nFlakes, twice a day."


def test_pages_of_a_source_are_one_document(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("user", "I have a fish.")
    pages = ["Cats eat tuna.", "", "Dogs eat flakes."]
    documents = [
        Document(text, metadata={"source": "pets.pdf", "page": number, "total_pages": 3})
        for number, text in enumerate(pages)
    ]
    retriever = R3Retriever(memory=memory, k=1)
    assert retriever.add_documents(documents)["pets.pdf"] == (2, 0, 0)
    [found] = retriever.invoke("Who eats tuna?")
    assert found.page_content == "Cats eat tuna."
    assert found.metadata["place"] == "pets.pdf, page 1"
    assert found.metadata["total_pages"] == 3
    assert retriever.add_documents(documents)["pets.pdf"] == (0, 2, 0)
    assert retriever.add_documents(documents[:1])["pets.pdf"] == (0, 1, 1)
    assert [turn.text for turn in memory.history()] == ["I have a fish.", "Cats eat tuna."]


def test_a_document_without_text_is_named_and_nothing_stored(open_memory: OpenMemory) -> None:
    memory = open_memory()
    documents = [Document(text, metadata={"source": text or "void.txt"}) for text in ("Cats.", "")]
    with pytest.raises(EmptyDocumentError, match="void.txt"):
        R3Retriever(memory=memory).add_documents(documents)
    assert memory.sessions() == []


async def test_titles_that_a_splitter_found_are_headings(open_memory: OpenMemory) -> None:
    memory = open_memory()
    titles = [("#", "Header 1"), ("##", "Header 2")]
    parts = MarkdownHeaderTextSplitter(titles).split_text(GUIDE)
    for part in parts:
        part.metadata["source"] = "/notes/fish.md"
    retriever = R3Retriever(memory=memory, k=1)
    await retriever.aadd_documents(parts)
    [found] = await retriever.ainvoke("How often does water change?")
    assert found.page_content == parts[0].page_content
    assert found.metadata["place"] == "fish.md, Fish > Water"


def test_chunks_that_overlap_are_kept_as_they_are(open_memory: OpenMemory) -> None:
    whole = [Document("One. Two. Three. " * 30, id="counting")]
    chunks = RecursiveCharacterTextSplitter(chunk_size=90, chunk_overlap=40).split_documents(whole)
    memory = open_memory()
    with pytest.raises(InvalidInputError, match="document 1 has neither"):
        R3Retriever(memory=memory).add_documents(chunks)
    for chunk in chunks:
        chunk.metadata["source"] = "counting"
    R3Retriever(memory=memory).add_documents(chunks)
    assert [turn.text for turn in memory.history()] == [chunk.page_content for chunk in chunks]
