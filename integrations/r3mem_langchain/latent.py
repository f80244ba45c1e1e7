"""A chat model that runs here and reads older messages as memory tokens."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    message_chunk_to_message,
)
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import InstanceOf

from r3mem_agents.latent import LatentChat
from r3mem_langchain._messages import ROLES


class R3LatentChatModel(BaseChatModel):
    """A local base model, for ``create_agent`` and wherever LangChain takes a chat model.

    It calls no tools.

    Attributes:
        latent: The chat behind it.
    """

    latent: InstanceOf[LatentChat]

    @property
    def _llm_type(self) -> str:
        return "r3mem-latent"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = self.latent.answer(
            [{"role": _role(one), "content": str(one.text)} for one in messages]
        )
        for mark in stop or ():
            text = text.partition(mark)[0]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def _role(message: BaseMessage) -> str:
    whole = message_chunk_to_message(message)
    return whole.role if isinstance(whole, ChatMessage) else ROLES.get(whole.type, whole.type)
