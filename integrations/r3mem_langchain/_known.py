"""Which messages of a run its thread's memory has already.

A message is known by its id. Hosts that resend a history without ids, as stateless endpoints do,
get new ids for it in each run; it is known by role and content then, from the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from langchain_core.messages import AnyMessage, HumanMessage

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.prompts import is_note, shown_turns
from r3mem_langchain._messages import key_of, to_turn, to_turns
from r3mem_langchain._turns import is_said


def unwritten(
    memory: CompressiveMemory, turn: Sequence[AnyMessage], *, expires: timedelta | None = None
) -> list[Turn]:
    """A turn's messages that are to be written: not those that the user repeats unanswered.

    A client that was cut off says it again, perhaps without the id of the first time.

    Args:
        memory: Bound to the thread.
        turn: The messages of the turn.
        expires: How long they live after they are written.
    """
    retried = _retried(memory, turn)
    said = (one for number, one in enumerate(turn) if number not in retried)
    return to_turns(said, expires=expires)


def known_ids(
    memory: CompressiveMemory, messages: Sequence[AnyMessage], turn: Sequence[AnyMessage]
) -> set[int]:
    """Ids of the turns that a prompt with these messages shows already.

    Args:
        memory: Bound to the thread.
        messages: All of the state's.
        turn: Those among them that are said now.
    """
    said = [one for one in messages if is_said(one)]
    keys = _keys(said)
    known = set(memory.turn_ids(keys=keys))
    stored = {one.key for one in memory.fetch(keys=keys)} if len(known) < len(keys) else set(keys)
    known.update(_retried(memory, turn).values())
    now = {one.id for one in turn}
    missing = [one for one in said if one.id not in now and key_of(one) not in stored]
    return known | shown_turns(memory, map(_said, to_turns(missing)), known)


def said_elsewhere(
    memory: CompressiveMemory,
    before: Iterable[str] | None,
    turn: Sequence[AnyMessage],
    messages: Sequence[AnyMessage],
) -> set[int]:
    """Ids of turns that another branch of the thread said.

    A host goes back to an earlier checkpoint to ask something else, or to have it answered anew.
    What was said there since is no part of this branch.

    Args:
        memory: Bound to the thread.
        before: Keys of the messages at the end of the branch's last run, if they are known.
        turn: The messages that are said now.
        messages: All of the state's.
    """
    since = memory.turn_ids(keys=before)[-1:] if before else memory.turn_ids(keys=_keys(turn))[:1]
    if not since:
        return set()
    known = set(memory.turn_ids(keys=_keys(messages)))
    later = [i for i in memory.turn_ids(memory.session) if i > since[0] and i not in known]
    # What has no message's id was put into the thread by others, for every branch of it.
    return {one.id for one in memory.fetch(turn_ids=later) if one.key and not is_note(one.key)}


def said_still(messages: Iterable[AnyMessage], turns: Sequence[StoredTurn]) -> set[int]:
    """Ids of those turns whose content is among the messages, perhaps under another id."""
    left = Counter(_said(one) for one in to_turns(messages))
    found: set[int] = set()
    for one in turns:
        if left[_said(one)] > 0:
            left[_said(one)] -= 1
            found.add(one.id)
    return found


def _retried(memory: CompressiveMemory, turn: Sequence[AnyMessage]) -> dict[int, int]:
    # By place in the turn, the ids of the stored turns that its messages are said again.
    if not any(isinstance(one, HumanMessage) for one in turn):
        return {}
    keys = _keys(turn)
    waiting = list(_unanswered(memory, set(keys)))[::-1]
    found: dict[int, int] = {}
    if waiting:
        stored = {one.key for one in memory.fetch(keys=keys)}
        for number, message in enumerate(turn):
            if isinstance(message, HumanMessage) and key_of(message) not in stored:
                said = _said(to_turn(message))
                first = next((one for one in waiting if _said(one) == said), None)
                if first is not None:
                    waiting.remove(first)
                    found[number] = first.id
    return found


def _unanswered(memory: CompressiveMemory, keys: set[str]) -> Iterator[StoredTurn]:
    # What was said in the thread after the last answer, these keys apart; the newest first.
    for id_ in reversed(memory.turn_ids(memory.session)):
        for one in memory.fetch(turn_ids=[id_]):  # none if it was forgotten since
            if one.key in keys:
                continue
            if one.role != "user":
                return
            yield one


def _keys(messages: Iterable[AnyMessage]) -> list[str]:
    return [key for one in messages if (key := key_of(one)) is not None]


def _said(turn: Turn) -> tuple[str, str]:
    return turn.role, turn.text.strip()
