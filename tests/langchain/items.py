"""How items of a store are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.store.base import Item


def names(items: Sequence[Item]) -> list[str]:
    return [item.key for item in items]
