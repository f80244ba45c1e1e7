"""The user of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r3mem_agents.prompts import check_ids

USER = "user_id"
"""Where the state of a session names its user."""


def user_of(state: Mapping[str, Any] | None, user_id: str | None) -> str | None:
    """The user that a state names, or else the one given.

    Raises:
        InvalidInputError: If the state names somebody by an empty id.
    """
    named = (state or {}).get(USER)
    if named is None:
        return user_id
    check_ids(user_id=str(named))
    return str(named)
