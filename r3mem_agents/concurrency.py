"""Async twins of blocking methods: the same call, made in a thread."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def in_thread(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Make the async twin of a method.

    The twin takes the same arguments and calls, in a thread and in the caller's context, whatever
    the object has under the method's name: where a subclass overrides the method, its twin follows.

    Args:
        method: The blocking method.

    Returns:
        A coroutine function with the method's signature, named like it with an ``a`` in front.

    Example:
        >>> class Notes:
        ...     def read(self, page: int = 1) -> str: ...
        ...
        ...     aread = in_thread(read)
        >>> await Notes().aread(page=2)
    """
    # The object's type is Any: a type variable would be taken from the twin that a base class has.
    name = method.__name__

    @functools.wraps(method)
    async def twin(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        import asyncio  # who awaits has it loaded

        current: Callable[P, R] = getattr(self, name)
        return await asyncio.to_thread(current, *args, **kwargs)

    owner, dot, _ = method.__qualname__.rpartition(".")
    twin.__name__ = f"a{name}"
    twin.__qualname__ = f"{owner}{dot}a{name}"
    twin.__doc__ = f"Async twin of ``{name}``."
    return twin
