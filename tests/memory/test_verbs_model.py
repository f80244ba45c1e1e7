"""Verbs that change turns, in any order: a memory holds what a plain dictionary would hold."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import NotFoundError
from tests.memory.fake_model import FakeModel

SESSIONS = st.sampled_from(["one", "two"])
KEYS = st.sampled_from([None, "k", "l"])
TEXTS = st.sampled_from(
    [f"The {what} is {how}." for what in ("cat", "dog") for how in ("in", "out")]
)
START = datetime(2026, 1, 1, tzinfo=UTC)
SOON = timedelta(milliseconds=60)
LIVES = st.sampled_from([None, SOON, timedelta(days=1)])
DAYS = st.integers(0, 5)


@dataclass(frozen=True)
class Kept:
    """What the dictionary holds of a turn."""

    session: str
    text: str
    key: str | None
    time: datetime
    expires: datetime | None = None
    pinned: bool = False
    versions: tuple[tuple[str, datetime], ...] = field(default=())

    def said(self, then: datetime) -> str:
        """Its text at a time."""
        return next((text for text, until in self.versions if until > then), self.text)


class Verbs(RuleBasedStateMachine):
    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model: Any = FakeModel()
        self.memory = self.open()
        self.other = self.open()
        self.kept: dict[int, Kept] = {}

    def open(self) -> CompressiveMemory:
        return CompressiveMemory(self.folder / "memory.db", model=self.model)

    def teardown(self) -> None:
        self.memory.close()
        self.other.close()
        shutil.rmtree(self.folder)

    def expire(self) -> None:
        """Drop what is gone, and let nothing be about to go."""
        soon = datetime.now(UTC) + timedelta(seconds=1)
        ends = [one.expires for one in self.kept.values() if one.expires and not one.pinned]
        if due := [end for end in ends if end < soon]:
            time.sleep(max((max(due) - datetime.now(UTC)).total_seconds(), 0) + 0.001)
        now = datetime.now(UTC)
        self.kept = {
            id_: one
            for id_, one in self.kept.items()
            if one.pinned or one.expires is None or one.expires > now
        }

    @rule(target=ids, text=TEXTS, session=SESSIONS, key=KEYS, lives=LIVES, day=DAYS)
    def remember(
        self, text: str, session: str, key: str | None, lives: timedelta | None, day: int
    ) -> Any:
        self.expire()
        when = START + timedelta(days=day)
        turn = self.memory.remember(
            "user", text, session=session, key=key, time=when, expires=lives
        )
        same = {
            id_
            for id_, one in self.kept.items()
            if key is not None and (one.session, one.key) == (session, key)
        }
        assert turn.id in same if same else turn.id > max(self.kept, default=0)
        before = self.kept.get(turn.id)
        if before is None:
            now = Kept(session, text, key, when, turn.expires)
        elif before.text == text:
            now = replace(before, expires=turn.expires)
        else:
            now = Kept(session, text, key, when, turn.expires, before.pinned)
        self.kept[turn.id] = now
        return turn.id if before is None else multiple()

    @rule(turn=ids, text=TEXTS, keep=st.booleans())
    def edit(self, turn: int, text: str, keep: bool) -> None:
        self.expire()
        if turn not in self.kept:
            with pytest.raises(NotFoundError):
                self.memory.edit(turn, text, keep_versions=keep)
            return
        before, from_here = self.kept[turn], datetime.now(UTC)
        self.memory.edit(turn, text, keep_versions=keep)
        versions = before.versions if keep else ()
        if keep and text != before.text:
            versions += ((before.text, from_here),)
        time.sleep(0.001)
        self.kept[turn] = replace(before, text=text, versions=versions)

    @rule(turn=ids, pinned=st.booleans())
    def pin(self, turn: int, pinned: bool) -> None:
        self.expire()
        if turn not in self.kept:
            with pytest.raises(NotFoundError):
                self.memory.pin([turn], pinned=pinned)
            return
        self.memory.pin([turn], pinned=pinned)
        self.kept[turn] = replace(self.kept[turn], pinned=pinned)

    @rule(turn=consumes(ids))
    def forget(self, turn: int) -> None:
        self.expire()
        if turn not in self.kept:
            with pytest.raises(NotFoundError):
                self.memory.forget(turn_ids=[turn])
            return
        assert self.memory.forget(turn_ids=[turn]).turn_ids == (turn,)
        del self.kept[turn]

    @rule(session=SESSIONS)
    def forget_session(self, session: str) -> None:
        self.expire()
        gone = {id_ for id_, one in self.kept.items() if one.session == session}
        if gone:
            assert {*self.memory.forget(session=session).turn_ids} == gone
            self.kept = {id_: one for id_, one in self.kept.items() if id_ not in gone}

    @rule()
    def forget_everything(self) -> None:
        self.expire()
        assert self.memory.forget(everything=True).turns == len(self.kept)
        self.kept = {}

    @rule()
    def reopen(self) -> None:
        self.memory.close()
        self.memory = self.open()

    @rule(day=DAYS, edits=st.integers(0, 3))
    def ask_as_of(self, day: int, edits: int) -> None:
        self.expire()
        moments = sorted(until for one in self.kept.values() for _, until in one.versions)
        then = moments[-edits] if 0 < edits <= len(moments) else START + timedelta(days=day)
        expected = {id_: one.said(then) for id_, one in self.kept.items() if one.time <= then}
        for memory in (self.memory, self.other):
            found = memory.recall("Is the cat or the dog in or out?", 99, as_of=then)
            assert {hit.turn.id: hit.text for hit in found} == expected

    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        self.expire()
        for memory in (self.memory, self.other):
            turns = memory.history()
            assert {
                turn.id: (turn.session, turn.text, turn.key, turn.time, turn.expires, turn.pinned)
                for turn in turns
            } == {
                id_: (one.session, one.text, one.key, one.time, one.expires, one.pinned)
                for id_, one in self.kept.items()
            }
            assert memory.turn_ids() == sorted(self.kept)
            assert {*memory.sessions()} == {one.session for one in self.kept.values()}
            assert memory.stats().turns == len(self.kept)
            found = memory.recall("Is the cat or the dog in or out?", 99)
            assert {hit.turn.id: hit.text for hit in found} == {
                id_: one.text for id_, one in self.kept.items()
            }
            for id_, one in self.kept.items():
                assert [version.text for version in memory.versions(id_)] == [
                    text for text, _ in one.versions
                ]
        context = self.other.context("", 9_999, nothing="")
        assert context.count("The ") == sum(one.pinned for one in self.kept.values())
        assert self.memory.verify().ok


TestVerbs = Verbs.TestCase
TestVerbs.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
