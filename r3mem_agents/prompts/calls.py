"""Tool calls with their results, as providers take them: whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TypeVar

from r3mem_agents.prompts.window import REPLIES

Item = TypeVar("Item")


def whole_calls(
    messages: Sequence[Item],
    *,
    role: Callable[[Item], str],
    calls: Callable[[Item], Sequence[str | None]],
    answered: Callable[[Item], str | None],
) -> list[Item]:
    """Leave out messages whose calls miss a result, and results that miss their call.

    A run that was broken off, or a result that was forgotten, leaves such calls behind; providers
    refuse a prompt with one of them.

    Args:
        messages: The oldest first.
        role: Role of a message.
        calls: Ids of the calls in a message; ``None`` for one without an id.
        answered: Id of the call that a result answers, if it names one.
    """
    kept: list[Item] = []
    place = 0
    while place < len(messages):
        said = messages[place]
        results = list(takewhile(lambda one: role(one) in REPLIES, messages[place + 1 :]))
        place += 1 + len(results)
        wanted = calls(said)
        ids = [answered(result) for result in results]
        found = _answers(wanted, ids)
        if len(found) == len(wanted):
            kept.append(said)
            # Hosts that name no calls have results without names.
            shown = found if wanted else [number for number, id_ in enumerate(ids) if id_ is None]
            kept += [results[number] for number in shown]
    return kept


def _answers(calls: Sequence[str | None], ids: Sequence[str | None]) -> list[int]:
    # Which results answer one call each. Not every model names its calls, nor every host results.
    taken: set[int] = set()
    for call in sorted(calls, key=lambda id_: id_ is None):
        left = [number for number in range(len(ids)) if number not in taken]
        named = [number for number in left if ids[number] == call]
        unnamed = [number for number in left if call is None or ids[number] is None]
        taken.update((named or unnamed)[:1])
    return sorted(taken)
