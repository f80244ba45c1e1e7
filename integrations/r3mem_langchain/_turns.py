"""Which messages of an agent's state were said in this turn."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from r3mem_langchain._messages import to_turn

INSERTED = "lc_source"
"""LangChain's own mark on messages that nobody said: summaries, notifications."""


def opened(pending: Sequence[AnyMessage], messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with which a turn begins: those after the last answer, or that if none are.

    Args:
        pending: Messages that an earlier turn left unwritten because it failed; they come first.
        messages: The state's.
    """
    if pending:
        return continued(pending, messages)
    answers = (AIMessage, ToolMessage)
    end = max((i for i, one in enumerate(messages) if isinstance(one, answers)), default=-1)
    # The last answer was written, and tells where the turn begins if nothing was said since.
    return [one for one in messages[end + 1 :] if is_said(one)] or list(messages[end : end + 1])


def continued(turn: Sequence[AnyMessage], messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """A turn with what was said since, each message as the state has it now, if it still does.

    Messages may have been taken out of the state by a summary, so they are collected as they come.
    """
    known = {one.id for one in turn}
    now = {one.id: one for one in messages}
    last = max((i for i, one in enumerate(messages) if one.id in known), default=-1)
    new = [one for one in messages[last + 1 :] if is_said(one)]
    return [*(now.get(one.id, one) for one in turn), *new]


def question(turn: Sequence[AnyMessage]) -> str:
    """The user's words in a turn."""
    return "\n".join(to_turn(one).text for one in turn if isinstance(one, HumanMessage))


def is_said(message: AnyMessage) -> bool:
    """True if somebody said a message: it is neither an instruction nor a summary."""
    return not isinstance(message, SystemMessage) and INSERTED not in message.additional_kwargs
