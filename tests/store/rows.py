from __future__ import annotations

from typing import Any

from r3mem_agents.store import Label, NewTurn, Scope

SCOPE = Scope(b"user", b"agent", b"sealed owner")


def make_turn(**fields: Any) -> NewTurn:
    plain: dict[str, Any] = {
        "session": Label(b"session", b"sealed session"),
        "speaker": Label(b"speaker", b"sealed speaker"),
        "time_us": 1_700_000_000_000_000,
        "offset_s": 3600,
        "code": b"code",
        "gists": b"g" * 32,
        "terms": b"abcdef",
        "key": None,
        "extra": None,
        "tokens": 9,
        "text_bytes": 40,
        "inferred": 5,
        "packed": 1,
        "literal": 0,
    }
    return NewTurn(**(plain | fields))
