"""Which turns a caller means: names, keys and ids, checked, as the store knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from r3mem_agents import validation as check
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.memory.filters import Filters
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.where import Where
from r3mem_agents.store import possible_ids


def filters(
    handle: Handle,
    sessions: Iterable[str] | None,
    roles: Iterable[str] | None,
    exclude: Iterable[int],
    where: Mapping[str, Any] | None,
    since: datetime | None = None,
    until: datetime | None = None,
    min_score: float | None = None,
) -> Filters:
    """Check the arguments by which a lookup leaves turns out."""
    start, end = check.check_period(since, until)
    return Filters(
        sessions=None if sessions is None else session_rows(handle, sessions),
        roles=None if roles is None else frozenset(check.check_names(roles, "roles")),
        exclude=frozenset(possible_ids(check.check_ids(exclude, "exclude"))),
        since=start,
        until=end,
        min_score=None if min_score is None else check.check_score(min_score, "min_score"),
        where=None if where is None else Where(handle, where),
    )


def session_rows(handle: Handle, sessions: Iterable[str]) -> frozenset[int]:
    """Return the row ids of sessions; the handle's own may have none yet.

    Raises:
        NotFoundError: If another one does not exist.
    """
    names = check.check_names(sessions, "sessions")
    digests = {handle.obfuscator.digest("session", name): name for name in names}
    rows = handle.store.session_ids(handle.scope, digests)
    for digest, name in digests.items():
        if digest not in rows and name != handle.session:
            raise NotFoundError(
                f"no session {name!r} in this memory of user {handle.user!r}; sessions() lists "
                "those that there are"
            )
    return frozenset(rows.values())


def session_row(handle: Handle, session: str | None) -> int | None:
    """Return the row id of a session, or of the handle's own; ``None`` where that has no turns.

    Raises:
        NotFoundError: If there is no such session.
    """
    name = handle.session if session is None else check.check_name(session, "session")
    return next(iter(session_rows(handle, [name])), None)


def keyed(handle: Handle, keys: Iterable[str], session: str | None) -> list[int]:
    """Return the ids of the turns with these keys, in their order, as far as there are any."""
    names = dict.fromkeys(check.check_names(keys, "keys"))
    where = handle.session if session is None else check.check_name(session, "session")
    known = handle.keyed(where, list(names))
    return [known[key] for key in names if key in known]


def listed(
    handle: Handle,
    session: str | None,
    sessions: Iterable[str] | None,
    keys: Iterable[str] | None,
) -> list[int]:
    """Return ids of turns in the order of writing; see ``CompressiveMemory.turn_ids``."""
    if sessions is not None:
        if session is not None or keys is not None:
            raise InvalidInputError("turn_ids takes sessions=[...] alone")
        names = check.check_names(sessions, "sessions")
    elif keys is not None:
        return sorted(keyed(handle, keys, session))
    elif session is None:
        return handle.store.turn_ids(handle.scope, None)
    else:
        names = [check.check_name(session, "session")]
    digests = [handle.obfuscator.digest("session", name) for name in names]
    rows = handle.store.session_ids(handle.scope, digests)
    return handle.store.turn_ids(handle.scope, list(rows.values()))


def fetched(
    handle: Handle, ids: Iterable[int] | None, keys: Iterable[str] | None, session: str | None
) -> list[int]:
    """Return the ids that ``CompressiveMemory.fetch`` asks for, by ids or by keys."""
    if (ids is None) == (keys is None):
        raise InvalidInputError("fetch takes one of turn_ids=[...] and keys=[...]")
    if ids is not None and session is not None:
        raise InvalidInputError("fetch takes a session with keys=[...] only: ids need none")
    return check.check_ids(ids, "turn_ids") if keys is None else keyed(handle, keys, session)


def doomed(
    handle: Handle, ids: Iterable[int] | None, session: str | None, everything: bool
) -> tuple[list[int] | None, int | None]:
    """Return what ``CompressiveMemory.forget`` is to remove: turns, a session, or everything.

    Returns:
        Ids of turns, or else the row id of a session, or else neither, which means everything.
    """
    if (ids is not None) + (session is not None) + (everything is True) != 1:
        raise InvalidInputError(
            "forget takes one of turn_ids=[...], session='...' and everything=True"
        )
    if session is None:
        return (None if ids is None else check.check_ids(ids, "turn_ids")), None
    row = session_row(handle, session)
    return ([], None) if row is None else (None, row)
