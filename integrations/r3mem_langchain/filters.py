"""Which items and namespaces a search or a listing asks for: LangGraph's operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langgraph.store.base import MatchCondition

from r3mem_agents.errors import InvalidInputError

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def passes(value: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether an item's value has everything that a filter wants.

    Raises:
        InvalidInputError: If the filter has an operator that does not exist.
    """
    return all(_fits(value.get(key), want) for key, want in (wanted or {}).items())


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        if any(key.startswith("$") for key in wanted):
            return all(_compares(value, sign, other) for sign, other in wanted.items())
        return isinstance(value, dict) and passes(value, wanted)
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(map(_fits, value, wanted))
        )
    return bool(value == wanted)


def _compares(value: Any, sign: str, other: Any) -> bool:
    if sign == "$eq":
        return bool(value == other)
    if sign == "$ne":
        return bool(value != other)
    if sign not in ORDER:
        raise InvalidInputError(
            f"the filter has {sign!r}; there are $eq, $ne and {', '.join(ORDER)}"
        )
    numbers = _number(value), _number(other)
    if None not in numbers:
        return bool(ORDER[sign](*numbers))
    return isinstance(value, str) and isinstance(other, str) and bool(ORDER[sign](value, other))


def _number(value: Any) -> float | None:
    # A numeral counts as a number, as in LangGraph's own stores.
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def matches(namespace: Sequence[str], conditions: Sequence[MatchCondition] | None) -> bool:
    """Whether a namespace begins or ends with the wanted labels; ``*`` is any label."""
    return all(_matches(namespace, one) for one in conditions or ())


def _matches(namespace: Sequence[str], condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    if condition.match_type == "prefix":
        part = namespace[: len(path)]
    elif condition.match_type == "suffix":
        part = namespace[len(namespace) - len(path) :]
    else:
        raise InvalidInputError(
            f"a namespace is matched by 'prefix' or 'suffix', not {condition.match_type!r}"
        )
    return all(want in ("*", label) for label, want in zip(part, path, strict=True))
