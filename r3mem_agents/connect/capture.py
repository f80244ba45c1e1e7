"""An event remembered, and answered with what the memory knows."""

from __future__ import annotations

import json
from typing import Any

from r3mem_agents.connect.events import Said
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.prompts import prompt_memory, without_recalled

MAX_TURNS = 5
"""Turns that a prompt gets from the memory at most; chosen."""

TOKEN_BUDGET = 800
"""Tokens that it gets at most. Claude Code and Cursor take 10,000 characters of a hook as they are;
these are about a third of that."""

SHOWN_TURNS = 50
"""Turns of a session that a host shows its model as they are; chosen. Older ones it may have
compacted, so that they are worth recalling."""

MAX_QUESTION = 20_000
"""Characters of a prompt that are looked up; of a longer one half of them from each end, since what
is in between was pasted. Chosen; a megabyte would take longer than hosts wait for a hook."""


def capture(memory: CompressiveMemory, said: Said) -> str:
    """Remember what was said, once however often it is told, and recall what helps with it.

    What a memory gave the host is not what somebody said: it is left out.

    Args:
        memory: The memory, bound to the session.
        said: What was said.

    Returns:
        What the model should be given: marked as a quotation, and nothing to what it says itself.
    """
    text = without_recalled(said.text)
    if not text.strip():
        return ""
    memory.remember(said.role, text, key=said.key)
    if said.role != "user":
        return ""
    shown = memory.turn_ids(memory.session)[-SHOWN_TURNS:]
    half = MAX_QUESTION // 2
    asked = text if len(text) <= MAX_QUESTION else f"{text[:half]}\n{text[-half:]}"
    found = prompt_memory(
        memory, asked, window=0, k=MAX_TURNS, token_budget=TOKEN_BUDGET, shown_ids=shown
    )
    return found.recalled


def answer(event: str, recalled: str, notes: list[str]) -> str:
    """Write what a hook prints, in the form of its host; nothing if there is nothing to say.

    Args:
        event: The event that is answered.
        recalled: What the model should be given.
        notes: What the user should be told.
    """
    told: dict[str, Any] = {}
    if event == "beforeSubmitPrompt" and recalled:
        # Cursor's page names the first only, its client takes both.
        told = {"continue": True, "additional_context": recalled}
    elif event == "UserPromptSubmit" and recalled:
        told = {"hookSpecificOutput": {"hookEventName": event, "additionalContext": recalled}}
    if notes and event in ("UserPromptSubmit", "Stop"):
        told["systemMessage"] = " ".join(notes)
    return f"{json.dumps(told)}\n" if told else ""
