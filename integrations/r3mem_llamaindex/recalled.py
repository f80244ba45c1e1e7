"""How recalled turns stand in a prompt, and how they are told from what is being said."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage, TextBlock

START = """<recalled_memory>
From earlier conversations, recalled because it may help:
"""
END = "\n</recalled_memory>\n"
"""Ends the line: some of the host's models put a message's blocks together without a space."""


def mark(lines: str) -> str:
    """Recalled lines as a prompt holds them."""
    return START + lines + END


def unmark(message: ChatMessage) -> ChatMessage | None:
    """The message without the recalled lines in front of it; ``None`` if nothing else is in it.

    A host may hand back what it was given, as a history or as flat text.
    """
    first = message.blocks[0] if message.blocks else None
    if not isinstance(first, TextBlock) or not first.text.startswith(START):
        return message
    rest = first.text[len(START) :].partition(END)[2].removeprefix("\n")
    blocks = [*([TextBlock(text=rest)] if rest else []), *message.blocks[1:]]
    return message.model_copy(update={"blocks": blocks}) if blocks else None
