from __future__ import annotations

from pathlib import Path
from typing import Any

from r3mem_agents.store import Label, ModelId, NewTurn, Scope, Store

SCOPE = Scope(b"user", b"agent", b"hidden owner")
MODEL = ModelId("model", "expander", "encoder")


def open_store(path: Path, rules: bytes = b"", model: ModelId = MODEL) -> Store:
    store = Store(path, rules)
    store.bind_model(model)
    return store


def make_turn(**fields: Any) -> NewTurn:
    plain: dict[str, Any] = {
        "session": Label(b"session", b"hidden session"),
        "speaker": Label(b"speaker", b"hidden speaker"),
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
