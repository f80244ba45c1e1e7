"""Who answers: any model of LangChain's providers, any server of OpenAI's protocol, or a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from r3mem_agents.errors import ChatModelError, MissingExtraError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NEW_TOKENS = 512
"""Most tokens of an answer of a model in a folder; chosen."""


class Message(TypedDict):
    """One message of a prompt, as every provider takes it."""

    role: str
    content: str


Responder = Callable[[list[Message]], Iterator[str]]
"""Answers a prompt, part after part."""


def choose_responder(model: str | None, base_url: str | None = None) -> Responder | None:
    """Who answers.

    Args:
        model: Provider and model as LangChain names them, ``openai:gpt-5.5``; a model of the
            server; or a folder with a Hugging Face model.
        base_url: Address of a server that speaks OpenAI's protocol, up to ``/v1``.

    Returns:
        ``None`` if neither is given.

    Raises:
        ChatModelError: If there is no such model.
        MissingExtraError: If what it needs is not installed.
    """
    if model is None and base_url is None:
        return None
    if model is not None and base_url is None and Path(model).is_dir():
        return _folder(model)
    chat_model = langchain_model(model, base_url)

    def respond(messages: list[Message]) -> Iterator[str]:
        return _guarded(part.text for part in chat_model.stream([dict(one) for one in messages]))

    return respond


def langchain_model(model: str | None, base_url: str | None = None) -> BaseChatModel:
    """A chat model of LangChain; arguments and errors as in ``choose_responder``."""
    if find_spec("langchain") is None:
        raise MissingExtraError("langchain", "langchain")
    from langchain.chat_models import init_chat_model

    server: dict[str, Any] = {}
    if base_url is not None:
        key = os.environ.get("OPENAI_API_KEY", "none")  # a server of one's own asks for none
        server = {"model_provider": "openai", "base_url": base_url, "api_key": key}
    try:
        chat_model: BaseChatModel = init_chat_model(model or "default", **server)
    except Exception as error:  # each provider has its own
        raise ChatModelError(f"no chat model {model or base_url}: {error}") from error
    return chat_model


def _folder(path: str) -> Responder:
    if find_spec("transformers") is None:
        raise MissingExtraError("transformers", "pretrained")
    from transformers import pipeline

    try:
        generate: Any = pipeline("text-generation", model=path)
    except (OSError, ValueError) as error:
        raise ChatModelError(f"no chat model in {path}: {error}") from error

    def respond(messages: list[Message]) -> Iterator[str]:
        def parts() -> Iterator[str]:
            yield generate(messages, max_new_tokens=NEW_TOKENS, return_full_text=False)[0][
                "generated_text"
            ]

        return _guarded(parts())

    return respond


def _guarded(parts: Iterable[str]) -> Iterator[str]:
    try:
        yield from parts
    except Exception as error:  # each provider has its own
        reason = f"{type(error).__name__}: {error}"
        raise ChatModelError(f"the model did not answer: {reason}") from error
