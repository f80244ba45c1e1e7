"""A model of Pydantic AI that answers from a script, and what is compared after its runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from r3mem_agents import CompressiveMemory

DOG = "My dog is called Biscuit."


class Scripted:
    """Answers in order, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.instructions: list[str] = []
        self.prompts: list[list[ModelMessage]] = []
        self.model = FunctionModel(self.answer)

    def answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.instructions.append(info.instructions or "")
        self.prompts.append(messages)
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, ModelResponse):
            return said
        return ModelResponse([TextPart(said) if isinstance(said, str) else said])


def call(tool: str, **arguments: Any) -> ToolCallPart:
    return ToolCallPart(tool, arguments, tool_call_id=f"{tool} {len(str(arguments))}")


def user_of(run: RunContext[str]) -> str:
    return run.deps


def kept(messages: list[ModelMessage]) -> list[ModelMessage]:
    """As the host's own JSON gives them back, without instructions."""
    loaded = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(messages))
    return [
        replace(one, instructions=None) if isinstance(one, ModelRequest) else one for one in loaded
    ]


def texts(memory: CompressiveMemory, user: str) -> list[str]:
    return [turn.text for turn in memory.scoped(user=user).history()]
