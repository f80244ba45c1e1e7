"""A Hugging Face model out of a folder answers, token after token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from r3mem_agents.cli.chat.responders import Message, Responder
from r3mem_agents.errors import ChatModelError, MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "pretrained")
if find_spec("transformers") is None:
    raise MissingExtraError("transformers", "pretrained")

import torch
from transformers import (
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
    pipeline,
)

NEW_TOKENS = 512
"""Maximum number of tokens of an answer; chosen."""


class _Stop(StoppingCriteria):  # type: ignore[misc]
    """Ends an answer that nobody reads any more."""

    def __init__(self) -> None:
        self.wanted = threading.Event()

    def __call__(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        return torch.full((len(input_ids),), self.wanted.is_set(), device=input_ids.device)


def folder_responder(folder: Path) -> Responder:
    """The model in a folder.

    Raises:
        ChatModelError: If there is none.
    """
    if not (folder / "config.json").is_file():
        raise ChatModelError(
            f"no chat model in {folder}: it has no config.json; give the folder of a Hugging Face "
            "model, as save_pretrained or a download makes it"
        )
    try:
        generate: Any = pipeline("text-generation", model=str(folder))
    except (OSError, ValueError) as error:
        raise ChatModelError(f"no chat model in {folder}: {error}") from error

    def respond(messages: list[Message]) -> Iterator[str]:
        stop = _Stop()
        parts = TextIteratorStreamer(generate.tokenizer, skip_prompt=True, skip_special_tokens=True)
        failures: list[Exception] = []

        def work() -> None:
            try:
                generate(
                    messages,
                    max_new_tokens=NEW_TOKENS,
                    streamer=parts,
                    stopping_criteria=StoppingCriteriaList([stop]),
                )
            except Exception as error:
                failures.append(error)
            finally:
                parts.end()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        try:
            yield from filter(None, parts)
        finally:
            stop.wanted.set()
            worker.join()
        if failures:
            raise failures[0]

    return respond
