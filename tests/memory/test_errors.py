"""Bad input and bad files: a named error that says what to do, and nothing stored is lost."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import (
    FormatError,
    InvalidInputError,
    NotFoundError,
    StoreCorruptError,
    StoreUnavailableError,
)
from r3mem_agents.store import sqlite
from tests.conftest import OpenMemory
from tests.memory.filling import fill

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def nested(levels: int) -> dict[str, Any]:
    value: Any = {}
    for level in range(levels - 1):
        value = {"x": value} if level % 2 else [value]
    return {"x": value} if isinstance(value, list) else dict(value)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({"text": 5}, "text must be a str, not int"),
        ({"text": None}, "text must be a str"),
        ({"text": b"bytes"}, "text must be a str"),
        ({"text": "half \ud83d an emoji"}, "lone surrogate at position 5"),
        ({"role": ""}, "role is empty"),
        ({"role": " \t"}, "role is blank"),
        ({"role": "My dog is called Biscuit. " * 3}, "role looks like a text: .*at most 64"),
        ({"role": "Hello.\nI am Alice."}, r"role looks like a text.*remember\(role, text\)"),
        ({"name": ""}, "name is empty"),
        ({"name": "\n"}, "name is blank"),
        ({"session": "   "}, "session is blank"),
        ({"key": " "}, "key is blank"),
        ({"role": None}, "role must be a str"),
        ({"name": 7}, "name must be a str"),
        ({"name": "\udfff"}, "lone surrogate"),
        ({"session": ""}, "session is empty"),
        ({"session": 3}, "session must be a str"),
        ({"time": datetime(2026, 11, 20)}, "no time zone"),
        ({"time": "2026-11-20"}, "time must be a datetime"),
        ({"time": 1.5}, "time must be a datetime"),
        ({"metadata": ["a"]}, "metadata must be a dict"),
        ({"metadata": {"when": NOW}}, "JSON"),
        ({"metadata": {1: "one"}}, "JSON"),
        ({"metadata": {"pair": (1, 2)}}, "JSON"),
        ({"metadata": {"x": float("nan")}}, "JSON"),
        ({"metadata": {"x": "\ud800"}}, "metadata.*lone surrogate"),
        ({"metadata": {"\udfff": 1}}, "metadata.*lone surrogate"),
        ({"metadata": {"deep": [{"x": "\ud83d\ude00"}]}}, "metadata.*lone surrogate"),
        ({"metadata": nested(101)}, "metadata.*deeper than 100 levels"),
        ({"metadata": nested(960)}, "metadata.*deeper than 100 levels"),
        ({"metadata": nested(20_000)}, "metadata.*deeper than 100 levels"),
        ({"metadata": {"x": 10**4300}}, "metadata"),
    ],
)
def test_a_turn_that_cannot_be_stored(
    open_memory: OpenMemory, turn: dict[str, Any], message: str
) -> None:
    memory = open_memory()
    good = memory.remember("user", "Good.")
    fields = {"role": "user", "text": "Bad."} | turn
    with pytest.raises(InvalidInputError, match=message):
        memory.remember(fields.pop("role"), fields.pop("text"), **fields)
    fields = {"role": "user", "text": "Bad."} | turn
    with pytest.raises(InvalidInputError, match=r"turns\[1\].*" + message):
        memory.remember_many([Turn(role="user", text="Also good."), Turn(**fields)])
    assert memory.history() == [good]


def test_a_long_number_is_refused_where_the_host_reads_them(open_memory: OpenMemory) -> None:
    memory = open_memory()
    known = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(InvalidInputError, match="more than 4300 digits"):
            memory.remember("user", "Bad.", metadata={"x": [10**4300]})
        turn = memory.remember("user", "Good.", metadata={"x": -(10**4299), "1" * 5000: "2" * 5000})
    finally:
        sys.set_int_max_str_digits(known)
    assert memory.history() == [turn]


def test_metadata_that_was_taken_is_read_on_a_deep_stack(open_memory: OpenMemory) -> None:
    memory = open_memory()
    brackets = '"]}[{\\" ' * 200
    turn = memory.remember("user", "Good.", metadata=nested(99) | {brackets: brackets})

    def deeper(levels: int) -> list[StoredTurn]:
        return deeper(levels - 1) if levels else memory.history()

    assert deeper(600) == [turn]


@pytest.mark.parametrize(
    "turns", [None, 5, "text", Turn(role="user", text="x"), ["text"], [{"role": "user"}]]
)
def test_a_batch_that_is_none(open_memory: OpenMemory, turns: Any) -> None:
    with pytest.raises(InvalidInputError, match="Turn"):
        open_memory().remember_many(turns)


@pytest.mark.parametrize("ids", [5, "5", ["5"], [True], [1.0], [None]])
def test_ids_that_are_none(open_memory: OpenMemory, ids: Any) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    with pytest.raises(InvalidInputError, match="turn_ids"):
        memory.forget(turn_ids=ids)
    assert memory.history() == [turn]


@pytest.mark.parametrize("what", ["user", "agent", "session"])
@pytest.mark.parametrize("value", ["", "   ", "\n", None, 5, "\ud800"])
def test_scopes_are_names(open_memory: OpenMemory, what: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=what):
        open_memory(**{what: value})
    if value is not None:
        with pytest.raises(InvalidInputError, match=what):
            open_memory(":memory:").scoped(**{what: value})


@pytest.mark.parametrize("role", ["hello", "narrator", "My dog is called Biscuit."])
@pytest.mark.parametrize("text", ["user", "assistant", "system", "tool"])
def test_a_role_and_a_text_in_each_others_place(
    open_memory: OpenMemory, role: str, text: str
) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInputError, match=rf"'{text}', which is a role.*role comes first"):
        memory.remember(role, text)
    assert memory.history() == []
    [meant] = memory.remember_many([Turn(role=role, text=text)])  # by name nothing is swapped
    also = memory.remember("user", text)
    assert memory.history() == [meant, also]


def test_a_host_may_have_any_role(open_memory: OpenMemory) -> None:
    memory = open_memory()
    for role in ("narrator", "project manager", "x" * 64, "\u8bf4\u4e66\u4eba"):
        assert memory.remember(role, "Once upon a time.").role == role


@pytest.mark.parametrize("question", ["dog", "Who am I?", "What was said today?"])
def test_an_empty_text_is_kept_and_never_found(open_memory: OpenMemory, question: str) -> None:
    memory = open_memory()
    told = memory.remember("user", "My dog is called Biscuit.")
    empty = memory.remember("assistant", "")
    assert memory.history() == [told, empty]
    assert [hit.turn for hit in memory.recall(question)] == [told]
    assert "assistant" not in memory.context(question)
    assert memory.forget(turn_ids=[told.id]) == 1
    assert memory.recall(question, explain=True) == []


@pytest.mark.parametrize("kind", [np.int64, np.uint8, int])
def test_integers_of_numpy_are_integers(open_memory: OpenMemory, kind: Any) -> None:
    memory = open_memory()
    turns = [memory.remember("user", f"My dog is called Biscuit {n}.") for n in range(3)]
    ids = [kind(turn.id) for turn in turns]
    assert memory.fetch(turn_ids=set(ids)) == turns
    assert memory.fetch(turn_ids=np.array(ids)) == turns
    options: Any = {"k": kind(2), "exclude": ids[:1], "min_score": np.float32(0)}
    assert len(memory.recall("dog", **options)) == 2
    assert memory.forget(turn_ids=ids) == 3


@pytest.mark.parametrize("id_", [-1, 0, 2**63, 10**40])
def test_ids_that_no_turn_can_have(open_memory: OpenMemory, id_: int) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    assert memory.fetch(turn_ids=[id_, turn.id]) == [turn]
    assert len(memory.recall("stay", exclude=[id_])) == 1
    assert memory.remember_many([], forget=[id_]) == []
    with pytest.raises(NotFoundError, match="nothing was forgotten"):
        memory.forget(turn_ids=[turn.id, id_])
    assert memory.history() == [turn]


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("recall", {"since": NOW, "until": NOW - timedelta(days=1)}, "since .* is after until"),
        ("recall", {"min_score": 1.01}, "from 0 to 1"),
        ("recall", {"min_score": -0.01}, "from 0 to 1"),
        ("recall", {"min_score": 10**400}, "from 0 to 1"),
        ("recall", {"k": 0}, "k is 0; it must be 1 or more"),
        ("recall", {"k": True}, "k must be an int"),
        ("context", {"token_budget": -5}, "token_budget is -5"),
        ("context", {"count": 5}, "count must be a function"),
        ("context", {"nothing": 5}, "nothing must be a str"),
    ],
)
def test_a_lookup_that_cannot_be_made(
    open_memory: OpenMemory, verb: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        getattr(open_memory(), verb)("dog", **options)


def test_a_period_may_be_a_moment(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "My dog is called Biscuit.", time=NOW)
    there = NOW.astimezone(timezone(timedelta(hours=9)))  # later on the clock, the same moment
    assert [hit.turn for hit in memory.recall("dog", since=there, until=NOW)] == [turn]


def test_ids_need_no_session(open_memory: OpenMemory) -> None:
    with pytest.raises(InvalidInputError, match="a session with keys"):
        open_memory().fetch(turn_ids=[1], session="s")


@pytest.mark.parametrize(
    "where",
    [
        None,
        5,
        b"bytes.db",
        "",
        "  ",
        "postgresql://host/db",
        "no url://",
        "\ud800.db",
        "\udcff.db",
        "a\0b",
        "x" * 9999,
    ],
)
def test_places_that_are_none(where: Any, fake: Any) -> None:
    with pytest.raises(InvalidInputError):
        CompressiveMemory(where, model=fake)


def test_a_folder(tmp_path: Path, fake: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="is a folder; give the path of a file"):
        CompressiveMemory(tmp_path, model=fake)


@pytest.mark.parametrize("missing", ["nowhere/memory.db", "file.txt/memory.db"])
def test_no_folder(tmp_path: Path, missing: str, fake: Any) -> None:
    (tmp_path / "file.txt").write_text("a file")
    with pytest.raises(StoreUnavailableError, match="no folder .* create it"):
        CompressiveMemory(tmp_path / missing, model=fake)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_that_cannot_be_written(fake: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="permissions"):
        CompressiveMemory("/proc/memory.db", model=fake)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_file_that_cannot_be_written(path: Path, fake: Any) -> None:
    fill(path, fake)
    path.chmod(0o400)
    with (
        pytest.raises(StoreUnavailableError, match="permissions"),
        CompressiveMemory(path, model=fake) as memory,
    ):
        memory.remember("user", "No.")


def test_a_database_opened_for_reading(path: Path, fake: Any) -> None:
    turns = fill(path, fake)
    with CompressiveMemory(f"sqlite:///file:{path}?mode=ro&uri=true", model=fake) as memory:
        with pytest.raises(StoreUnavailableError, match="permissions"):
            memory.remember("user", "No.")
        assert memory.history() == turns


@pytest.mark.parametrize("content", [b"Dear diary, today " * 100, bytes(range(256)) * 40])
def test_a_file_that_is_no_database(path: Path, content: bytes, fake: Any) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="no database; give another path"):
        CompressiveMemory(path, model=fake)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mark", [0, 12345])
def test_a_database_of_another_program(path: Path, mark: int, fake: Any) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute(f"PRAGMA application_id = {mark}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="another program; give another path"):
        CompressiveMemory(path, model=fake)
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_empty_file_is_a_new_memory(path: Path, fake: Any) -> None:
    path.touch()
    assert len(fill(path, fake, 1)) == 1


def read_all(path: Path, model: Any) -> None:
    with CompressiveMemory(path, model=model) as memory:
        memory.history()
        memory.recall("words")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.95])
def test_a_truncated_file(path: Path, share: float, fake: Any) -> None:
    fill(path, fake)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreCorruptError, match="restore it from a copy"):
        read_all(path, fake)


def test_an_overwritten_page(path: Path, fake: Any) -> None:
    fill(path, fake)
    content = bytearray(path.read_bytes())
    content[2 * 4096 : -4096] = b"\xa5" * (len(content) - 3 * 4096)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="restore it from a copy"):
        read_all(path, fake)


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_a_missing_table(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "DROP TABLE speakers")
    with pytest.raises(StoreCorruptError, match="no such table"):
        read_all(path, fake)


def test_a_header_that_is_there_twice(path: Path, fake: Any) -> None:
    fill(path, fake, 2)
    damage(path, "INSERT INTO meta SELECT 2, format, secret, secret_checksum, model, 0 FROM meta")
    with pytest.raises(StoreCorruptError, match=r"memory\.db is damaged .* restore it"):
        CompressiveMemory(path, model=fake)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET format = 'one'",
        "UPDATE meta SET format = -1",
        "UPDATE meta SET secret = x'00'",
        "UPDATE meta SET secret = 'text'",
        "UPDATE meta SET secret_checksum = secret_checksum + 1",
        "DELETE FROM meta",
    ],
)
def test_a_damaged_header(path: Path, statement: str, fake: Any) -> None:
    fill(path, fake, 2)
    damage(path, statement)
    with pytest.raises(StoreCorruptError, match=r"memory\.db is damaged .* backup"):
        CompressiveMemory(path, model=fake)


def test_an_earlier_format(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "UPDATE meta SET format = 1")
    with pytest.raises(FormatError, match="has format 1 .*export"):
        CompressiveMemory(path, model=fake)


def test_a_newer_format(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "UPDATE meta SET format = 99")
    with pytest.raises(FormatError, match="has format 99.*upgrade"):
        CompressiveMemory(path, model=fake)


def test_another_writer_that_does_not_end(
    path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = fill(path, fake)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    with CompressiveMemory(path, model=fake) as memory:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked by another program for 0.1 s"):
            memory.remember("user", "Wait.")
        with pytest.raises(StoreUnavailableError, match="locked"):
            memory.forget(everything=True)
        assert memory.history() == turns
        blocker.close()
        memory.remember("user", "Now.")


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Every connection may use only a few pages more than the file has."""

    def limit(connection: Any, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


def test_a_full_disk(path: Path, fake: Any, request: pytest.FixtureRequest) -> None:
    turns = fill(path, fake)
    request.getfixturevalue("full_disk")
    with CompressiveMemory(path, model=fake) as memory:
        with pytest.raises(StoreUnavailableError, match="disk .* is full; nothing was changed"):
            memory.remember_many(
                [Turn(role="user", text=f"More {i} {'words ' * 30}") for i in range(500)]
            )
        assert memory.history() == turns
        assert memory.remember("user", "A little.").id


def test_a_closed_memory(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    memory.close()
    memory.close()
    calls: list[Callable[[], object]] = [
        lambda: memory.remember("user", "Late."),
        lambda: memory.remember_many([]),
        lambda: memory.recall("stay"),
        lambda: memory.recall(" "),
        lambda: memory.context("stay"),
        lambda: memory.fetch(turn_ids=[]),
        lambda: memory.turn_ids(keys=[]),
        lambda: memory.forget(turn_ids=[]),
        lambda: memory.forget(everything=True),
        lambda: memory.scoped(user="bob"),
        lambda: memory.backup(tmp_path / "copy.db"),
        memory.__enter__,
        memory.history,
        memory.summary,
        memory.sessions,
        memory.stats,
        memory.users,
        memory.verify,
    ]
    for call in calls:
        with pytest.raises(StoreUnavailableError, match="closed; open it again"):
            call()
    with open_memory() as again:
        assert again.history() == [turn]
