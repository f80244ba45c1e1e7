"""Fit the lookup's weights on questions about conversations, and measure what they find.

    python examples/recipes/fit_weights.py OUT.json FILE.jsonl... [--related FILE.jsonl...]

FILEs are in the format of docs/recall.md, with conversations among people and with assistants;
``lookup_questions.py`` makes some from training data. The weights maximize the likelihood of the
gold turns among all that a lookup considers (a listwise softmax); evidence for a turn never counts
against it. Figures are for conversations that the weights were not fitted on (five folds). Then the
constants of ``confidence`` are fitted: each question is also put to another conversation of its
file, except in files after ``--related``, whose conversations answer each other's questions.

A question that is part of its conversation is put to what was said before it. Gists are the
model's; no codes are made, since nothing is decoded. A file with ``n`` questions has a weight of
``sqrt(n)``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from benchmarks.recall.conversation_index import ConversationIndex, parsed
from benchmarks.recall.conversations import Conversation
from benchmarks.recall.readers.files import read as read_files
from r3mem_agents import ReversibleModel
from r3mem_agents.lookup.scoring import Considered, consider
from r3mem_agents.lookup.similarity import gist_similarity
from r3mem_agents.lookup.weights import FEATURES, LEVELS, Weights

FOLDS = 5
LISTED_BY = ("said_share", "alike_relative", "before_said", "session_said")
LISTED = 160
"""Number of turns in a list, besides the gold ones: the first ones by any of these features."""

EITHER_WAY = frozenset((*LEVELS["role"],))
"""Features that may count against a turn."""

FIXED = {"newer": (0.5, 0.0)}
"""Chosen weights, for memories with an assistant and among people: too few questions of these files
ask about changes (docs/LOG.md, "the newest of it")."""

SHARED, APART = 1e-4, 3e-4
"""Penalties on squared weights, and on the differences between both sets."""

LOST = 0.03
"""Largest share of the answerable questions of any file that may find nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the turns that a lookup considers, features ``x``, and which are gold."""

    file: str
    fold: int
    unit: str
    several: bool
    gold: NDArray[np.bool_]
    golds: int
    sessions: NDArray[np.int32]
    x: NDArray[np.float32]
    covered: NDArray[np.float64]
    alike: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation, its index, and vectors of its questions, ``(questions, gist_bits)``."""

    said: Conversation
    index: ConversationIndex
    questions: NDArray[np.float32]

    @classmethod
    def of(cls, said: Conversation, model: ReversibleModel) -> Known:
        """Run the model over a conversation."""
        questions = model.questions([one.question for one in said.questions])
        return cls(said, ConversationIndex(model, said.turns), questions)


def main(out: Path, files: Sequence[Path], related: Sequence[Path] = ()) -> None:
    """Fit, print what is found, and write weights and figures."""
    console = Console()
    model = ReversibleModel.from_pretrained()
    own: list[Asked] = []
    strange: list[Asked] = []
    for path in (*files, *related):
        mine, others = questions(path, model)
        own, strange = own + mine, strange + (others if path in files else [])
    gold = [one for one in own if one.golds]
    by_fold = {fold: fit([g for g in gold if g.fold != fold]) for fold in range(FOLDS)}
    held_out = [found(one, by_fold[one.fold]) for one in gold]
    weights = fit(gold)
    offset, covered, alike, least = confidence(gold, strange, weights)
    record = {
        "model": model.fingerprint,
        "held_out": {
            name: {
                "questions": len(
                    some := [f for f, g in zip(held_out, gold, strict=True) if g.file == name]
                ),
                "first": round(float(np.mean([f[0] for f in some])), 4),
                "in_five": round(float(np.mean([f[1] for f in some])), 4),
            }
            for name in dict.fromkeys(one.file for one in gold)
        },
        "assistant": rounded(weights.assistant),
        "people": rounded(weights.people),
        "confidence": {"offset": offset, "covered": covered, "alike": alike, "least": least},
    }
    out.write_text(json.dumps(record, indent=1) + "\n")
    console.print_json(data=record)


