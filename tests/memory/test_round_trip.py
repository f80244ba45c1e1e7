from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import ExpansionError, ReadBackError
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel, FakeTokens

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
ROLES = NAMES.filter(lambda role: len(role.splitlines()) == 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
TIMES = st.datetimes(timezones=st.timezones(), allow_imaginary=False) | st.datetimes(
    timezones=st.sampled_from([timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
)
TURNS = st.builds(
    Turn,
    role=ROLES,
    text=TEXTS,
    name=st.none() | NAMES,
    session=NAMES,
    time=TIMES,
    metadata=st.none() | st.dictionaries(st.text(max_size=8), JSON, max_size=3),
)


@given(turns=st.lists(TURNS, max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_goes_in_comes_out(turns: list[Turn], model: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        with CompressiveMemory(path, model=model) as memory:
            stored = memory.remember_many(turns)
        with CompressiveMemory(path, model=model) as memory:
            found = memory.history()
    assert found == stored
    for before, after in zip(turns, found, strict=True):
        assert after.text.encode() == before.text.encode()
        assert (after.role, after.name, after.session) == (before.role, before.name, before.session)
        assert after.metadata == (before.metadata or {})
        assert before.time is not None
        assert after.time - before.time == timedelta(0)
        offset = before.time.utcoffset()
        assert offset is not None and after.time.utcoffset() == offset


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_history_is_the_order_of_writing(data: st.DataObject, model: Any) -> None:
    batches = data.draw(st.lists(st.lists(TURNS, max_size=4), max_size=4))
    with CompressiveMemory(":memory:", model=model) as memory:
        stored = [turn for batch in batches for turn in memory.remember_many(batch)]
        ids = [turn.id for turn in stored]
        assert ids == sorted(set(ids))
        assert memory.history() == stored
        assert memory.turn_ids() == ids
        for session in {turn.session for turn in stored}:
            assert memory.history(session) == [t for t in stored if t.session == session]
            assert memory.turn_ids(session) == [t.id for t in stored if t.session == session]


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(("month", "day"), [(10, 25), (3, 29)])  # repeated and skipped hours
def test_hours_that_clocks_repeat_or_skip(
    open_memory: OpenMemory, month: int, day: int, fold: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    time = datetime(2026, month, day, 2, 30, tzinfo=zone, fold=fold)
    memory = open_memory()
    turn = memory.remember("user", "When?", time=time)
    assert memory.history() == [turn]
    assert turn.time - time == timedelta(0)
    assert [hit.turn.time for hit in memory.recall("when", since=time, until=time)] == [turn.time]


def test_duplicates_are_kept(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = Turn(role="user", text="Again.")
    assert len(memory.remember_many([turn, turn])) == 2
    memory.remember("user", "Again.")
    assert [turn.text for turn in memory.history()] == ["Again."] * 3


def test_a_megabyte_comes_back(open_memory: OpenMemory) -> None:
    text = "".join(f"Line {i}: what was said, \u00fcber alles.\n" for i in range(30_000))
    assert len(text.encode()) > 1_000_000
    memory = open_memory()
    memory.remember("tool", text)
    assert memory.history()[0].text == text


def test_what_was_left_out_is_filled_in(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    before = datetime.now(UTC)
    turn = memory.remember("user", "Hello.")
    after = datetime.now(UTC)
    assert (turn.session, turn.name, turn.metadata) == ("today", None, {})
    assert before <= turn.time <= after
    assert memory.history("today") == [turn]


def test_a_memory_in_memory(open_memory: OpenMemory) -> None:
    one, other = open_memory(":memory:"), open_memory(":memory:")
    one.remember("user", "Only in Lisbon.")
    assert [turn.text for turn in one.history()] == ["Only in Lisbon."]
    assert other.history() == []
    assert one.recall("Lisbon")[0].text == "Only in Lisbon."
    assert one.stats().file_bytes == 0
    assert one.forget(everything=True).turns == 1


def test_a_url_is_a_path(open_memory: OpenMemory, tmp_path: Path, model: Any) -> None:
    turn = open_memory().remember("user", "Hello.")
    with CompressiveMemory(f"sqlite:///{tmp_path}/memory.db", model=model) as memory:
        assert memory.history() == [turn]


def test_a_location_opens_the_same_memory(
    tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for where in ("memory.db", Path("memory.db"), f"sqlite:///{tmp_path}/memory.db"):
        with CompressiveMemory(where, model=model) as memory:
            turn = memory.remember("user", f"Through {where}.")
        monkeypatch.chdir("/")
        with CompressiveMemory(memory.location, model=model) as memory:
            assert memory.history()[-1] == turn
        monkeypatch.chdir(tmp_path)
    with CompressiveMemory(":memory:", model=model) as memory:
        assert memory.location == ":memory:"


def test_nothing_is_a_batch_too(open_memory: OpenMemory) -> None:
    memory = open_memory()
    assert memory.remember_many([]) == []
    assert memory.history() == []


@pytest.mark.parametrize("close", [True, False])
def test_turns_outlive_the_object(open_memory: OpenMemory, close: bool) -> None:
    memory = open_memory(user="alice")
    turn = memory.remember("user", "Remember me.")
    if close:
        memory.close()
    assert open_memory(user="alice").history() == [turn]


def test_a_memory_that_nobody_closed_lets_go_of_its_file(tmp_path: Path, model: Any) -> None:
    memory = CompressiveMemory(tmp_path / "memory.db", model=model)
    memory.remember("user", "Hello.")
    assert (tmp_path / "memory.db-wal").exists()
    del memory
    gc.collect()
    assert [file.name for file in tmp_path.iterdir()] == ["memory.db"]


def test_stats_add_up(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    empty = memory.stats()
    assert (empty.turns, empty.sessions, empty.bits_per_token, empty.inferred_share) == (0, 0, 0, 0)
    texts = ["One two three four.", "", "G\u00fcte " * 100]
    memory.remember_many(
        [Turn(role="user", text=text, session=f"s{i % 2}") for i, text in enumerate(texts)]
    )
    stats = memory.stats()
    segments = memory.model.compress(texts)
    assert stats.turns == 3
    assert stats.sessions == 2
    assert stats.text_bytes == sum(len(text.encode()) for text in texts)
    assert stats.code_bytes == sum(len(segment.code) for segment in segments)
    assert stats.gist_bytes == sum(len(segment.gists) for segment in segments)
    assert stats.tokens == sum(segment.tokens for segment in segments)
    assert stats.bits_per_token == pytest.approx(8 * stats.code_bytes / stats.tokens)
    assert 0 <= stats.inferred_share <= 1
    assert 0 < stats.term_bytes < 3 * (4 + 3 * 100)  # with accents, without, with two letters
    assert stats.file_bytes == sum(
        file.stat().st_size for file in tmp_path.iterdir() if not file.name.endswith("-shm")
    )


class Forgetful(FakeModel):
    """Writes one text in such a way that another one comes back, or none."""

    def __init__(self, instead: str | None) -> None:
        super().__init__()
        self.instead = instead

    def expand(self, tokens: Sequence[FakeTokens]) -> list[str]:
        texts = super().expand(tokens)
        if "Lost." in texts and self.instead is None:
            raise ExpansionError("no text")
        return [str(self.instead) if text == "Lost." else text for text in texts]


@pytest.mark.parametrize("instead", [None, "Last."])
def test_what_would_not_come_back_is_not_written(
    open_memory: OpenMemory, instead: str | None
) -> None:
    memory = open_memory(model=Forgetful(instead))
    kept = memory.remember("user", "Kept.")
    with pytest.raises(ReadBackError, match="turn 1 of 2 .*nothing was written"):
        memory.remember_many([Turn(role="user", text="Good."), Turn(role="user", text="Lost.")])
    assert memory.history() == [kept]
    assert memory.recall("good lost last") == []


def test_a_write_is_read_back_though_its_text_is_at_hand(open_memory: OpenMemory) -> None:
    model = Forgetful("Lost.")
    memory = open_memory(model=model)
    memory.remember("user", "Lost.")
    model.instead = "Last."
    with pytest.raises(ReadBackError):
        memory.remember("user", "Lost.")
