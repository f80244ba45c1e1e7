"""LangChain's documents as documents of a memory."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.documents import Document as LangChainDocument

from r3mem_agents import CompressiveMemory
from r3mem_agents.documents import Document, Part, Stored, store_documents
from r3mem_agents.errors import InvalidInputError

HEADERS = tuple(f"Header {level}" for level in range(1, 7))
"""Where ``MarkdownHeaderTextSplitter`` puts titles."""


def add_documents(
    memory: CompressiveMemory, documents: Iterable[LangChainDocument]
) -> dict[str, Stored]:
    """Store documents, all parts of one source as one, and return what that did, by source.

    Args:
        memory: The memory.
        documents: The host's, whole or split.

    Raises:
        InvalidInputError: One of them has no source.
        StoreError: If something could not be written.
    """
    parts: dict[str, list[Part]] = {}
    for number, one in enumerate(documents, 1):
        source = one.metadata.get("source") or one.id
        if not isinstance(source, str):
            raise InvalidInputError(
                f"document {number} has neither metadata['source'] nor an id; give it one, by "
                "which it is known when it has changed"
            )
        titles = [one.metadata[name] for name in HEADERS if one.metadata.get(name)]
        part = Part(
            text=one.page_content,
            headings=tuple(map(str, titles)),
            page=_page(one),
            metadata=one.metadata,
        )
        parts.setdefault(source, []).append(part)
    return store_documents(memory, [Document.of_parts(name, its) for name, its in parts.items()])


def _page(document: LangChainDocument) -> int | None:
    """The page from 1; loaders count ``page`` from 0, and ``page_label`` is what is printed."""
    label, page = document.metadata.get("page_label"), document.metadata.get("page")
    if isinstance(label, str) and label.isdecimal():
        return int(label)
    return page + 1 if isinstance(page, int) else None
