"""Measures the build of r3mem-agents that its Python has installed, an earlier one as well.

    python -I benchmarks/compare/build.py

answers requests, a line of JSON each. Nothing else of this project is imported, and what is used of
a build, every build has, but for two things that have moved: its kernel, and its cache of texts.
"""

from __future__ import annotations

import importlib
import json
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory, ReversibleModel, Turn

RECALLED = 5
BATCH_TURNS = 1000
START = datetime(2026, 1, 1, tzinfo=UTC)
Said = dict[str, Any]
"""Role, name, session and text of a turn."""

TOOLS = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "distutils-precedence")


def serve(stages: Mapping[str, Callable[..., Any]]) -> None:
    """Answer requests from standard input until it ends.

    Args:
        stages: What can be asked for, by name; the other entries of a request are its arguments.
    """
    for line in sys.stdin:
        request = json.loads(line)
        answer = stages[request.pop("stage")](**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def milliseconds(work: Callable[[], object]) -> float:
    """Return the time that a call takes."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


class Repeating:
    """A model that compresses and expands each text once; for memories whose texts repeat."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._tokens: dict[str, Any] = {}
        self._texts: dict[tuple[bytes, bytes], str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def compress(self, texts: Sequence[str]) -> list[Any]:
        """As the model does."""
        new = list({text: None for text in texts if text not in self._tokens})
        self._tokens.update(zip(new, self._model.compress(new) if new else (), strict=True))
        return [self._tokens[text] for text in texts]

    def expand(self, tokens: Sequence[Any]) -> list[str]:
        """As the model does."""
        keys = [(one.code, one.gists) for one in tokens]
        new = {key: one for key, one in zip(keys, tokens, strict=True) if key not in self._texts}
        texts = self._model.expand(list(new.values())) if new else ()
        self._texts.update(zip(new, texts, strict=True))
        return [self._texts[key] for key in keys]


@cache
def model() -> ReversibleModel:
    """The model that the build comes with."""
    return ReversibleModel.from_pretrained()


@cache
def repeating() -> Any:
    """The same for the filling of memories."""
    return Repeating(model())


@cache
def memory(path: str) -> CompressiveMemory:
    """An open memory."""
    return CompressiveMemory(path, model=model())


def identity() -> dict[str, Any]:
    """Return what was installed."""
    origin = metadata.distribution("r3mem-agents").read_text("direct_url.json")
    return {
        "version": metadata.version("r3mem-agents"),
        "commit": json.loads(origin or "{}").get("vcs_info", {}).get("commit_id"),
        "model": model().name,
        "fingerprint": model().fingerprint,
    }


def products() -> str:
    """Return what multiplies the matrices of the model."""
    try:
        native = importlib.import_module("r3mem_agents.model.native.library")
    except ImportError:
        exact = importlib.import_module("r3mem_agents.model.exact")
        return "PyTorch, int8" if exact.int8_kernel_pays() else "PyTorch, float32"
    return f"engine, {native.library().kernel}"


def installed_bytes() -> int:
    """Return the size of the environment's packages, without those that install packages."""
    return sum(
        path.stat().st_size
        for package in Path(sysconfig.get_path("purelib")).iterdir()
        if not package.name.startswith(TOOLS)
        for path in (package, *package.rglob("*"))
        if path.is_file()
    )


def fill(path: str, turns: list[Said], count: int) -> None:
    """Write a memory; the turns are repeated in further sessions until there are so many."""
    with CompressiveMemory(path, model=repeating()) as filled:
        for start in range(0, count, BATCH_TURNS):
            numbers = range(start, min(start + BATCH_TURNS, count))
            filled.remember_many(
                _turn(turns[number % len(turns)], number, number // len(turns))
                for number in numbers
            )


def expand(texts: list[str]) -> dict[str, float]:
    """Expand texts as one batch."""
    stored = model().compress(texts)
    return {
        "tokens": sum(one.tokens for one in stored),
        "bytes": sum(len(text.encode()) for text in texts),
        "ms": milliseconds(lambda: model().expand(stored)),
    }


def write_each(path: str, turns: list[Said]) -> list[float]:
    """Write turns one by one."""
    _write(path, [{"role": "user", "text": "Warm-up, not timed.", "session": "warm-up"}])
    return [_write(path, [turn]) for turn in turns]


def write_batch(path: str, turns: list[Said]) -> float:
    """Write turns as one batch."""
    return _write(path, turns)


def look_up(path: str, questions: list[str]) -> dict[str, list[float]]:
    """Ask: each question with its expansions, then with the texts at hand."""
    memory(path).recall("Warm-up, not timed.", k=RECALLED)
    first: list[float] = []
    again: list[float] = []
    for question in questions:
        _clear_texts()
        for times in (first, again):
            times.append(_ask(path, question))
    return {"first": first, "again": again}


def open_and_ask(path: str, question: str) -> float:
    """Open a memory and ask for the first time, with a model that has been used before."""
    model().expand(model().compress(["Warm-up, not timed."]))
    return _ask(path, question)


def peak_bytes(path: str, questions: list[str]) -> int:
    """Return the highest resident memory of this process, once it has asked."""
    look_up(path, questions)
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    [peak] = [line.split()[1] for line in status if line.startswith("VmHWM:")]
    return 1024 * int(peak)


def _ask(path: str, question: str) -> float:
    return milliseconds(lambda: memory(path).recall(question, k=RECALLED))


def _write(path: str, turns: list[Said]) -> float:
    opened, made = memory(path), [_turn(turn, number) for number, turn in enumerate(turns)]
    return milliseconds(lambda: opened.remember_many(made))


def _turn(said: Said, number: int, repetition: int = 0) -> Turn:
    session = f"{said['session']}, {repetition}"
    return Turn(**{**said, "session": session}, time=START + timedelta(minutes=number))


def _clear_texts() -> None:
    try:
        importlib.import_module("r3mem_agents.memory.text_cache").TEXT_CACHE.clear()
    except ImportError:
        importlib.import_module("r3mem_agents.memory.expansions").EXPANSIONS.clear()


if __name__ == "__main__":
    serve(
        {
            stage.__name__: stage
            for stage in (
                identity, products, installed_bytes, fill, expand, write_each, write_batch, look_up,
                open_and_ask, peak_bytes,
            )
        }
    )  # fmt: skip
