"""Memory for LlamaIndex that compresses every message and gives it back byte for byte.

- ``R3Memory``: ``memory=`` of chat engines and agents.
- ``R3MemoryBlock``: long-term memory for LlamaIndex's own ``Memory``.
- ``R3Retriever``: turns as nodes, for context engines and query engines.
- ``R3LatentLLM``: a local model with a history of memory tokens; extra ``latent``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from r3mem_agents.errors import MissingExtraError

if find_spec("llama_index") is None or find_spec("llama_index.core") is None:
    raise MissingExtraError("llama-index-core", "llamaindex")

from r3mem_llamaindex.block import R3MemoryBlock
from r3mem_llamaindex.memory import R3Memory
from r3mem_llamaindex.retriever import R3Retriever

if TYPE_CHECKING:
    from r3mem_llamaindex.latent import R3LatentLLM

__all__ = ["R3LatentLLM", "R3Memory", "R3MemoryBlock", "R3Retriever"]


def __getattr__(name: str) -> object:
    if name != "R3LatentLLM":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from r3mem_llamaindex.latent import R3LatentLLM  # noqa: PLC0415 (torch)

    return R3LatentLLM
