"""A memory's tools as those of an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

from pydantic import Field


def as_tool(function: Callable[..., str]) -> Callable[..., str]:
    """One of ``memory_tools``, with its annotations as the host reads them."""
    hints = get_type_hints(function, include_extras=True)
    function.__annotations__ = {name: _described(hint) for name, hint in hints.items()}
    return function


def _described(hint: Any) -> Any:
    # ``Annotated[str, "What it is."]``, where the host wants a field.
    [description] = getattr(hint, "__metadata__", [None])
    if description is None:
        return hint
    return Annotated[hint.__origin__, Field(description=description)]
