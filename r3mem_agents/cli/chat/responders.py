"""Chat models: those of LangChain's providers, servers of OpenAI's protocol, and folders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from r3mem_agents.errors import ChatModelError, MissingExtraError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

WEIGHTS = {".gguf", ".ggml", ".safetensors", ".bin", ".pt", ".pth", ".onnx"}
"""Endings of files that hold weights."""

_PROVIDER = re.compile(r"[a-z][a-z_]+:")


class Message(TypedDict):
    """One message of a prompt, in the form that every provider takes."""

    role: str
    content: str


Responder = Callable[[list[Message]], Iterator[str]]
"""Answers a prompt, part after part."""


def choose_responder(model: str | None, base_url: str | None = None) -> Responder | None:
    """Return the responder of a model.

    Args:
        model: Provider and model as LangChain names them, ``openai:gpt-5.5``; a model of the
            server; or a folder with a Hugging Face model.
        base_url: Address of a server that speaks OpenAI's protocol, up to ``/v1``.

    Returns:
        ``None`` if neither is given.

    Raises:
        ChatModelError: If there is no such model.
        MissingExtraError: If a package that it needs is not installed.
    """
    if model is None and base_url is None:
        return None
    if model is not None and base_url is None and Path(model).expanduser().is_dir():
        from r3mem_agents.cli.chat.folder import folder_responder  # needs transformers

        return guarded(folder_responder(Path(model).expanduser()))
    chat_model = langchain_model(model, base_url)

    def respond(messages: list[Message]) -> Iterator[str]:
        return (part.text for part in chat_model.stream([dict(one) for one in messages]))

    return guarded(respond)


def langchain_model(model: str | None, base_url: str | None = None) -> BaseChatModel:
    """A chat model of LangChain; arguments and errors as in ``choose_responder``."""
    if model is not None and base_url is None:
        check_no_path(model)
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


def check_no_path(model: str) -> None:
    """Check that a model's name is not meant as a path, before a provider is asked for it.

    Raises:
        ChatModelError: If it is one: of no folder with a model, since that is taken first.
    """
    path = Path(model).expanduser()
    named = model.startswith((".", "~")) or path.is_absolute() or path.suffix in WEIGHTS
    if _PROVIDER.match(model) or not (named or path.exists() or "/" in model):
        return
    what = "it is a file" if path.is_file() else "there is no such folder"
    advice = (
        "serve it, with llama.cpp or Ollama for example, and give that server's --base-url"
        if path.suffix == ".gguf"
        else "give the folder of a Hugging Face model, or a provider's model as openai:gpt-5.5"
    )
    raise ChatModelError(f"no chat model at {model}: {what}; {advice}")


def guarded(respond: Responder) -> Responder:
    """Raise whatever goes wrong in a model as a ``ChatModelError``."""

    def answer(messages: list[Message]) -> Iterator[str]:
        try:
            yield from respond(messages)
        except Exception as error:  # each provider has its own
            reason = f"{type(error).__name__}: {error}"
            raise ChatModelError(f"the model did not answer: {reason}") from error

    return answer
