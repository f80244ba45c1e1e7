"""Questions about passages, and about conversations over weeks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.latent.answers import Answerer, Known, summary
from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.latent import LatentMemory

if TYPE_CHECKING:
    from benchmarks.latent.sources import Asked
    from benchmarks.recall.conversations import Conversation, Question, SaidTurn
    from r3mem_agents.model import ReversibleModel


def passages(
    memory: LatentMemory,
    model: ReversibleModel,
    asked: Sequence[Asked],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Answer questions with nothing, memory tokens, what a lookup finds, and the passage.

    Args:
        memory: Memory tokens and their base.
        model: Of the memory in which the passages of all questions are looked up.
        asked: The questions.
        advance: Called after each question.
    """
    answerer = Answerer(memory)
    found: dict[str, list[dict[str, dict[str, float]]]] = defaultdict(list)
    with CompressiveMemory(":memory:", model=model) as remembered:
        remembered.remember_many(Turn(role="user", text=one.passage) for one in asked)
        for one in asked:
            hits = remembered.recall(one.query, 1, neighbours=False)
            ways = {
                "nothing": Known(),
                "memory": Known(state=memory.compress(one.passage)),
                "recall": Known(text=hits[0].text if hits else ""),
                "passage": Known(text=one.passage),
            }
            found[one.source].append(
                {way: answerer.ask(known, one.query, one.answer) for way, known in ways.items()}
            )
            advance(1)
    given = {one.source: one.given for one in asked}
    return {
        source: {"answers_given": given[source], "ways": summary(rows)}
        for source, rows in found.items()
    }


def conversation(
    memory: LatentMemory,
    model: ReversibleModel,
    talk: Conversation,
    asked: Sequence[Question],
    budget: int,
    advance: Callable[[int], None],
) -> list[dict[str, dict[str, float]]]:
    """Answer questions about a conversation, with the same number of prompt tokens each way.

    Args:
        memory: Memory tokens and their base; its capacity is set by the budget.
        model: Of the memory that writes contexts.
        talk: The conversation.
        asked: Questions about it that have answers.
        budget: Tokens of the prompt before the question.
        advance: Called after each question.

    Returns:
        For each question what each way came to.
    """
    answerer, lines = Answerer(memory), [_line(turn) for turn in talk.turns]

    def count(text: str) -> int:
        return len(memory.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

    def compressed(tokens: int) -> LatentMemory:
        return LatentMemory(memory.adapter, memory.tokenizer, tokens // memory.adapter.tokens)

    whole = compressed(budget).compress("\n".join(lines))
    half = compressed(budget // 2).compress("\n".join(lines))
    last = _last(lines, budget, count)
    rows = []
    with CompressiveMemory(":memory:", model=model) as remembered:
        remembered.remember_many(
            Turn(role=t.role, text=t.text, name=t.speaker, session=t.session, time=t.time)
            for t in talk.turns
        )
        for one in asked:
            ways = {
                "last_turns": Known(text=last),
                "memory": Known(state=whole),
                "context": Known(text=remembered.context(one.question, budget, count=count)),
                "memory_and_context": Known(
                    text=remembered.context(one.question, budget // 2, count=count), state=half
                ),
            }
            rows.append(
                {
                    way: answerer.ask(known, one.question, one.answer or "")
                    for way, known in ways.items()
                }
            )
            advance(1)
    return rows


def drawn(talk: Conversation, count: int, seed: int) -> list[Question]:
    """Questions that a conversation answers, drawn at random."""
    answered = [one for one in talk.questions if one.answerable and one.answer]
    return random.Random(seed).sample(answered, min(count, len(answered)))


def _line(turn: SaidTurn) -> str:
    said = f"{turn.time:%d %B %Y}, " if turn.time else ""
    return f"{said}{turn.speaker or turn.role}: {turn.text}"


def _last(lines: Sequence[str], budget: int, count: Callable[[str], int]) -> str:
    taken: list[str] = []
    for line in reversed(lines):
        if count("\n".join([line, *taken])) > budget:
            break
        taken.insert(0, line)
    return "\n".join(taken)