def questions(path: Path, model: ReversibleModel) -> tuple[list[Asked], list[Asked]]:
    """Return the questions of a file, and the same put to the next conversation in it."""
    said = read_files([path]).conversations
    known = [Known.of(one, model) for one in track(said, path.stem, console=Console(stderr=True))]
    own = [
        asked(path.stem, number % FOLDS, mine, mine, row)
        for number, mine in enumerate(known)
        for row in range(len(mine.said.questions))
    ]
    strange = [
        asked(path.stem, number % FOLDS, mine, known[number - 1], row)
        for number, mine in enumerate(known)
        for row in range(len(mine.said.questions))
        if len(known) > 1
    ]
    return own, strange


def asked(file: str, fold: int, asking: Known, told: Known, row: int) -> Asked:
    """The turns considered for a conversation's question, in its own memory or in another's."""
    question, turns = asking.said.questions[row], told.said.turns
    place = {turn.id: number for number, turn in enumerate(turns)} if asking is told else {}
    golds = [place[one] for one in question.gold if one in place] if question.answerable else []
    said = [
        n for n, t in enumerate(turns) if t.text == question.question and n > max(golds, default=0)
    ]
    scope = told.index.snapshot(said[0] if said else len(turns))
    known = scope.turns
    now = turns[len(known.ids) - 1].time
    similarity = gist_similarity(known, asking.questions[row])
    seen: Considered = consider(known, parsed(question.question, now, scope), similarity)
    x = np.stack([seen.features[name] for name in FEATURES], 1).astype(np.float32)
    is_gold = np.isin(seen.places, golds)
    listed = is_gold.copy()
    each = LISTED // len(LISTED_BY)
    for name in LISTED_BY:
        listed[np.argsort(-x[:, FEATURES.index(name)], kind="stable")[:each]] = True
    return Asked(
        file=file,
        fold=fold,
        unit=asking.said.unit,
        several=seen.several_roles,
        gold=is_gold[listed],
        golds=len(set(known.session[golds].tolist()) if asking.said.unit == "session" else golds),
        sessions=known.session[seen.places[listed]],
        x=x[listed],
        covered=seen.covered[seen.places[listed]],
        alike=np.maximum(similarity[seen.places[listed]], 0),
    )


def fit(some: Sequence[Asked]) -> Weights:
    """Weights under which gold turns are likely."""
    lists = [one for one in some if one.gold.any()]
    most = max(len(one.x) for one in lists)
    x = torch.zeros(len(lists), most, len(FEATURES))
    gold, real = torch.zeros(2, len(lists), most, dtype=torch.bool)
    for row, one in enumerate(lists):
        x[row, : len(one.x)] = torch.from_numpy(one.x)
        gold[row, : len(one.x)], real[row, : len(one.x)] = torch.from_numpy(one.gold), True
    counts = file_weights([one.file for one in lists])
    people = torch.tensor([[float(not one.several)] for one in lists])
    any_will_do = torch.tensor([one.unit == "session" for one in lists])
    either_way = torch.tensor([name in EITHER_WAY for name in FEATURES])
    fixed = {FEATURES.index(name): pair for name, pair in FIXED.items()}
    free = torch.zeros(2, len(FEATURES))
    free[0] = 0.3
    free.requires_grad_()

    def both() -> tuple[Tensor, Tensor]:
        made = []
        for number, raw in enumerate((free[0], free[0] + free[1])):
            one = torch.where(either_way, raw, raw.clamp(min=0)).clone()
            for place, pair in fixed.items():
                one[place] = pair[number]
            if number:  # people's memories have one role
                one[[FEATURES.index(name) for name in LEVELS["role"][:2]]] = 0.0
            made.append(one)
        return made[0], made[1]

    def loss() -> Tensor:
        assistants, peoples = both()
        odds = (1 - people) * (x @ assistants) + people * (x @ peoples)
        against = odds.masked_fill(gold | ~real, -1e9).logsumexp(1)
        each = softplus(against[:, None] - odds).mul(gold).sum(1) / gold.sum(1)
        any_one = softplus(against - odds.masked_fill(~gold, -1e9).logsumexp(1))
        missed = (counts * torch.where(any_will_do, any_one, each)).sum()
        return missed + SHARED * (free[0] ** 2).sum() + APART * (free[1] ** 2).sum()

    minimize(free, loss)
    tables = [dict(zip(FEATURES, one.tolist(), strict=True)) for one in both()]
    return Weights(assistant=tables[0], people=tables[1])


