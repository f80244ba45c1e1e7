"""A call of every verb, one that works and one that fails, with the same words in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from r3mem_agents import CompressiveMemory, Turn


class Call(NamedTuple):
    """What a verb is called with, made of words that nobody else says.

    Attributes:
        works: Calls the verb of a memory that holds one turn, number 1, with these words in it.
        fails: Calls it so that its error, in most cases, quotes the words.
    """

    works: Callable[[CompressiveMemory, str], Any]
    fails: Callable[[CompressiveMemory, str], Any]


def _turn(words: str, **options: Any) -> Turn:
    return Turn(role="user", text=words, session=words, name=words, **options)


def _raise(words: str) -> int:
    raise RuntimeError(words)


def _closed(verb: str) -> Callable[[CompressiveMemory, str], Any]:
    def call(memory: CompressiveMemory, words: str) -> Any:
        with CompressiveMemory(":memory:", user=words, model=memory.model) as closed:
            pass
        return getattr(closed, verb)()

    return call


CALLS: Mapping[str, Call] = {
    "remember": Call(
        lambda memory, words: memory.remember("user", words, name=words, metadata={words: words}),
        lambda memory, words: memory.remember("user", words, metadata={words: {words}}),
    ),
    "remember_many": Call(
        lambda memory, words: memory.remember_many([_turn(words, key=words)] * 2),
        lambda memory, words: memory.remember_many([_turn(words, metadata={words: {words}})]),
    ),
    "recall": Call(
        lambda memory, words: memory.recall(words),
        lambda memory, words: memory.recall(words, sessions=[f"not {words}"]),
    ),
    "context": Call(
        lambda memory, words: memory.context(query=words),
        lambda memory, words: memory.context(words, count=_raise),
    ),
    "summary": Call(
        lambda memory, words: memory.summary(words),
        lambda memory, words: memory.summary(f"not {words}"),
    ),
    "history": Call(
        lambda memory, words: memory.history(words),
        lambda memory, words: memory.history(f"not {words}"),
    ),
    "turn_ids": Call(
        lambda memory, words: memory.turn_ids(words),
        lambda memory, words: memory.turn_ids(keys=words),
    ),
    "fetch": Call(
        lambda memory, words: memory.fetch(turn_ids=[1]),
        lambda memory, words: memory.fetch(turn_ids=[words]),  # type: ignore[list-item]
    ),
    "edit": Call(
        lambda memory, words: memory.edit(1, f"{words} {words}"),
        lambda memory, words: memory.edit(words, words),  # type: ignore[arg-type]
    ),
    "pin": Call(
        lambda memory, words: memory.pin([1]),
        lambda memory, words: memory.pin([words]),  # type: ignore[list-item]
    ),
    "pinned": Call(
        lambda memory, words: memory.pinned(where={"name": words}),
        lambda memory, words: memory.pinned(sessions=[f"not {words}"]),
    ),
    "versions": Call(
        lambda memory, words: memory.versions(1),
        lambda memory, words: memory.versions(words),  # type: ignore[arg-type]
    ),
    "forget": Call(
        lambda memory, words: memory.forget(session=words),
        lambda memory, words: memory.forget(session=f"not {words}"),
    ),
    "backup": Call(
        lambda memory, words: memory.backup(Path(memory.location).with_suffix(f".{words}")),
        lambda memory, words: memory.backup(memory.location),
    ),
    "keep_log": Call(
        lambda memory, words: memory.keep_log(True),
        lambda memory, words: memory.keep_log(words),  # type: ignore[arg-type]
    ),
    **{
        verb: Call(lambda memory, words, verb=verb: getattr(memory, verb)(), _closed(verb))  # type: ignore[misc]
        for verb in ("sessions", "session_stats", "stats", "users", "verify", "log")
    },
}
