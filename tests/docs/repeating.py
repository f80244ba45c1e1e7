"""Run a block of Python where every chat model repeats the prompt that it was given.

python tests/docs/repeating.py BLOCK
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import langchain.chat_models
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.mock import MockFunctionCallingLLM


class Repeating(GenericFakeChatModel):
    """LangChain's fake, with the prompt as its answer."""

    messages: Any = ()

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        prompt = "\n".join(message.text for message in messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(prompt))])


def repeat(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
    prompt = "\n".join(str(message.content) for message in messages)
    return ChatMessage(role="assistant", content=prompt)


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("tried to reach the network")


def replace_paid_models(patch: pytest.MonkeyPatch) -> None:
    """Put models that repeat their prompt in the place of paid ones, and close the network."""
    patch.setattr(socket.socket, "connect", refuse)
    patch.setattr(socket, "getaddrinfo", refuse)
    patch.setattr(langchain.chat_models, "init_chat_model", lambda _: Repeating())
    openai: Any = ModuleType("llama_index.llms.openai")
    openai.OpenAI = lambda _: MockFunctionCallingLLM(is_chat_model=True, response_generator=repeat)
    patch.setitem(sys.modules, "llama_index.llms", ModuleType("llama_index.llms"))
    patch.setitem(sys.modules, "llama_index.llms.openai", openai)


if __name__ == "__main__":
    replace_paid_models(pytest.MonkeyPatch())
    exec(compile(sys.argv[1], "block", "exec"), {})
