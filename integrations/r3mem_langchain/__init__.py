"""LangChain and LangGraph with a memory that compresses turns and returns them byte for byte.

Each name needs only what it is used with, and is loaded when it is first asked for:

- ``R3MemoryMiddleware``: gives an agent of ``create_agent`` its memory; extra ``langchain``.
- ``as_tools``: ``remember``, ``recall``, ``forget`` and ``pin`` as tools; extra ``langchain``.
- ``R3Retriever``: turns as documents; extra ``langchain``.
- ``R3ChatMessageHistory``: for ``RunnableWithMessageHistory``; extra ``langchain``.
- ``R3Store``: LangGraph's store; extra ``langchain``.
- ``R3Memory``: ``memory=`` of a classic chain; extra ``classic``.
- ``R3LatentChatModel``: a local model with a history of memory tokens; extra ``latent``.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

from r3mem_agents.errors import MissingExtraError

if find_spec("langchain_core") is None:
    raise MissingExtraError("langchain-core", "langchain")

if TYPE_CHECKING:
    from r3mem_langchain.classic import R3Memory
    from r3mem_langchain.history import R3ChatMessageHistory
    from r3mem_langchain.latent import R3LatentChatModel
    from r3mem_langchain.middleware import R3MemoryMiddleware
    from r3mem_langchain.retriever import R3Retriever
    from r3mem_langchain.store import R3Store
    from r3mem_langchain.tools import as_tools

__all__ = [
    "R3ChatMessageHistory",
    "R3LatentChatModel",
    "R3Memory",
    "R3MemoryMiddleware",
    "R3Retriever",
    "R3Store",
    "as_tools",
]

_LAZY = {
    "R3ChatMessageHistory": "r3mem_langchain.history",
    "R3LatentChatModel": "r3mem_langchain.latent",
    "R3Memory": "r3mem_langchain.classic",
    "R3MemoryMiddleware": "r3mem_langchain.middleware",
    "R3Retriever": "r3mem_langchain.retriever",
    "R3Store": "r3mem_langchain.store",
    "as_tools": "r3mem_langchain.tools",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
