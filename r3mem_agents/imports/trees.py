"""Conversations that are trees: an edited question or a regenerated answer begins a branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Shown(NamedTuple):
    """What is shown of a conversation.

    Attributes:
        nodes: The ids from the first message down to the last.
        whole: Whether the way up came to a root, and not to a message that is missing.
    """

    nodes: list[str]
    whole: bool


def shown(parents: Mapping[str, str | None], leaf: str) -> Shown:
    """Walk up from a leaf.

    Args:
        parents: Of each node its parent; ``None`` for a root.
        leaf: The last message that is shown.
    """
    way: dict[str, None] = {}
    node: str | None = leaf
    while node is not None and node in parents and node not in way:
        way[node] = None
        node = parents[node]
    return Shown([*way][::-1], node is None)


def tree_order(parents: Mapping[str, str | None]) -> list[str]:
    """All nodes, each after its parent and beneath it, otherwise in their own order."""
    children: dict[str | None, list[str]] = {}
    for node, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(node)
    ordered: dict[str, None] = {}
    waiting = children.get(None, [])[::-1]
    while waiting:
        node = waiting.pop()
        ordered[node] = None
        waiting += children.get(node, [])[::-1]
    return [*ordered, *(node for node in parents if node not in ordered)]
