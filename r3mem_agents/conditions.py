"""Conditions on what JSON can hold: the operators of LangGraph's stores.

A key of a condition is a key of a dict, or a path of keys with dots between them. ``True`` is not
1, and whole numbers are compared as such, however great. Text that reads as a number counts as one
beside ``$gt`` and the like. What is not there is like ``None``.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.validation import json_text

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
OPERATORS = ("$eq", "$ne", *ORDER)


def check_conditions(wanted: object, what: str) -> dict[str, Any]:
    """Refuse what would never find anything.

    Returns:
        The conditions as JSON has them.

    Raises:
        InvalidInputError: If it is not a dict of conditions, has an operator that does not exist,
            or a value that JSON cannot hold.
    """
    if not isinstance(wanted, Mapping):
        raise InvalidInputError(f"{what} must be a dict, not {type(wanted).__name__}")
    encoded = json_text(dict(wanted), what)  # first: it tells what is nested too deep
    _check_keys(wanted, what)
    conditions: dict[str, Any] = json.loads(encoded)
    return conditions


def _check_keys(wanted: Mapping[Any, Any], what: str) -> None:
    for key, want in wanted.items():
        if not isinstance(key, str):
            raise InvalidInputError(f"{what} has the key {key!r}; keys are str")
        if key.startswith("$"):
            raise InvalidInputError(
                f"{what} has {key!r} where a key of the value is expected; write "
                '{"key": {"$gt": 1}} with one of ' + ", ".join(OPERATORS)
            )
        _check_want(want, what)


def _check_want(want: object, what: str) -> None:
    if isinstance(want, list | tuple):
        for one in want:
            _check_want(one, what)
    elif isinstance(want, Mapping):
        if not any(isinstance(key, str) and key.startswith("$") for key in want):
            _check_keys(want, what)
            return
        for sign, other in want.items():
            if sign not in OPERATORS:
                raise InvalidInputError(f"{what} has {sign!r}; there are {', '.join(OPERATORS)}")
            if sign in ORDER and (
                isinstance(other, bool) or not isinstance(other, int | float | str)
            ):
                raise InvalidInputError(f"{sign} compares with a number or a str, not {other!r}")


def passes(value: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """True if a value meets all of some checked conditions."""
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
