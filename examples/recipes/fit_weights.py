"""Fit the lookup's weights on questions about conversations, a weight at a time.

    python examples/recipes/fit_weights.py OUT.json FILE.jsonl...

FILEs are in the open format of docs/recall.md; ``lookup_questions.py`` makes some from training
data. A question counts what it finds of its gold turns among five, over five or the number of gold
turns; files count alike, however many questions they have. Gists are the model's; codes are not
made, since nothing is expanded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from r3mem_agents import CompressiveMemory, ReversibleModel, Segment, Turn
from r3mem_agents.bench.recall.files import read
from r3mem_agents.memory.cache import INDEXES
from r3mem_agents.memory.lookup.index import Snapshot
from r3mem_agents.memory.lookup.question import Question as Asked
from r3mem_agents.memory.lookup.question import read as read_question
from r3mem_agents.memory.lookup.scoring import gist_likeness, weigh
from r3mem_agents.memory.lookup.weights import WEIGHTS, Weights

GRID: dict[str, tuple[float, ...]] = {
    "gist": (0, 0.25, 0.5, 0.75, 1),
    "previous": (0, 0.1, 0.2, 0.3, 0.4),
    "following": (0, 0.05, 0.1, 0.2),
    "brevity": (6, 12, 25, 50, 100),
    "session": (0, 0.2, 0.4, 0.6, 0.8),
    "speaker": (0, 0.1, 0.2, 0.3, 0.4),
    "k1": (0.6, 0.9, 1.2, 1.6),
    "b": (0.3, 0.5, 0.75),
}
"""Tried values; ``entity`` is the unit, and ``time`` needs questions that name dates."""

ROUNDS = 2
FOUND = 5
AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a user's turns, with the places of those that answer."""

    turns: Snapshot
    asked: Asked
    gist: Any
    gold: frozenset[int]


class GistsOnly:
    """A model that makes no codes."""

    def __init__(self, model: ReversibleModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    @torch.inference_mode()
    def compress(self, texts: Sequence[str]) -> list[Segment]:
        """Segments with the gists of the model and nothing to expand."""
        _, gists = self._model._cut_and_gist(texts)
        return [Segment(b"", gist.tobytes()) for gist in gists]


def main(out: Path, files: Sequence[Path]) -> None:
    """Fit, print every step, and write the figures."""
    console = Console()
    model: Any = GistsOnly(ReversibleModel.from_pretrained())
    sets = {path.stem: list(questions(path, model)) for path in files}
    weights, steps = WEIGHTS, []
    for _ in range(ROUNDS):
        for name, values in GRID.items():
            tried = {value: found(sets, replace(weights, **{name: value})) for value in values}
            best = max(tried, key=lambda value: mean(tried[value]))
            weights = replace(weights, **{name: best})
            steps.append({"weight": name, "tried": {str(k): v for k, v in tried.items()}})
            for value, each in tried.items():
                mark = "*" if value == best else " "
                console.print(
                    f"{mark} {name:9} {value:<5} {mean(each):.4f}  {each}", highlight=False
                )
    before, after = found(sets, WEIGHTS), found(sets, weights)
    record = {
        "model": model.fingerprint,
        "questions": {name: len(one) for name, one in sets.items()},
        "weights_before": asdict(WEIGHTS),
        "recall_before": before,
        "weights": asdict(weights),
        "recall": after,
        "steps": steps,
    }
    out.write_text(json.dumps(record, indent=1) + "\n")
    console.print_json(data={key: record[key] for key in ("weights", "recall_before", "recall")})


def questions(path: Path, model: Any) -> Iterator[Question]:
    """Questions of a file, each with the turns of its user."""
    conversations = read([path]).conversations
    for conversation in track(conversations, path.stem, console=Console(stderr=True)):
        with CompressiveMemory(":memory:", model=model) as memory:
            stored: list[Turn] = []
            for start in range(0, len(conversation.turns), AT_ONCE):
                stored += memory.remember_many(
                    Turn(role=t.role, text=t.text, name=t.speaker, session=t.session, time=t.time)
                    for t in conversation.turns[start : start + AT_ONCE]
                )
            reader = memory._reader
            turns = INDEXES.snapshot(reader._store, reader._scope, reader._sealer, model.gist_bytes)
            assert turns is not None
            place = {int(row): number for number, row in enumerate(turns.ids)}
            ids = {
                said.id: place[row.id] for said, row in zip(conversation.turns, stored, strict=True)
            }
            asked = [one for one in conversation.questions if one.counted]
            gists = model.gists([one.question for one in asked])
            for one, gist in zip(asked, gists, strict=True):
                asked = read_question(one.question, None, turns, reader._sealer)
                yield Question(turns, asked, gist, frozenset(ids[g] for g in one.gold))


def found(sets: dict[str, list[Question]], weights: Weights) -> dict[str, float]:
    """Recall at five of each set."""
    return {
        name: round(float(np.mean([recall(one, weights) for one in some])), 4)
        for name, some in sets.items()
    }


def recall(one: Question, weights: Weights) -> float:
    """Share of a question's gold turns that five turns hold, as far as five can."""
    score = weigh(one.turns, one.asked, gist_likeness(one.turns, one.gist), weights).score
    best = np.lexsort((-np.arange(len(score)), -score))[:FOUND]
    return len(one.gold.intersection(best.tolist())) / min(FOUND, len(one.gold))


def mean(recalls: dict[str, float]) -> float:
    """Of all sets."""
    return sum(recalls.values()) / len(recalls)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
