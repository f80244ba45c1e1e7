"""A memory's part of a prompt: the newest turns as they are, and older ones that help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.memory.context import Budget, Composed, compose, turn_line
from r3mem_agents.prompts.marks import END, RECENT, START, mark_recalled
from r3mem_agents.prompts.window import fit_window, newest_first
from r3mem_agents.types import Recollection, StoredTurn
from r3mem_agents.validation import check_count

RECENT_SHARE = 0.5
"""Part of a token budget that the newest turns may take from older ones that help; chosen."""


@dataclass(frozen=True, slots=True)
class PromptMemory:
    """A memory's part of a prompt; no turn is in it twice.

    Attributes:
        recent: The newest turns of the session, oldest first. It begins with a user's turn if it
            has one: chat models refuse a tool's result without the call.
        recalled: Pinned turns, and older ones that answer the question: dated lines with their
            speakers, marked as a quotation; empty if there are none, or none fits.
        recollections: The same turns: pinned ones, with a score of 0 where they do not answer the
            question, then the others, best first.
    """

    recent: tuple[StoredTurn, ...]
    recalled: str
    recollections: tuple[Recollection, ...] = ()

    def text(self) -> str:
        """Recent and recalled turns as one quotation, for hosts that have a single place for it."""
        if not self.recent:
            return self.recalled
        before = self.recalled.removeprefix(START).removesuffix(END)
        after = RECENT + "\n".join(turn_line(turn) for turn in self.recent)
        return START + (f"{before}\n{after}" if before else after) + END


def prompt_memory(
    memory: CompressiveMemory,
    query: str,
    *,
    window: int,
    k: int = 5,
    token_budget: int = 800,
    shown_keys: Iterable[str] = (),
    shown_ids: Iterable[int] = (),
    sessions: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
) -> PromptMemory:
    """Choose what a prompt gets from a memory.

    Pinned turns come first as far as they fit, whatever the user says.

    Args:
        memory: The memory, bound to the session of the conversation.
        query: The user's message.
        window: Maximum number of newest turns of the session; 0 for none.
        k: Maximum number of older turns, beside pinned ones.
        token_budget: Maximum number of tokens of both parts together, speakers, dates and marks
            included, as the model's own tokenizer counts them; 0 for nothing.
        shown_keys: Keys of turns of the session that the prompt has already.
        shown_ids: Ids of turns that it has already.
        sessions: Only older turns of these sessions; see ``recall_sessions``.
        where: Only older turns that meet these conditions, as for ``recall``.
        as_of: Only older turns known at this time, as for ``recall``.

    Raises:
        InvalidInputError: If an argument has a wrong type or value.
        NotFoundError: If one of ``sessions`` does not exist.
    """
    check_count(window, "window", least=0)
    check_count(token_budget, "token_budget", least=0)
    count = memory.model.count_tokens

    def cost(turn: StoredTurn) -> int:
        return count(turn_line(turn) + "\n")

    def fit(turns: Iterable[StoredTurn], tokens: int) -> tuple[list[StoredTurn], int]:
        # None, rather than more than fit.
        taken = fit_window(turns, tokens, cost, lambda turn: turn.role)
        spent = sum(map(cost, taken))
        return (taken, spent) if spent <= tokens else ([], 0)

    def older(recent: Sequence[StoredTurn], tokens: int) -> Composed:
        exclude = shown.union(turn.id for turn in recent)
        if tokens <= 0:
            return Composed("", ())
        hits = memory.recall(query, k, exclude=exclude, sessions=among, where=where, as_of=as_of)
        pins = memory.pinned(exclude=exclude, sessions=among, where=where, as_of=as_of)
        first = (Recollection(turn=turn, score=0.0) for turn in pins)
        found = {one.turn.id: one for one in (*first, *hits)}
        return compose([found.values()], Budget(tokens), count, nothing="")

    among = None if sessions is None else list(sessions)
    left = token_budget - count(mark_recalled(RECENT))
    shown = {*memory.turn_ids(keys=shown_keys), *shown_ids}
    newest = [turn for turn in memory.turn_ids(memory.session)[-window:] if turn not in shown]
    widest, _ = fit(newest_first(memory, newest if window else ()), left)
    recent, spent = fit(reversed(widest), int(left * RECENT_SHARE))
    recalled = older(recent, left - spent)
    # What is not recalled leaves its room to the newest turns, which are no longer recalled.
    wider, spent = fit(reversed(widest), left - count(recalled.text))
    if len(wider) > len(recent):
        recent = wider
        if recalled.taken:  # what did not fit before does not fit into less
            recalled = older(recent, left - spent)
    text, taken = recalled
    return PromptMemory(tuple(recent), mark_recalled(text) if taken else "", taken)
