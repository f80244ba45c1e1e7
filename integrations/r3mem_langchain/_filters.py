"""Which items and namespaces a search or a listing asks for: LangGraph's operators.

A key of a filter is a key of the value, or a path of keys with dots between them. ``True`` is not
1, and whole numbers are compared as such, however great.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langgraph.store.base import MatchCondition

from r3mem_agents.errors import InvalidInputError

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
OPERATORS = ("$eq", "$ne", *ORDER)


def check_filter(wanted: object) -> None:
    """Refuse what would never find anything.

    Raises:
        InvalidInputError: If it is not a filter, or has an operator that does not exist.
    """
    if not isinstance(wanted, Mapping):
        raise InvalidInputError(f"a filter is a dict, not {type(wanted).__name__}")
    for key, want in wanted.items():
        if not isinstance(key, str):
            raise InvalidInputError(f"the filter has the key {key!r}; keys are str")
        if key.startswith("$"):
            raise InvalidInputError(
                f"the filter has {key!r} where a key of the value is expected; write "
                '{"key": {"$gt": 1}} with one of ' + ", ".join(OPERATORS)
            )
        _check_want(want)


def _check_want(want: object) -> None:
    if isinstance(want, list | tuple):
        for one in want:
            _check_want(one)
    elif isinstance(want, Mapping):
        if not any(isinstance(key, str) and key.startswith("$") for key in want):
            check_filter(want)
            return
        for sign, other in want.items():
            if sign not in OPERATORS:
                raise InvalidInputError(
                    f"the filter has {sign!r}; there are {', '.join(OPERATORS)}"
                )
            if sign in ORDER and (
                isinstance(other, bool) or not isinstance(other, int | float | str)
            ):
                raise InvalidInputError(f"{sign} compares with a number or a str, not {other!r}")


def passes(value: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """True if an item's value has everything that a checked filter wants."""
    return all(_fits(_at(value, key), want) for key, want in (wanted or {}).items())


def _at(value: Mapping[str, Any], path: str) -> Any:
    # A key with dots in it comes before the path that it may be taken for.
    if path in value:
        return value[path]
    dot = path.find(".")
    while dot >= 0:
        inner = value.get(path[:dot])
        if isinstance(inner, dict) and (found := _at(inner, path[dot + 1 :])) is not None:
            return found
        dot = path.find(".", dot + 1)
    return None


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if any(key.startswith("$") for key in wanted):
            return all(_compares(value, sign, other) for sign, other in wanted.items())
        return isinstance(value, dict) and passes(value, wanted)
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(map(_fits, value, wanted))
        )
    return _same(value, wanted)


def _compares(value: Any, sign: str, other: Any) -> bool:
    if sign == "$eq":
        return _same(value, other)
    if sign == "$ne":
        return not _same(value, other)
    numbers = _number(value), _number(other)
    if None not in numbers:
        return bool(ORDER[sign](*numbers))
    return isinstance(value, str) and isinstance(other, str) and bool(ORDER[sign](value, other))


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, dict) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(_same(value[key], other[key]) for key in value)
    if isinstance(value, list) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(_same, value, other))
    return bool(value == other)


def _number(value: Any) -> int | float | None:
    # A numeral counts as a number, as in LangGraph's own stores.
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def check_conditions(conditions: Iterable[MatchCondition] | None) -> None:
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
