"""Attributes of a memory that are what it was opened with."""

from __future__ import annotations

from typing import Any, Generic, Never, Self, TypeVar, overload

T = TypeVar("T")


class Fixed(Generic[T]):
    """An attribute that a memory takes from its handle, and that cannot be assigned."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, memory: None, owner: type) -> Self: ...
    @overload
    def __get__(self, memory: object, owner: type) -> T: ...
    def __get__(self, memory: Any, owner: type) -> Any:
        return self if memory is None else getattr(memory._handle, self._name)

    def __set__(self, memory: object, value: Never) -> None:
        raise AttributeError(
            f"the {self._name} of a memory does not change; take another memory: "
            "memory.scoped(user=..., agent=..., session=...) on the same file and model, or "
            "CompressiveMemory(...)"
        )
