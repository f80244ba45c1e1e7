"""One system with many turns: the time of a lookup, and bytes in memory and on disk."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import Advance, peak_bytes
from benchmarks.speed.measure import RECALLED
from benchmarks.synthetic import START, make_turns, some_words
from benchmarks.timing import percentiles
from r3mem_agents.types import Turn

if TYPE_CHECKING:
    pass

BATCH_TURNS = 1000
LOOKUPS = 100


@dataclass(frozen=True, slots=True)
class Load:
    """The turns that a system holds.

    Attributes:
        turns: Turns of each user.
        users: Users.
        stock: Texts that turns are made of.
        distinct: Number of different texts; further turns repeat them, at other times. The work of
            a lookup for a turn does not depend on whether its text occurs twice.
        seed: Seed of turns and questions.
    """

    turns: int
    users: int
    stock: tuple[str, ...]
    distinct: int
    seed: int

    def batches(self) -> Iterator[list[Turn]]:
        """Turns of one user."""
        different = _different(self)
        for start in range(0, self.turns, BATCH_TURNS):
            batch = []
            for number in range(start, min(start + BATCH_TURNS, self.turns)):
                turn = different[number % len(different)]
                time_ = START + timedelta(minutes=number)
                batch.append(replace(turn, session=f"session {number // 100}", time=time_))
            yield batch

    def questions(self) -> list[str]:
        """Runs of words of the turns."""
        generator, different = random.Random(self.seed), _different(self)
        return [some_words(generator, different) for _ in range(LOOKUPS)]


@cache
def _different(load: Load) -> list[Turn]:
    """The distinct turns of a load, the same for each of its users."""
    return make_turns(load.stock, min(load.distinct, load.turns), load.seed, combine=True)


@dataclass(frozen=True, slots=True)
class Task:
    """A load, with the path of r3mem's file and its model."""

    load: Load
    path: Path
    model: str


def write(task: Task, advance: Advance) -> dict[str, Any]:
    """Write r3mem's file."""
    from benchmarks.compare.build import Repeating
    from r3mem_agents import CompressiveMemory, ReversibleModel

    model: Any = Repeating(ReversibleModel.from_pretrained(task.model))
    with CompressiveMemory(task.path, model=model) as memory:
        for number in range(task.load.users):
            mine = memory.scoped(user=f"user {number}")
            for batch in task.load.batches():
                mine.remember_many(batch)
                advance("writing", len(batch))
        return {"disk_bytes": memory.stats().file_bytes}


def look_up(task: Task, advance: Advance) -> dict[str, Any]:
    """Open r3mem's file in a fresh process, and ask."""
    from r3mem_agents import CompressiveMemory, ReversibleModel
    from r3mem_agents.memory import clear_text_cache

    model = ReversibleModel.from_pretrained(task.model)
    model.expand(model.compress(["Warm-up."]))
    clock = time.perf_counter()
    memory = CompressiveMemory(task.path, model=model)
    open_ms = 1000 * (time.perf_counter() - clock)
    generator = random.Random(task.load.seed)
    first: list[float] = []
    again: list[float] = []
    seen: set[int] = set()
    with memory:
        for question in ["What was said first?", *task.load.questions()]:
            user = generator.randrange(task.load.users)
            mine = memory.scoped(user=f"user {user}")
            clear_text_cache()  # a lookup is timed with its expansions
            clock = time.perf_counter()
            mine.recall(question, k=RECALLED)
            (again if user in seen else first).append(1000 * (time.perf_counter() - clock))
            seen.add(user)
            advance("looking up", 1)
    return {
        "open_ms": round(open_ms, 2),
        "first_lookup_ms": percentiles(first),
        "lookup_ms": percentiles(again) if again else None,
        "peak_memory_bytes": peak_bytes(),
    }


def bm25(task: Task, advance: Advance) -> dict[str, Any]:
    """bm25s on the same turns, in memory."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    texts = []
    for batch in task.load.batches():
        texts += [turn.text for turn in batch]
        advance("writing", len(batch))
    index = bm25s.BM25(corpus=texts)
    index.index(tokens(texts), show_progress=False)

    def search(question: str) -> None:
        index.retrieve(tokens([question]), k=RECALLED, show_progress=False)

    return _ask(search, task.load, advance)


def vectors(task: Task, advance: Advance) -> dict[str, Any]:
    """LangChain's InMemoryVectorStore with all-MiniLM-L6-v2 on the same turns."""
    from langchain_core.vectorstores import InMemoryVectorStore

    from benchmarks.recall.systems.encoder import Encoder, bundled
    from benchmarks.recall.systems.vectors import LangChainEncoder

    encoder = Encoder(bundled())
    store = InMemoryVectorStore(LangChainEncoder(encoder))
    known: dict[str, list[float]] = {}
    for batch in task.load.batches():
        new = list({turn.text: None for turn in batch if turn.text not in known})
        known.update(zip(new, encoder.embed_documents(new) if new else (), strict=True))
        for turn in batch:
            # As add_documents does, but for texts whose vectors are known.
            id_ = str(len(store.store))
            entry = {"id": id_, "vector": list(known[turn.text]), "text": turn.text, "metadata": {}}
            store.store[id_] = entry
        advance("writing", len(batch))
    return _ask(lambda question: store.similarity_search(question, RECALLED), task.load, advance)


def _ask(search: Any, load: Load, advance: Advance) -> dict[str, Any]:
    search("warm-up, not timed")
    times = []
    for question in load.questions():
        clock = time.perf_counter()
        search(question)
        times.append(1000 * (time.perf_counter() - clock))
        advance("looking up", 1)
    return {"lookup_ms": percentiles(times), "peak_memory_bytes": peak_bytes()}
