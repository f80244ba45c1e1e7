"""Token counts of texts and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    CitableBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.utils import get_tokenizer

Tokenizer = Callable[[str], Sequence[Any]]

MEDIA_TOKENS = {"image": 256, "audio": 256, "video": 256, "document": 2048}
"""Estimates of llama_index.core.memory.Memory."""


def tokenize(text: str) -> Sequence[Any]:
    """Tokens of a text by the host's tokenizer: the one set in it, or else its default."""
    return get_tokenizer()(text)


def message_tokens(message: ChatMessage, tokenizer: Tokenizer) -> int:
    """Tokens of a message's texts and of what comes with them."""
    texts = [str(message.additional_kwargs)] if message.additional_kwargs else []
    tokens = 0
    for block in message.blocks:
        match block:
            case TextBlock():
                texts.append(block.text)
            case ThinkingBlock():
                texts.append(block.content or "")
            case ToolCallBlock():
                texts.append(f"{block.tool_name} {block.tool_kwargs}")
            case CitableBlock():
                tokens += message_tokens(ChatMessage(blocks=list(block.content)), tokenizer)
            case _:
                tokens += MEDIA_TOKENS.get(block.block_type, 0)
    return tokens + sum(len(tokenizer(text)) for text in texts)
