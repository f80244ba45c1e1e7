"""Which namespaces a listing asks for: LangGraph's conditions on how they begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langgraph.store.base import MatchCondition

from r3mem_agents.errors import InvalidInputError


def check_matches(conditions: Iterable[MatchCondition] | None) -> None:
    """Refuse what says neither how namespaces begin nor how they end.

    Raises:
        InvalidInputError: If a condition is of another type.
    """
    for one in conditions or ():
        if one.match_type not in ("prefix", "suffix"):
            raise InvalidInputError(
                f"a namespace is matched by 'prefix' or 'suffix', not {one.match_type!r}"
            )


def matches(namespace: Sequence[str], conditions: Iterable[MatchCondition] | None) -> bool:
    """True if a namespace begins or ends with the wanted labels; ``*`` is any label."""
    return all(_matches(namespace, one) for one in conditions or ())


def _matches(namespace: Sequence[str], condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    start = 0 if condition.match_type == "prefix" else len(namespace) - len(path)
    part = namespace[start : start + len(path)]
    return all(want in ("*", label) for label, want in zip(part, path, strict=True))
