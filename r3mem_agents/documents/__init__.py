"""Documents: Markdown, text, HTML and PDF as passages, and these into a memory.

``read_document`` reads one file, ``Document.of_text`` takes a text that is there already, and
``remember_document`` stores the passages as the turns of one session. ``remember_files`` does all
of it for a file or a folder. HTML, Markdown and PDF need the extra ``documents``.
"""

from r3mem_agents.documents.document import Document, Part, Passage
from r3mem_agents.documents.folders import (
    Found,
    Remembered,
    find_documents,
    remember_files,
    store_documents,
)
from r3mem_agents.documents.reading import read_document
from r3mem_agents.documents.storing import Stored, remember_document

__all__ = [
    "Document",
    "Found",
    "Part",
    "Passage",
    "Remembered",
    "Stored",
    "find_documents",
    "read_document",
    "remember_document",
    "remember_files",
    "store_documents",
]
