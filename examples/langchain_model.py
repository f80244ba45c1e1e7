"""The chat model of the LangChain examples: any provider's, or the one that only quotes."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from r3mem_agents.cli.chat.extractive import answer
from r3mem_agents.cli.chat.responders import langchain_model


class ExtractiveChat(BaseChatModel):
    """Quotes what memory recalled."""

    @property
    def _llm_type(self) -> str:
        return "extractive"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        *before, last = (message.text for message in messages)
        history, _, question = last.rpartition("Human: ")  # a classic chain's prompt is one text
        quoted = answer(question.removesuffix("\nAI:"), "\n".join([*before, history]))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(quoted))])


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let the command line choose."""
    parser.add_argument("--model", help="provider and model, as openai:gpt-5.5 or ollama:qwen3")
    parser.add_argument(
        "--base-url", help="of an OpenAI-compatible server; --model names its model"
    )


def choose(options: argparse.Namespace) -> BaseChatModel:
    """The model that the command line asks for; without one, the one that quotes."""
    if options.model or options.base_url:
        return langchain_model(options.model, options.base_url)
    return ExtractiveChat()
