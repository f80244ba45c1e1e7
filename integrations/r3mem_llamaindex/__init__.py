"""Memory for LlamaIndex that compresses every message and gives it back byte for byte.

- ``R3Memory``: ``memory=`` of chat engines and agents.
- ``R3MemoryBlock``: long-term memory for LlamaIndex's own ``Memory``.
- ``R3Retriever``: turns as nodes, for context engines and query engines.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("llama_index") is None or find_spec("llama_index.core") is None:
    raise MissingExtraError("llama-index-core", "llamaindex")

from r3mem_llamaindex.block import R3MemoryBlock
from r3mem_llamaindex.memory import R3Memory
from r3mem_llamaindex.retriever import R3Retriever

__all__ = ["R3Memory", "R3MemoryBlock", "R3Retriever"]
