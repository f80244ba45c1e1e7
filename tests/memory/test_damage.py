"""One damaged turn takes nothing with it: the rest is read, and what is damaged is named."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, DamageWarning, StoredTurn
from r3mem_agents.errors import DamagedTurnError, StoreCorruptError
from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.membership import replace_members
from tests.memory.damaging import COUNT, START, Damaged, forget_what_was_read, said
from tests.memory.fake_model import FakeModel

VALUES = [
    "code = zeroblob(length(code))",
    "code = x''",
    "code = 5",
    "gists = zeroblob(length(gists))",
    "key = x'ff'",
    "key = 'text'",
    "extra = x'00'",
    "extra = NULL",
    "time_us = time_us + 1",
    "time_us = 1 << 62",
    "offset_s = 3600",
    "offset_s = 1 << 40",
    "offset_s = 'soon'",
    "session = 4711",
    "session = session % 7 + 1",
    "speaker = 4711",
    "speaker = speaker % 5 + 2",
    "model = 4711",
    "checksum = checksum + 1",
    "code = CAST(x'ff80' AS TEXT)",
]


@pytest.mark.parametrize("model", ["4711", "NULL"])
def test_a_file_that_does_not_say_what_wrote_it_is_given_to_no_model(
    model: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    for _ in range(2):
        with pytest.raises(StoreCorruptError, match="which model wrote it"):
            damaged(f"UPDATE meta SET model = {model}")


@pytest.mark.parametrize("value", VALUES)
def test_the_rest_is_read_and_the_damaged_turn_is_named(
    value: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    lost, rest = turns[9], turns[:9] + turns[10:]
    assert lost.id == 11
    ids = {turn.id for turn in rest}
    column = value.partition(" ")[0]
    with damaged(f"UPDATE turns SET {value} WHERE id = 11") as memory:
        with pytest.warns(DamageWarning, match=r"turn 11 in .*forget\(turn_ids=") as told:
            assert memory.history() == rest
        if column != "session":
            assert f"session {lost.session!r}" in str(told[0].message)
        if column not in ("time_us", "offset_s"):
            assert str(lost.time) in str(told[0].message)
        with pytest.warns(DamageWarning, match="turn 11 in"):
            assert memory.fetch(turn_ids=[10, 11, 12]) == [turns[8], turns[10]]
        with pytest.warns(DamageWarning, match="turn 11 in"):
            hits = memory.recall(lost.text, k=COUNT)
        assert hits
        assert {hit.turn.id for hit in hits} <= ids
        with pytest.warns(DamageWarning, match="turn 11 in"):
            assert turns[10].text in memory.context(lost.text, 4000)
        if column != "session":
            with pytest.warns(DamageWarning, match="turn 11 in"):
                assert {turn.id for turn in memory.summary(lost.session, k=COUNT)} <= ids
        report = memory.verify()
        assert report.turns == COUNT + 1
        [found] = report.damaged
        assert (found.id, found.user, found.agent) == (11, "alice", "default")
        assert len(memory.scoped(user="bob").history()) == 1
        assert memory.forget(turn_ids=[11]).turns == 1
        assert memory.history() == rest
        assert memory.verify().ok


def test_a_text_that_does_not_come_back_is_told_from_damage(
    turns: list[StoredTurn], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expand = FakeModel._expand

    def other(self: FakeModel, code: bytes) -> str:
        text = expand(self, code)
        return expand(self, code[:-1]) if text == turns[9].text else text

    monkeypatch.setattr(FakeModel, "_expand", other)
    forget_what_was_read()
    model: Any = FakeModel()
    with CompressiveMemory(path, user="alice", model=model) as memory:
        with pytest.warns(DamageWarning, match="those that were written, but do not expand"):
            assert memory.history() == turns[:9] + turns[10:]
        [found] = memory.verify().damaged
    assert (found.id, found.session, found.time) == (11, turns[9].session, turns[9].time)


def test_what_is_damaged_is_not_written_again_under_its_key(
    turns: list[StoredTurn], damaged: Damaged
) -> None:
    again = said()[9]
    with damaged("UPDATE turns SET code = x'00' WHERE id = 11") as memory:
        with pytest.raises(DamagedTurnError, match="turn 11 in session 'session 2'"):
            memory.remember_many([again])
        [new] = memory.remember_many([again], replace=True)
        assert memory.history() == [*turns[:9], *turns[10:], new]
        assert memory.verify().ok


ROW_IDS = [
    "UPDATE sessions SET id = id + 1000 WHERE id = 3",
    "UPDATE sessions SET scope = 4711 WHERE id = 3",
    "UPDATE sessions SET digest = x'00' WHERE id = 3",
    "UPDATE sessions SET hidden = x'00' WHERE id = 3",
    "UPDATE speakers SET id = id + 1000 WHERE id = 3",
    "UPDATE speakers SET scope = 1 WHERE id = 3",
    "UPDATE speakers SET hidden = x'ff' WHERE id = 3",
    "UPDATE turns SET scope = 4711 WHERE id = 11",
    "UPDATE turns SET scope = 1 WHERE id = 11",
    "UPDATE scopes SET id = 4711 WHERE id = 2",
    "UPDATE scopes SET user = x'00' WHERE id = 2",
    "UPDATE scopes SET agent = x'00' WHERE id = 2",
    "UPDATE scopes SET hidden = x'00' WHERE id = 2",
]


@pytest.mark.parametrize("statement", ROW_IDS)
def test_damaged_names_and_row_ids_are_found(
    statement: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    with damaged(statement) as memory:
        assert not memory.verify().ok
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = memory.history()
                names = memory.sessions()
                memory.recall("words3 words4 words5")
            except StoreCorruptError as error:
                assert "backup" in str(error)
                return
        assert all(turn in turns for turn in found)
        silent = not [one for one in told if one.category is DamageWarning]
        if "SET user" in statement or "SET agent" in statement:
            # Nothing but the check of the file tells this user from one who never was.
            assert silent and not found
        elif silent:
            assert found == turns
            assert len(names) == 7 or "SET scope" in statement


def test_a_known_session_without_turns_is_no_empty_one(damaged: Damaged) -> None:
    with damaged("UPDATE turns SET session = 4711 WHERE session = 2") as memory:
        [name] = {*memory.sessions()} - {f"session {number}" for number in range(1, 7)}
        with pytest.warns(DamageWarning, match="in an unknown session"):
            assert memory.history(name) == []


def test_a_turn_that_is_gone_is_missed(turns: list[StoredTurn], damaged: Damaged) -> None:
    rest = turns[:9] + turns[10:]
    with damaged("DELETE FROM turns WHERE id = 11") as memory:
        for session in (None, turns[9].session):
            with pytest.warns(DamageWarning, match="turn 11 in an unknown session at an unknown"):
                told = memory.history(session)
            assert told == [turn for turn in rest if session in (None, turn.session)]
        assert not memory.verify().ok
        assert memory.forget(turn_ids=[11]).turns == 1
        assert memory.history() == rest
        assert memory.verify().ok


def test_turns_that_are_gone_are_missed(damaged: Damaged) -> None:
    with damaged("DELETE FROM turns") as memory:
        assert not memory.verify().ok
        with pytest.raises(StoreCorruptError, match="r3mem verify"):
            memory.history()


@pytest.mark.parametrize(
    "value",
    ["gists = x'00'", "gists = 7", "time_us = ''"],
)
def test_a_lookup_leaves_out_what_it_cannot_take(
    value: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    with damaged(f"UPDATE turns SET {value} WHERE id = 11") as memory:
        with pytest.warns(DamageWarning, match="left out of lookups: turns 11"):
            assert memory.recall("words30")[0].text == turns[30].text
        assert not memory.verify().ok


def test_other_terms_are_found_by_the_check(turns: list[StoredTurn], path: Path, fake: Any) -> None:
    with CompressiveMemory(path, user="alice", model=fake) as memory:
        store = memory._handle.store
        with store._writing() as connection:
            replace_members(connection, 2, Columns.of([11], [0], [2], [bytes(6)]))
        assert memory.history() == turns
        [found] = memory.verify().damaged
    assert (found.id, found.session) == (11, "session 2")
    assert "terms" in found.reason


BLOCKS = [
    "UPDATE blocks SET data = zeroblob(length(data))",
    "UPDATE blocks SET data = 7",
    "UPDATE blocks SET data = x''",
    "UPDATE blocks SET checksum = checksum + 1",
    "UPDATE blocks SET checksum = 'text'",
    "UPDATE blocks SET last = 5",
    "UPDATE blocks SET last = 'text'",
    "UPDATE blocks SET scope = 1",
    "UPDATE blocks SET scope = 4711",
    "DELETE FROM blocks",
]


@pytest.mark.parametrize("statement", BLOCKS)
def test_what_can_be_made_anew_is(
    statement: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    with damaged(statement) as memory:
        assert not memory.verify().ok
        assert memory.history() == turns
        assert memory.history("session 2") == [one for one in turns if one.session == "session 2"]
        assert memory.stats().turns == COUNT
        assert memory.recall("words30")[0].text == turns[30].text
        memory.scoped(user="bob").recall("somebody")
        assert memory.verify().ok


@pytest.mark.parametrize("statement", BLOCKS)
def test_turns_are_written_and_forgotten_whatever_is_to_be_made_anew(
    statement: str, turns: list[StoredTurn], damaged: Damaged
) -> None:
    with damaged(statement) as memory:
        new = memory.remember("user", "Something new is said.", time=START)
        edited = memory.remember("user", "Other words.", key="key 9", session="session 2")
        assert memory.forget(turn_ids=[3]).turns == 1
        left = [edited if turn.id == edited.id else turn for turn in turns if turn.id != 3]
        assert memory.history() == [*left, new]
        assert memory.recall("Something new")[0].turn.id == new.id
        assert memory.forget(session="session 2").turns == len(
            [turn for turn in left if turn.session == "session 2"]
        )
        assert "session 2" not in memory.sessions()
        memory.scoped(user="bob").recall("somebody")
        assert memory.verify().ok


def test_a_sound_file_is_found_sound(turns: list[StoredTurn], path: Path, fake: Any) -> None:
    with CompressiveMemory(path, user="alice", model=fake) as memory:
        report = memory.scoped(user="nobody").verify()
        assert (report.turns, report.damaged, report.problems) == (COUNT + 1, (), ())
        assert report.ok
        [bob, alice] = memory.users()
    assert (bob.user, bob.agent, bob.turns, bob.sessions) == ("bob", "default", 1, 1)
    assert (alice.user, alice.agent, alice.turns, alice.sessions) == ("alice", "default", COUNT, 7)


def test_an_edited_turn_is_whole_too(turns: list[StoredTurn], path: Path, fake: Any) -> None:
    with CompressiveMemory(path, user="alice", model=fake) as memory:
        edited = memory.remember("user", "Other words.", key="key 9", session="session 2")
        assert edited.id == turns[9].id
        assert memory.history()[9] == edited
        assert memory.verify().ok


def test_names_hidden_by_another_deflate_are_no_damage(
    turns: list[StoredTurn], damaged: Damaged
) -> None:
    with damaged("UPDATE meta SET unscrubbed = 0") as memory:
        obfuscator = memory._handle.obfuscator
        packer = zlib.compressobj(0, zlib.DEFLATED, -15)
        hidden = obfuscator._mask(packer.compress(b"session 2") + packer.flush())
    with damaged(f"UPDATE sessions SET hidden = x'{hidden.hex()}' WHERE id = 4") as memory:
        more = memory.remember("user", "More.", session="session 2")
        assert memory.history() == [*turns, more]
        assert memory.verify().ok
