"""What a span says about each verb of a memory, and which parts of a verb have spans below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class Verb:
    """What is recorded of a verb.

    Attributes:
        operation: Name of the operation, and so of the span. The conventions know those that end in
            ``_memory``; the others say what else is done with a store.
        count: Number of turns that a result is about; ``None`` if a result does not tell.
        asks: Whether its first argument is a question.
        keyed: Name of the operation if the call has a ``key``, since a turn may have it already.
    """

    operation: str
    count: Callable[[Any], int] | None = None
    asks: bool = False
    keyed: str | None = None

    def operation_of(self, options: Mapping[str, object]) -> str:
        """Return the operation of a call with these keyword arguments."""
        has_key = options.get("key") is not None
        return self.keyed if self.keyed and has_key else self.operation


def _one(_: object) -> int:
    return 1


VERBS: Mapping[str, Verb] = {
    "remember": Verb("create_memory", _one, keyed="upsert_memory"),
    "remember_many": Verb("upsert_memory", len),
    "recall": Verb("search_memory", len, asks=True),
    "context": Verb("search_memory", asks=True),
    "summary": Verb("search_memory", len),
    "history": Verb("search_memory", len),
    "fetch": Verb("search_memory", len),
    "turn_ids": Verb("search_memory", len),
    "edit": Verb("update_memory", _one),
    "pin": Verb("update_memory"),
    "pinned": Verb("search_memory", len),
    "versions": Verb("search_memory", len),
    "forget": Verb("delete_memory", attrgetter("turns")),
    "sessions": Verb("describe_memory_store"),
    "stats": Verb("describe_memory_store"),
    "session_stats": Verb("describe_memory_store"),
    "users": Verb("describe_memory_store"),
    "keep_log": Verb("configure_memory_store"),
    "log": Verb("describe_memory_store"),
    "verify": Verb("verify_memory_store"),
    "backup": Verb("backup_memory_store"),
}
"""Every verb; its async twin calls it, in a thread and in the context of the caller."""

PARTS = ("compress", "expand", "questions", "supersedes")
"""Methods of a model that verbs spend their time in, each called with a sequence."""
