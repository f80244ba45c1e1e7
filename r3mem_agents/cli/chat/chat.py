"""One talk: every message is stored before it is answered, so that none is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from r3mem_agents.cli.chat.extractive import answer
from r3mem_agents.cli.chat.responders import Message, Responder
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.prompts import prompt_memory
from r3mem_agents.types import Recollection

INSTRUCTIONS = (
    "You are a helpful assistant with a long memory. What it holds for this question is quoted "
    "below, with dates and speakers; use it where it helps, and do not invent memories."
)

WINDOW = 11
"""The newest turns of a talk that a prompt shows: five exchanges, and what was just said."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and its sources.

    Attributes:
        text: The answer.
        recalled: Older turns that the prompt held, best first.
        prompt_tokens: Tokens of the whole prompt.
    """

    text: str
    recalled: tuple[Recollection, ...]
    prompt_tokens: int


class Chat:
    """A talk that is remembered."""

    def __init__(
        self,
        memory: CompressiveMemory,
        responder: Responder | None = None,
        *,
        token_budget: int = 800,
    ) -> None:
        """Begin or go on with a talk.

        Args:
            memory: Bound to the session of the talk.
            responder: Answers. ``None`` quotes what memory recalled; such quotes are not stored,
                so that nothing is remembered twice, and what is forgotten is gone.
            token_budget: Maximum number of tokens of a prompt that come from memory; 800, as
                ``CompressiveMemory.context`` has it.
        """
        self.memory = memory
        self._responder = responder
        self._token_budget = token_budget

    def reply(self, text: str, show: Callable[[str], None]) -> Reply:
        """Store what the user says, answer it, and store the answer.

        What has been answered when something goes wrong, or when the user interrupts, is stored.

        Args:
            text: The message.
            show: Gets the answer, part after part.

        Raises:
            R3MemError: If the memory cannot be read or written.
            ChatModelError: If the model does not answer. What the user said is stored then.
        """
        key = self._store("user", text)
        found = prompt_memory(
            self.memory, text, window=WINDOW, token_budget=self._token_budget, shown_keys=[key]
        )
        system = f"{INSTRUCTIONS}\n\n{found.text()}".rstrip()
        messages = [Message(role="system", content=system), Message(role="user", content=text)]
        if self._responder is None:
            said = answer(text, found.text())
            show(said)
        else:
            said = self._answer(self._responder, messages, show)
        return Reply(
            text=said,
            recalled=found.recollections,
            prompt_tokens=self.memory.model.count_tokens(
                "\n".join(message["content"] for message in messages)
            ),
        )

    def _answer(
        self, responder: Responder, messages: list[Message], show: Callable[[str], None]
    ) -> str:
        parts: list[str] = []
        try:
            for part in responder(messages):
                parts.append(part)
                show(part)
        finally:
            if any(parts):
                self._store("assistant", "".join(parts))
        return "".join(parts)

    def _store(self, role: str, text: str) -> str:
        key = uuid4().hex
        try:
            self.memory.remember(role, text, key=key)
        except KeyboardInterrupt:
            self.memory.remember(role, text, key=key)  # once, whether the first came through or not
            raise
        return key
