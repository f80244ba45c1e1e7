"""What prints a value may be a log: no word of a turn is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import (
    Evidence,
    Explanation,
    LookupExplanation,
    Recollection,
    Recollections,
    StoredTurn,
    Turn,
)

SECRET = "Biscuit"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@given(text=st.text().map(lambda text: text + SECRET), name=st.none() | st.just(f"Mr {SECRET}"))
def test_a_repr_has_no_word_of_a_turn(text: str, name: str | None) -> None:
    said: dict[str, Any] = {
        "role": "user", "text": text, "name": name, "metadata": {text: text}, "key": text,
    }  # fmt: skip
    stored = StoredTurn(**said, session="s", time=NOW, id=7)
    why = Explanation(
        evidence={"words": Evidence(log_odds=1.0, reasons=(f"said: {text}",))},
        said=(text,),
        unsaid=(text,),
        similarity=0.5,
        position=1,
        session_turns=1,
        notes=(text,),
    )
    read = LookupExplanation(words=(text,), speakers=(text,), times=(), outcome="Found.")
    hit = Recollection(turn=stored, score=0.5, explanation=why)
    for value in (Turn(**said), stored, why, read, hit, Recollections([hit], read)):
        assert SECRET not in repr(value)
    for wanted in ("role='user'", "session='s'", "id=7", "score=0.5"):
        assert wanted in repr([hit])
