"""Changes that a host made to a thread between two runs, carried over to the memory.

A message whose id got another content was edited, and its turn is too. What left the messages
*between* two runs was removed by the host for its user, and is forgotten; what left them *during* a
run was taken out by middleware, to save room, and stays. So does what a summary stands for, whoever
put that there: a system message, or one that LangChain marks as inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from langchain_core.messages import AnyMessage

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import NotFoundError
from r3mem_agents.prompts import digest_of
from r3mem_langchain._known import said_still
from r3mem_langchain._messages import key_of, to_turn
from r3mem_langchain._quoting import METADATA
from r3mem_langchain._turns import is_said

Seen = Mapping[str, str]
"""Digests of the messages at the end of a run, by key."""

UNSAID = "unsaid "
"""Prefix of the digests of messages that nobody said: instructions, summaries."""


def seen(messages: Iterable[AnyMessage]) -> dict[str, str]:
    """Digests of messages, noted at the end of a run."""
    return {key: _digest(one) for one in messages if (key := key_of(one)) is not None}


def follow(
    memory: CompressiveMemory,
    before: Seen | None,
    messages: Sequence[AnyMessage],
    *,
    expires: timedelta | None = None,
) -> None:
    """Edit and forget what the host edited and removed since the last run.

    Args:
        memory: Bound to the thread.
        before: What was noted at the end of the last run. ``None`` if nobody noted anything, as
            without a checkpointer: then messages that memory has by their ids are compared. Empty
            if the last run was broken off, since who changed what is not known then.
        messages: Those of the state now.
        expires: How long what is edited lives from now on.

    Raises:
        StoreError: If the memory cannot be written.
    """
    now = {key: one for one in messages if (key := key_of(one)) is not None}
    if before is None:
        _edit(memory, now, expires, whole=False)
        return
    kept = {key: one for key, one in now.items() if key in before}
    changed = {key: one for key, one in kept.items() if _digest(one) != before[key]}
    _edit(memory, changed, expires, whole=True)
    gone = [key for key in before if key not in kept]
    new = [one for key, one in now.items() if key not in kept]
    known = set(before.values())
    if gone and all(is_said(one) or _digest(one) in known for one in new):
        summed = not kept and any(digest.startswith(UNSAID) for digest in known)
        _forget(memory, gone, new, summed=summed)


def _edit(
    memory: CompressiveMemory,
    messages: Mapping[str, AnyMessage],
    expires: timedelta | None,
    *,
    whole: bool,
) -> None:
    # Turns that memory does not have are left to others: they could not be stored, or are new.
    stored = {one.key: one for one in memory.fetch(keys=messages)} if messages else {}
    said = [
        to_turn(one, expires=expires)
        for key, one in messages.items()
        if key in stored and is_said(one)
    ]
    memory.remember_many(one for one in said if whole or _differs(one, stored[one.key]))


def _differs(turn: Turn, stored: StoredTurn) -> bool:
    # By what was said alone: clients resend less of a message than there was.
    return (turn.role, _content(turn)) != (stored.role, _content(stored))


def _content(turn: Turn) -> str:
    # Its text without tool calls.
    return turn.text[: (turn.metadata or {}).get(METADATA, {}).get("content")]


def _forget(
    memory: CompressiveMemory, keys: Sequence[str], new: Sequence[AnyMessage], *, summed: bool
) -> None:
    # If nothing is left and a summary is gone too, then so is what it stood for: the whole thread.
    kept = said_still(new, memory.fetch(keys=keys))
    while True:
        ids = memory.turn_ids(keys=keys)
        if summed and not kept:
            ids = memory.turn_ids(memory.session)
        if not (doomed := [id_ for id_ in ids if id_ not in kept]):
            return
        try:
            memory.forget(turn_ids=doomed)
        except NotFoundError:  # another run of the thread was faster with some of them
            continue


def _digest(message: AnyMessage) -> str:
    calls = getattr(message, "tool_calls", None)
    digest = digest_of(repr((message.type, message.name, message.content, calls)))[:16]
    return digest if is_said(message) else UNSAID + digest
