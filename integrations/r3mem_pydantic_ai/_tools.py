"""A memory's tools as those of an agent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

from pydantic import Field
from pydantic_ai.exceptions import ToolFailed

from r3mem_agents.errors import InvalidInputError, NotFoundError


def as_tool(function: Callable[..., str]) -> Callable[..., str]:
    """One of ``memory_tools``, with its annotations as the host reads them."""

    @functools.wraps(function)
    def tool(*args: Any, **kwargs: Any) -> str:
        try:
            return function(*args, **kwargs)
        except (InvalidInputError, NotFoundError) as error:
            # What the model asked for is at fault, so it can ask again.
            raise ToolFailed(str(error)) from error

    hints = get_type_hints(function, include_extras=True)
    tool.__annotations__ = {name: _described(hint) for name, hint in hints.items()}
    return tool


def _described(hint: Any) -> Any:
    # ``Annotated[str, "What it is."]``, where the host wants a field.
    [description] = getattr(hint, "__metadata__", [None])
    if description is None:
        return hint
    return Annotated[hint.__origin__, Field(description=description)]
