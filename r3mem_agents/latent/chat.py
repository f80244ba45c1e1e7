"""A conversation whose older messages are memory tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import TemplateError

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.latent.memory import LatentMemory
from r3mem_agents.latent.state import LatentState
from r3mem_agents.validation import check_count, check_text

RECENT = 512


class LatentChat:
    """Answers messages: the newest are in the prompt, older ones are memory tokens before it.

    Messages leave the prompt a segment or more at a time, and what has left is not compressed again
    while a conversation goes on, so one chat for each conversation is the quickest.
    """

    def __init__(
        self, memory: LatentMemory, *, recent: int = RECENT, max_new_tokens: int = 256
    ) -> None:
        """A chat.

        Args:
            memory: Memory tokens on a base.
            recent: Tokens of the newest messages that stay in the prompt when older ones leave it;
                up to a segment more is there in between.
            max_new_tokens: Tokens of an answer, at most.

        Raises:
            InvalidInputError: A number is out of range.
        """
        self.memory = memory
        self.recent = check_count(recent, "recent")
        self.max_new_tokens = check_count(max_new_tokens, "max_new_tokens")
        self._kept: tuple[tuple[str, ...], LatentState | None] = ((), None)

    def answer(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Answer the last of some messages.

        Args:
            messages: Each with ``role`` and ``content``; those of the system are always in the
                prompt, before all others.

        Raises:
            InvalidInputError: There is no message, or one is none, or the base's chat template does
                not take them.
            TextTooLongError: The newest messages are longer than the base's positions.
            OutOfMemoryError: The machine has too little memory.
        """
        older, prompt = self.split(messages)
        return self.memory.generate(
            self._state(older), self._written(prompt), max_new_tokens=self.max_new_tokens
        )

    @property
    def compressed(self) -> LatentState:
        """What of the conversation that was answered last is memory tokens."""
        return self._kept[1] or self.memory.compress("")

    def split(
        self, messages: Sequence[Mapping[str, str]]
    ) -> tuple[list[str], list[Mapping[str, str]]]:
        """What of a conversation is memory tokens, and what is in the prompt.

        Args:
            messages: As for ``answer``.

        Returns:
            Texts that are compressed, one after the other; and messages, as they are.

        Raises:
            InvalidInputError: There is no message, or one is none.
        """
        for place, message in enumerate(messages):
            if not isinstance(message, Mapping):
                raise InvalidInputError(
                    f"messages[{place}] must have a role and content, not be a "
                    f"{type(message).__name__}"
                )
            for name in ("role", "content"):
                check_text(message.get(name), f"messages[{place}][{name!r}]")
        system = [message for message in messages if message["role"] == "system"]
        said = [message for message in messages if message["role"] != "system"]
        if not said:
            raise InvalidInputError("there is no message to answer")
        lines = [f"{message['role']}: {message['content']}\n" for message in said]
        sizes = [self.memory.count_tokens(line) for line in lines]
        opens = [message["role"] == "user" for message in said]
        ends = leaving(sizes, opens, self.recent, self.memory.adapter.segment)
        older = ["".join(lines[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
        return older, [*system, *said[ends[-1] if ends else 0 :]]

    def _state(self, older: list[str]) -> LatentState | None:
        """Texts as memory tokens; only those that are new are compressed."""
        texts, state = self._kept
        learned_more = state is not None and state.adapter != self.memory.fingerprint
        if learned_more or texts != tuple(older[: len(texts)]):
            texts, state = (), None
        for text in older[len(texts) :]:
            state = self.memory.compress(text, state)
        self._kept = tuple(older), state
        return state

    def _written(self, prompt: list[Mapping[str, str]]) -> str:
        tokenizer = self.memory.tokenizer
        if tokenizer.chat_template is None:
            lines = [f"{message['role']}: {message['content']}\n" for message in prompt]
            return "".join([*lines, "assistant:"])
        messages = [dict(message) for message in prompt]
        try:
            return str(
                tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            )
        except TemplateError as error:
            raise InvalidInputError(
                f"the base's chat template does not take these messages: {error}; some take no "
                "system message, or only users and assistants in turn"
            ) from error


def leaving(sizes: Sequence[int], opens: Sequence[bool], recent: int, segment: int) -> list[int]:
    """Where the prompt of a conversation began anew, as it grew.

    Args:
        sizes: Tokens of each message.
        opens: Whether a prompt may begin with it.
        recent: Tokens that may stay.
        segment: Tokens beyond them at which older messages leave.

    Returns:
        Places of messages, ascending. What follows a message changes none of those up to it.
    """
    starts = [0]
    for end in range(len(sizes)):
        if sum(sizes[starts[-1] : end + 1]) <= recent + segment:
            continue
        able = [place for place in range(starts[-1] + 1, end + 1) if opens[place]]
        fitting = [place for place in able if sum(sizes[place : end + 1]) <= recent]
        if able:
            starts.append(fitting[0] if fitting else able[-1])
    return starts[1:]
