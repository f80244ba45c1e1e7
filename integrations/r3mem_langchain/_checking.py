"""Checks of a store's operations: one that would find or keep nothing is refused."""

from __future__ import annotations

from langgraph.store.base import GetOp, ListNamespacesOp, PutOp, SearchOp

from r3mem_agents.conditions import check_conditions
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.validation import check_count
from r3mem_langchain._namespaces import check_matches


def check_op(op: object) -> None:
    """Refuse an operation that asks for something impossible.

    Raises:
        InvalidInputError: If it does; the message says what is wrong.
    """
    match op:
        case GetOp():
            _check_labels(op.namespace, "namespace")
            _check_key(op.key)
        case PutOp():
            _check_labels(op.namespace, "namespace")
            _check_key(op.key)
            if op.index is not None and op.index is not False:
                check_index(op.index, "index")
        case SearchOp():
            _check_labels(op.namespace_prefix, "namespace_prefix")
            _check_page(op)
            if op.filter is not None:
                check_conditions(op.filter, "the filter")
        case ListNamespacesOp():
            _check_page(op)
            check_matches(op.match_conditions)
            if op.max_depth is not None:
                check_count(op.max_depth, "max_depth")
        case _:
            raise InvalidInputError(f"{type(op).__name__} is not an operation of a store")


def check_index(paths: object, what: str) -> None:
    """Refuse anything but a list of paths.

    Raises:
        InvalidInputError: If it is none.
    """
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InvalidInputError(f"{what} is {paths!r}; give a list of paths, such as ['text']")


def _check_labels(namespace: object, what: str) -> None:
    if not isinstance(namespace, list | tuple):
        raise InvalidInputError(f"{what} is {namespace!r}; give a tuple, such as ('users', 'ann')")
    for label in namespace:
        if not isinstance(label, str):
            raise InvalidInputError(f"{what} has the label {label!r}; labels are str")


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        raise InvalidInputError(f"the key of an item is {key!r}; keys are str")
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"the key of an item cannot be stored: {error}") from error


def _check_page(op: SearchOp | ListNamespacesOp) -> None:
    check_count(op.offset, "offset", least=0)
    check_count(op.limit, "limit", least=0)
