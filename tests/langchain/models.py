"""The hosts' own fake chat models, made to accept tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr


class ScriptedModel(GenericFakeChatModel):
    """Says what it is told to, streams it word by word, and keeps what it was asked."""

    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def asked(self) -> list[list[BaseMessage]]:
        return self._asked

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self

    def _generate(self, messages: list[BaseMessage], *rest: Any, **options: Any) -> Any:
        self._asked.append(list(messages))
        return super()._generate(messages, *rest, **options)

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[Any]:
        message = self._generate(messages).generations[0].message
        for part in re.findall(r"\S+\s*", message.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=part, id=message.id))
        for index, call in enumerate(message.tool_calls):
            chunk = call | {"args": json.dumps(call["args"]), "index": index}
            yield ChatGenerationChunk(
                message=AIMessageChunk(content="", id=message.id, tool_call_chunks=[chunk])
            )


def scripted(*answers: str | AIMessage) -> ScriptedModel:
    return ScriptedModel(messages=iter(answers))


def calls(name: str, id: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": id}])


class EchoModel(ScriptedModel):
    """Repeats what the user says; may be used by many tasks and threads at once."""

    messages: Any = ()

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self._asked.append(list(messages))
        answer = AIMessage(f"You said: {messages[-1].text}")
        return ChatResult(generations=[ChatGeneration(message=answer)])
