"""Texts of hosts that no file could hold as they are."""

from __future__ import annotations

from typing import Any, TypeVar

Value = TypeVar("Value")


def mended(value: Value) -> Value:
    """A text as UTF-8 can hold it, or a value of JSON with such texts; most are that already.

    A model's answer that comes in pieces may have a character in two halves (surrogates): they are
    joined again. A half that is alone becomes U+FFFD. This is for adapters whose host would fail to
    store the same messages again and again.
    """
    try:
        whole: Value = _mended(value)
    except RecursionError:
        return value  # which is refused by its name: it is nested too deep to be kept
    return whole


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case dict():
            return {_mended(name): _mended(one) for name, one in value.items()}
        case list():
            return [_mended(one) for one in value]
    return value
