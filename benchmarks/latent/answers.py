"""Answers of a base model to questions, after memory tokens and after texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks.latent.scores import exact, f1
from r3mem_agents.latent import LatentMemory, LatentState
from r3mem_agents.latent.generating import continued
from r3mem_agents.latent.passes import assemble, reading_pass
from r3mem_agents.train.latent.texts import prompt

LONGEST = 32
"""Tokens of an answer, at most; it ends with its line, and is never empty."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a base knows before a question.

    Attributes:
        text: A text in the prompt.
        state: Memory tokens before it.
    """

    text: str = ""
    state: LatentState | None = None


class Answerer:
    """Answers questions with the likeliest tokens, and weighs the right answers.

    Args:
        memory: Memory tokens and their base.
    """

    def __init__(self, memory: LatentMemory) -> None:
        self._adapter, self._tokenizer = memory.adapter, memory.tokenizer
        stop = self._tokenizer("\n", add_special_tokens=False).input_ids[-1:]
        self._stop = [*stop, self._tokenizer.eos_token_id]

    def ask(self, known: Known, query: str, answer: str) -> dict[str, float]:
        """Return exact match, F1, nats a token of the right answer, and tokens of the prompt."""
        before, wanted = self._ids(known.text + prompt(query)), self._ids(f" {answer}\n")
        said = self._said(known, before)
        memory = 0 if known.state is None else known.state.tokens
        return {
            "exact": exact(said, answer),
            "f1": f1(said, answer),
            "nats": self._nats(known, before, wanted),
            "prompt_tokens": memory + len(before),
        }

    def _said(self, known: Known, before: list[int]) -> str:
        cache, ids = self._start(known, before)
        with torch.no_grad():
            [said] = continued(self._adapter, cache, ids, LONGEST, least=1, also_ends=self._stop)
        return str(self._tokenizer.decode(said, skip_special_tokens=True))

    def _nats(self, known: Known, before: list[int], wanted: list[int]) -> float:
        cache, ids = self._start(known, [*before, *wanted])
        after = torch.zeros_like(ids, dtype=torch.bool)
        after[:, -len(wanted) - 1 : -1] = True
        with torch.no_grad():
            logits = reading_pass(self._adapter, cache, ids, after=after)
        return float(cross_entropy(logits.float(), ids[0, -len(wanted) :]))

    def _start(self, known: Known, ids: list[int]) -> tuple[Any, torch.Tensor]:
        adapter = self._adapter
        blocks = [] if known.state is None else [block.layers for block in known.state.blocks]
        first = [] if blocks else [adapter.sink]
        return assemble(adapter, blocks), torch.tensor([[*first, *ids]], device=adapter.base.device)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return ids


def summary(asked: Iterable[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The means of what each way of knowing came to, with the number of questions."""
    found: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for ways in asked:
        for way, figures in ways.items():
            found[way].append(figures)
    return {
        way: {"questions": len(rows)}
        | {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in rows[0]}
        for way, rows in found.items()
    }
