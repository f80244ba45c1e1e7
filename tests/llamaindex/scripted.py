"""A chat model of the host that says what a test tells it to, and keeps what it was shown."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, LLMMetadata
from llama_index.core.llms.mock import MockFunctionCallingLLM
from pydantic import PrivateAttr

Reply = Callable[[Sequence[ChatMessage]], ChatMessage]


class Scripted(MockFunctionCallingLLM):
    """The host's fake; ``prompts`` holds the messages of every call."""

    _prompts: list[list[ChatMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, reply: Reply) -> None:
        super().__init__()

        def respond(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
            self._prompts.append(copy.deepcopy(list(messages)))
            return reply(messages)

        self.response_generator = respond

    @property
    def metadata(self) -> LLMMetadata:
        """It chats and calls functions; the host's fake could not say so before 0.14.16."""
        return LLMMetadata(is_chat_model=True, is_function_calling_model=True)

    @property
    def prompts(self) -> list[list[ChatMessage]]:
        """What the model was shown, call by call."""
        return self._prompts


def numbered() -> Reply:
    """Answers that are all different."""
    answers = iter(range(1, 1000))
    return lambda _: ChatMessage(role="assistant", content=f"Answer {next(answers)}.")
