"""Tool calls with their results, as providers take them: whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from r3mem_agents.memory.window import REPLIES
from r3mem_llamaindex.conversation import Shown


def whole_calls(window: Sequence[Shown]) -> list[Shown]:
    """Leave out calls that miss a result, and results that miss their call.

    A run that was broken off, or a result that was forgotten, leaves such calls behind; providers
    refuse a prompt with one of them.
    """
    kept: list[Shown] = []
    place = 0
    while place < len(window):
        said = window[place]
        after = window[place + 1 :]
        results = list(takewhile(lambda shown: shown.message.role.value in REPLIES, after))
        place += 1 + len(results)
        calls = _calls(said.message)
        answered = _answers(calls, results)
        if len(answered) == len(calls):
            kept.append(said)
            # Hosts that name no calls have results without names.
            kept += answered if calls else [one for one in results if _answered(one) is None]
    return kept


def _calls(message: ChatMessage) -> list[str | None]:
    # Ids of the calls: in blocks, or as older models of the host have them.
    blocks: list[Any] = [b.tool_call_id for b in message.blocks if isinstance(b, ToolCallBlock)]
    older = message.additional_kwargs.get("tool_calls") or ()
    named = [one.get("id") if isinstance(one, dict) else getattr(one, "id", None) for one in older]
    return blocks or named


def _answers(calls: Sequence[str | None], results: Sequence[Shown]) -> list[Shown]:
    # A result for each call that has one. Not every model names its calls, nor every host results.
    ids = [_answered(result) for result in results]
    taken: set[int] = set()
    for call in sorted(calls, key=lambda id_: id_ is None):
        left = [place for place in range(len(ids)) if place not in taken]
        named = [place for place in left if ids[place] == call]
        unnamed = [place for place in left if call is None or ids[place] is None]
        taken.update((named or unnamed)[:1])
    return [results[place] for place in sorted(taken)]


def _answered(shown: Shown) -> str | None:
    id_: str | None = shown.message.additional_kwargs.get("tool_call_id")
    return id_
