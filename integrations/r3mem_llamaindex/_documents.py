"""LlamaIndex's documents and nodes as documents of a memory."""

from __future__ import annotations

from collections.abc import Iterable

from llama_index.core.schema import BaseNode, MetadataMode

from r3mem_agents import CompressiveMemory
from r3mem_agents.documents import Document, Part, Stored, store_documents


def add_documents(memory: CompressiveMemory, nodes: Iterable[BaseNode]) -> dict[str, Stored]:
    """Store documents or nodes, all parts of one as one, and return what that did, by name.

    Args:
        memory: The memory.
        nodes: The host's documents, or the nodes that a parser made of them.

    Raises:
        StoreError: If something could not be written.
    """
    parts: dict[str, list[Part]] = {}
    for node in nodes:
        label = node.metadata.get("page_label")
        part = Part(
            text=node.get_content(MetadataMode.NONE),
            headings=_headings(node),
            page=int(label) if isinstance(label, str) and label.isdecimal() else None,
            metadata=node.metadata,
        )
        parts.setdefault(_name(node), []).append(part)
    return store_documents(memory, [Document.of_parts(name, its) for name, its in parts.items()])


def _name(node: BaseNode) -> str:
    """What a document is known by: its file, or else its id, which its nodes have too."""
    path = node.metadata.get("file_path") or node.metadata.get("file_name")
    return str(path or node.ref_doc_id or node.node_id)


def _headings(node: BaseNode) -> tuple[str, ...]:
    """The titles above a node, where ``MarkdownNodeParser`` puts them."""
    path = node.metadata.get("header_path")
    return tuple(filter(None, path.split("/"))) if isinstance(path, str) else ()
