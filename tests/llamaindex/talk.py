"""What is said in the tests of R3Memory, and how it is looked at."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage, TextBlock

from r3mem_llamaindex import R3Memory

QUESTION = "What is my dog called?"
BISCUIT = "My dog is called Biscuit."


def user(text: str) -> ChatMessage:
    return ChatMessage(role="user", content=text)


def assistant(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


def said(memory: R3Memory) -> list[str]:
    """Everything that the session has stored."""
    return [turn.text for turn in memory.memory.history() if turn.session == memory.session]


def recalled(messages: list[ChatMessage]) -> str:
    """What a prompt recalls, if it does."""
    first = next((m.blocks[0] for m in messages if "<recalled_memory>" in str(m.content)), None)
    return first.text if isinstance(first, TextBlock) else ""
