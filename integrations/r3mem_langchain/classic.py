"""A memory for LangChain's classic chains and agent executors."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, Self

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    get_buffer_string,
)
from pydantic import ConfigDict, Field, model_validator

from r3mem_agents import Turn
from r3mem_agents.concurrency import in_thread
from r3mem_agents.errors import InvalidInputError, MissingExtraError
from r3mem_agents.prompts import (
    OnError,
    PromptMemory,
    RecallFrom,
    check_options,
    indented,
    prompt_memory,
    raise_or_log,
    recall_sessions,
    whole_calls,
)
from r3mem_langchain._handle import MemoryField
from r3mem_langchain._messages import to_message, to_turn, to_turns

if find_spec("langchain_classic") is not None:
    from langchain_classic.base_memory import BaseMemory
elif find_spec("langchain_core.memory") is not None:  # langchain-core before 1.0
    from langchain_core.memory import BaseMemory  # type: ignore[import-not-found,no-redef]
else:
    raise MissingExtraError("langchain-classic", "classic")

logger = logging.getLogger(__name__)

STEPS = "intermediate_steps"
"""Where an ``AgentExecutor`` returns its tool calls and their results, if it is told to."""


class R3Memory(BaseMemory):
    """The newest turns of a conversation as they are, and older ones that help.

    What is recalled is marked and never stored again. What is stored is the input and the output
    of a run, and the tool calls and results of an ``AgentExecutor`` with
    ``return_intermediate_steps=True``. One object is one conversation: for another one give it
    ``memory.scoped(session=...)``. A classic chain has no ids, so a run that is repeated counts
    as said twice.

    Attributes:
        memory: Where turns are kept, or its path; its session is the conversation.
        memory_key: The prompt's variable.
        input_key: The input to look up and store; ``None`` takes the only text among the inputs,
            or ``input``.
        output_key: The output to store; ``None`` takes the only text among the outputs, or
            ``output``.
        return_messages: Messages instead of one string.
        k: Maximum number of turns to recall; 5, as ``CompressiveMemory.recall`` has it.
        window: Maximum number of newest turns of the conversation; 10, the five exchanges of
            LangChain's ``ConversationBufferWindowMemory``.
        recall_from: Recall from all of the user's sessions, or from this one only; ``None`` means
            the user's if the memory has a ``user``, otherwise the session.
        where: Recall only turns that meet these conditions, as ``CompressiveMemory.recall`` has
            them; the newest turns of the conversation need not.
        as_of: Recall only what was known at this time, likewise.
        token_budget: Maximum number of tokens of all that the prompt gets; 2,000, as LangChain's
            ``ConversationTokenBufferMemory`` has it.
        expires: How long after it was said a turn is gone; ``None`` means never.
        on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and answer without.

    Example:
        >>> chain = ConversationChain(llm=llm, memory=R3Memory(memory="alice.db"))
        >>> chain.invoke("My dog is called Biscuit.")
    """

    # A user or session that is named in a way unknown here must not be left out without a word.
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    memory: MemoryField
    memory_key: str = "history"
    input_key: str | None = None
    output_key: str | None = None
    return_messages: bool = False
    k: int = Field(default=5, ge=1)
    window: int = Field(default=10, ge=0)
    recall_from: RecallFrom | None = None
    where: Mapping[str, Any] | None = None
    as_of: datetime | None = None
    token_budget: int = Field(default=2000, ge=0)
    expires: timedelta | None = None
    on_error: OnError = "raise"

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_options(where=self.where, as_of=self.as_of, expires=self.expires)
        return self

    @property
    def memory_variables(self) -> list[str]:
        """The prompt's variable."""
        return [self.memory_key]

    def load_memory_variables(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Variables of the prompt for these inputs.

        Raises:
            R3MemError: If the memory cannot be read, and errors are raised.
        """
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            return self._shown(self._prompt(inputs))
        return self._shown(PromptMemory((), ""))

    aload_memory_variables = in_thread(load_memory_variables)

    def save_context(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        """Store a run, whole or not at all.

        Raises:
            InvalidInputError: If it is not clear what was said; set ``input_key`` or
                ``output_key`` then.
            R3MemError: If it cannot be stored, and errors are raised.
        """
        with raise_or_log(self.on_error, logger, "what was said was not stored"):
            self.memory.remember_many(self._turns(inputs, outputs))

    asave_context = in_thread(save_context)

    def clear(self) -> None:
        """Forget this conversation: no trace of it is left in the file. Others stay."""
        self.memory.forget(session=self.memory.session)

    aclear = in_thread(clear)

    def _prompt(self, inputs: dict[str, Any]) -> PromptMemory:
        asked = self._one(inputs, self.input_key, "input") if inputs else ""
        return prompt_memory(
            self.memory,
            to_turn(_as(HumanMessage, asked)).text,
            k=self.k,
            window=self.window,
            token_budget=self.token_budget,
            sessions=recall_sessions(self.memory, self.recall_from),
            where=self.where,
            as_of=self.as_of,
        )

    def _shown(self, found: PromptMemory) -> dict[str, Any]:
        recent = [to_message(turn) for turn in found.recent]
        if self.return_messages:
            before = [SystemMessage(found.recalled)] if found.recalled else []
            return {self.memory_key: [*before, *_whole_calls(recent)]}
        lines = (indented(get_buffer_string([message])) for message in recent)
        parts = (found.recalled, *lines)
        return {self.memory_key: "\n".join(part for part in parts if part)}

    def _turns(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> list[Turn]:
        asked = self._one(inputs, self.input_key, "input")
        answered = self._one(outputs, self.output_key, "output")
        steps = _steps(outputs.get(STEPS) or ())
        said = [_as(HumanMessage, asked), *steps, _as(AIMessage, answered)]
        return to_turns(said, expires=self.expires)

    def _one(self, values: dict[str, Any], key: str | None, usual: str) -> Any:
        texts = [
            name
            for name, value in values.items()
            if isinstance(value, str) and name not in (self.memory_key, "stop")
        ]
        name = key or (texts[0] if len(texts) == 1 else usual)
        if name not in values:
            raise InvalidInputError(
                f"there is no {name!r} among {sorted(values)}; name what the conversation is made "
                f"of: R3Memory(..., {usual}_key='...')"
            )
        return values[name]


def _whole_calls(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    return whole_calls(
        messages,
        role=lambda message: message.type,
        calls=lambda message: [one["id"] for one in getattr(message, "tool_calls", ())],
        answered=lambda message: getattr(message, "tool_call_id", None),
    )


def _as(kind: type[AIMessage | HumanMessage], value: Any) -> BaseMessage:
    if isinstance(value, BaseMessage):
        return value
    try:
        return kind(content=value)
    except ValueError as error:
        raise InvalidInputError(
            f"a turn is made of a text or a message, not of {type(value).__name__}"
        ) from error


def _steps(steps: Sequence[Any]) -> list[BaseMessage]:
    # Pairs of an AgentAction and what the tool returned.
    messages: list[BaseMessage] = []
    for number, (action, result) in enumerate(steps):
        given = action.tool_input
        arguments = given if isinstance(given, dict) else {"input": given}
        id_ = getattr(action, "tool_call_id", f"step-{number}")
        call = {"name": action.tool, "args": arguments, "id": id_}
        messages.append(AIMessage(content="", tool_calls=[call]))
        messages.append(ToolMessage(content=str(result), name=action.tool, tool_call_id=id_))
    return messages
