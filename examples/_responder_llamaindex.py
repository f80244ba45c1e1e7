"""The chat model of the LlamaIndex examples: a real one, or one that only quotes its memory."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms import LLM
from llama_index.core.llms.mock import MockFunctionCallingLLM

from r3mem_agents.cli.chat.extractive import answer
from r3mem_agents.prompts import indented, is_recalled, wall_clock


def chat_model(model: str | None = None, base_url: str | None = None) -> LLM:
    """Make a chat model.

    Args:
        model: A name at ``base_url``, or the folder of a Hugging Face model; ``None`` quotes.
        base_url: Address of any server that speaks OpenAI's protocol, up to ``/v1``.
    """
    if model is None:
        return MockFunctionCallingLLM(is_chat_model=True, response_generator=_quote)
    try:
        if Path(model).is_dir():
            from llama_index.llms.huggingface import HuggingFaceLLM

            return HuggingFaceLLM(model_name=model, tokenizer_name=model, is_chat_model=True)
        from llama_index.llms.openai_like import OpenAILike
    except ImportError as error:
        raise SystemExit(
            f"{error.name} is missing: pip install llama-index-llms-openai-like, or "
            "llama-index-llms-huggingface for a folder"
        ) from error
    return OpenAILike(
        model=model,
        api_base=base_url,
        api_key=os.environ.get("OPENAI_API_KEY", "none"),  # a server of one's own asks for none
        is_chat_model=True,
        is_function_calling_model=True,
    )


def _quote(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
    last = messages[-1]
    if last.role == "tool":
        return ChatMessage(role="assistant", content=last.content)
    question = last.blocks[-1].text  # type: ignore[union-attr]
    # It has no judgement of when to use a tool, so it is told: "/forget my dog".
    if command := re.fullmatch(r"/(\w+) (.*)", question):
        name, argument = command.groups()
        call = ToolCallBlock(tool_call_id=name, tool_name=name, tool_kwargs={"about": argument})
        return ChatMessage(role="assistant", blocks=[call])
    # What was said in this conversation is there as messages, and is quoted like the rest.
    lines = (
        f"[{wall_clock(datetime.now(UTC))}] user: {indented(message.content or '')}"
        if message.role == "user" and not is_recalled(message.content or "")
        else str(message.content)
        for message in messages[:-1]
    )
    prompt = "\n".join([*lines, str(last.content)])
    return ChatMessage(role="assistant", content=answer(question, prompt))
