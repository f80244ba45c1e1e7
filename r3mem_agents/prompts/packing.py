"""Bytes in a host's items, as Bedrock and Gemini take images, in the JSON of a turn."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

BYTES = "r3mem_bytes"
"""The only entry of a dict that stands for bytes."""


def packed(value: Any) -> Any:
    """The value with its bytes in base64."""
    try:
        return _packed(value)
    except RecursionError:
        return value  # which is refused by its name: it is nested too deep to be kept


def _packed(value: Any) -> Any:
    match value:
        case bytes():
            return {BYTES: b64encode(value).decode()}
        case dict() if value.keys() == {BYTES}:  # the host's own: in a list, where no bytes are
            return {BYTES: [_packed(value[BYTES])]}
        case dict():
            return {name: _packed(one) for name, one in value.items()}
        case list():
            return [_packed(one) for one in value]
    return value


def unpacked(value: Any) -> Any:
    """The value that was packed."""
    match value:
        case dict() if value.keys() == {BYTES}:
            kept = value[BYTES]
            return b64decode(kept) if isinstance(kept, str) else {BYTES: unpacked(kept[0])}
        case dict():
            return {name: unpacked(one) for name, one in value.items()}
        case list():
            return [unpacked(one) for one in value]
    return value
