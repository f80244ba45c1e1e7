"""A chat client of Microsoft Agent Framework that answers from a script."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)


class Scripted(FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]):
    """Answers from a script, and keeps what it was shown."""

    def __init__(self, *answers: str | Message) -> None:
        super().__init__()
        self.answers = list(answers)
        self.prompts: list[tuple[str, list[Message]]] = []

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **kwargs: Any,
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        self.prompts.append((options.get("instructions") or "", list(messages)))
        answer = self.answers.pop(0)
        message = answer if isinstance(answer, Message) else Message("assistant", [answer])
        if stream:
            return self._build_response_stream(self._updates(message))
        return self._whole(message)

    async def _whole(self, message: Message) -> ChatResponse[Any]:
        return ChatResponse(messages=[message])

    async def _updates(self, message: Message) -> Any:
        for content in message.contents:
            yield ChatResponseUpdate(role="assistant", contents=[content])


def calls(name: str, **arguments: Any) -> Message:
    call = Content.from_function_call("c1", name, arguments=json.dumps(arguments))
    return Message("assistant", [call])


def dicts(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [message.to_dict() for message in messages]