def minimize(free: Tensor, loss: Any) -> None:
    """Minimize a loss by Newton's method."""
    steps = torch.optim.LBFGS([free], max_iter=120, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        steps.zero_grad()
        value: Tensor = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    steps.step(step)  # type: ignore[no-untyped-call]


def file_weights(names: Sequence[str]) -> Tensor:
    """The weight of each question."""
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    weights = torch.tensor([counts[name] ** -0.5 for name in names])
    return weights / weights.sum()


def odds_of(one: Asked, weights: Weights) -> NDArray[np.float64]:
    """The log-odds of the listed turns."""
    used = weights.of(several_roles=one.several)
    odds: NDArray[np.float64] = one.x @ np.array([used[name] for name in FEATURES])
    return odds


def found(one: Asked, weights: Weights) -> tuple[float, float]:
    """1 if the first turn is gold, and the share of the gold turns or sessions among five."""
    order = np.argsort(-odds_of(one, weights), kind="stable")
    if one.unit == "session":
        order = order[np.sort(np.unique(one.sessions[order], return_index=True)[1])]
    hits = one.gold[order]
    return float(hits[:1].any()), float(hits[:5].sum() / one.golds)


def confidence(
    gold: Sequence[Asked], strange: Sequence[Asked], weights: Weights
) -> tuple[float, float, float, float]:
    """Return the offset, the weights of the best turn's coverage and similarity, the threshold."""
    crossed = {one.file for one in strange}
    own = [one for one in gold if one.file in crossed]
    x = torch.tensor([best_of(one, weights) for one in (*own, *strange)])
    y = torch.tensor([1.0] * len(own) + [0.0] * len(strange))
    counts = file_weights([*(f"own {one.file}" for one in own), *(one.file for one in strange)])
    free = torch.zeros(3, requires_grad=True)

    def sure(of: Tensor) -> Tensor:
        return free[0] + of @ free[1:]

    def loss() -> Tensor:
        wrong = binary_cross_entropy_with_logits(sure(x), y, weight=counts, reduction="sum")
        return wrong + SHARED * (free**2).sum()

    minimize(free, loss)
    bars = [
        torch.sigmoid(
            sure(torch.tensor([best_of(one, weights) for one in gold if one.file == name]))
        )
        .quantile(LOST)
        .item()
        for name in dict.fromkeys(one.file for one in gold)
    ]
    offset, covered, alike = free.tolist()
    return round(offset, 2), round(covered, 2), round(alike, 2), round(min(bars), 3)


def best_of(one: Asked, weights: Weights) -> tuple[float, float]:
    """Return coverage and similarity of the turn with the most evidence."""
    if not len(one.x):
        return 0.0, 0.0
    best = odds_of(one, weights).argmax()
    return float(one.covered[best]), float(one.alike[best])


def rounded(weights: Any) -> dict[str, float]:
    """For reading."""
    return {name: round(value, 2) for name, value in weights.items()}


if __name__ == "__main__":
    before, _, after = " ".join(sys.argv[2:]).partition("--related")
    main(
        Path(sys.argv[1]),
        [Path(one) for one in before.split()],
        [Path(one) for one in after.split()],
    )
