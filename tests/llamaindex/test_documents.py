"""LlamaIndex's documents and nodes in a memory: found beside turns, the same when added again."""

from __future__ import annotations

from pathlib import Path

from llama_index.core import SimpleDirectoryReader
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.schema import Document, MetadataMode

from r3mem_agents import CompressiveMemory
from r3mem_llamaindex import R3Retriever

GUIDE = "# Fish\n\n## Water\n\nChange a third of it every week.\n\n## Food\n\nFlakes, twice a day."


def test_files_of_a_reader_are_documents(memory: CompressiveMemory, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for name, text in {"cats.txt": "Cats eat tuna.", "dogs.txt": "Dogs eat flakes."}.items():
        (tmp_path / "notes" / name).write_text(text)
    retriever = R3Retriever.from_memory(memory, k=1)
    documents = SimpleDirectoryReader(str(tmp_path / "notes")).load_data()
    assert [*retriever.add_documents(documents).values()] == [(1, 0, 0), (1, 0, 0)]
    [found] = retriever.retrieve("Who eats tuna?")
    assert found.text == "Cats eat tuna."
    assert "place: cats.txt" in found.node.get_content(MetadataMode.LLM)
    again = SimpleDirectoryReader(str(tmp_path / "notes")).load_data()
    assert [*retriever.add_documents(again).values()] == [(0, 1, 0), (0, 1, 0)]


async def test_nodes_of_a_parser_have_headings(memory: CompressiveMemory) -> None:
    document = Document(text=GUIDE, doc_id="fish")
    nodes = MarkdownNodeParser().get_nodes_from_documents([document])
    retriever = R3Retriever.from_memory(memory, k=1)
    stored = await retriever.aadd_documents(nodes)
    assert [*stored] == ["fish"]
    [found] = await retriever.aretrieve("How often does water change?")
    assert found.text.endswith("Change a third of it every week.")
    assert found.metadata["place"] == "fish, Fish"
