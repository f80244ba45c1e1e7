"""A model that runs here and reads older messages as memory tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from pydantic import InstanceOf

from r3mem_agents.latent import LatentChat

HISTORY = 1 << 20
"""Tokens that a host may send: they are compressed to what the base has positions for."""


class R3LatentLLM(CustomLLM):
    """A local base model, for chat engines and wherever LlamaIndex takes an LLM.

    It calls no tools, and an answer comes whole.

    Attributes:
        latent: The chat behind it.
    """

    latent: InstanceOf[LatentChat]

    @property
    def metadata(self) -> LLMMetadata:
        """What hosts may ask of it."""
        return LLMMetadata(
            context_window=HISTORY,
            num_output=self.latent.max_new_tokens,
            is_chat_model=True,
            model_name="r3mem-latent",
        )

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer the last of some messages."""
        text = self.latent.answer(
            [{"role": one.role.value, "content": one.content or ""} for one in messages]
        )
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The same, as one piece."""

        def pieces() -> ChatResponseGen:
            answer = self.chat(messages, **kwargs)
            answer.delta = answer.message.content
            yield answer

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Continue a text, without a history."""
        latent = self.latent
        text = latent.memory.generate(None, prompt, max_new_tokens=latent.max_new_tokens)
        return CompletionResponse(text=text)

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """The same, as one piece."""

        def pieces() -> CompletionResponseGen:
            written = self.complete(prompt, formatted, **kwargs)
            written.delta = written.text
            yield written

        return pieces()
