"""No trace of a deleted row is left, whatever the B-trees did to it before."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from r3mem_agents.errors import StoreUnavailableError
from r3mem_agents.store import Label, NewTurn, Scope, Store, TokenRow, scrubbing, sqlite
from r3mem_agents.store.connections import Connections
from tests.store.rows import SCOPE, make_turn, open_store

CODE = bytes(range(100, 160))


def wait_until(true: Callable[[], bool]) -> None:
    while not true():  # a test that hangs here is stopped from outside
        time.sleep(0.01)


def on_disk(folder: Path) -> bytes:
    return b"\0".join(file.read_bytes() for file in sorted(folder.iterdir()))


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_that_moved_between_pages_leave_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = open_store(tmp_path / "store.db")
    alive: dict[int, NewTurn] = {}
    dead: list[NewTurn] = []
    for _ in range(50):
        new = [
            make_turn(
                session=Label(chance.randbytes(16), chance.randbytes(12)),
                speaker=Label(chance.randbytes(16), chance.randbytes(12)),
                code=chance.randbytes(chance.choice([20, 60, 400, 5000])),
            )
            for _ in range(chance.randint(1, 30))
        ]
        alive.update(zip(store.add(SCOPE, new), new, strict=True))
        if chance.random() < 0.4:
            doomed = chance.sample(sorted(alive), k=min(len(alive), chance.randint(1, 40)))
            store.forget(SCOPE, ids=doomed)
            dead.extend(alive.pop(turn) for turn in doomed)
    disk = on_disk(tmp_path)
    store.close()
    assert len(dead) > 100
    for turn in dead:
        for trace in (turn.code[:20], turn.code[-20:], *turn.session, *turn.speaker):
            assert trace not in disk
    assert all(turn.code[:20] in disk for turn in alive.values())


def test_a_reader_that_keeps_the_log_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "READER_TIMEOUT_S", 0.1)
    path = tmp_path / "store.db"
    store = open_store(path)
    [turn] = store.add(SCOPE, [make_turn(code=CODE)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    with pytest.raises(StoreUnavailableError, match="turns are forgotten, but traces"):
        store.forget(SCOPE, ids=[turn])
    assert store.turns(SCOPE, [turn]) == {}
    assert CODE in on_disk(tmp_path)
    reader.close()
    store.forget(SCOPE, ids=[])
    assert CODE not in on_disk(tmp_path)
    store.close()


def test_what_a_reader_kept_is_removed_once_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "READER_TIMEOUT_S", 0.1)
    monkeypatch.setattr(scrubbing, "SCRUB_AFTER_S", 0.01)
    monkeypatch.setattr(scrubbing, "MIN_REST", 0)
    path = tmp_path / "store.db"
    with closing(open_store(path)) as store:
        store.add(SCOPE, [make_turn(code=CODE), make_turn()])
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM turns").fetchone()
            with pytest.raises(StoreUnavailableError, match="another program is reading"):
                store.forget(SCOPE)
            wait_until(lambda: "traces of deleted turns" in caplog.text)
            assert CODE in on_disk(tmp_path)
        wait_until(lambda: CODE not in on_disk(tmp_path))


def test_a_scrub_that_was_cut_short_is_finished_when_the_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    store = open_store(path)
    store.add(SCOPE, [make_turn(code=CODE)])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sqlite, "scrub", killed)
        store.forget(SCOPE)
    assert CODE in on_disk(tmp_path)
    other = open_store(path)
    assert CODE not in on_disk(tmp_path)
    assert other.history(SCOPE, None) == []
    other.close()
    store.close()


def with_a_damaged_page(path: Path) -> list[int]:
    """A file that is to be scrubbed, and cannot be: a page of its turns is damaged."""
    with closing(open_store(path)) as store:
        ids = store.add(SCOPE, [make_turn(code=bytes([n]) * 90) for n in range(100)])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE meta SET unscrubbed = 1")  # as by who was killed
            connection.commit()
    content = bytearray(path.read_bytes())
    page = content.index(bytes([50]) * 90) // sqlite.PAGE_BYTES * sqlite.PAGE_BYTES
    content[page : page + sqlite.PAGE_BYTES] = b"\xa5" * sqlite.PAGE_BYTES
    path.write_bytes(content)
    return ids


def test_a_damaged_page_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    ids = with_a_damaged_page(tmp_path / "store.db")
    with closing(open_store(tmp_path / "store.db")) as store:
        assert store.turns(SCOPE, ids[:1])[ids[0]].intact
        with pytest.raises(StoreUnavailableError, match=r"forgotten, but traces .*malformed"):
            store.forget(SCOPE, ids=ids[:1])
        assert store.turns(SCOPE, ids[:1]) == {}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_scrub_that_failed_keeps_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with_a_damaged_page(path)
    with closing(open_store(path)) as store, pytest.raises(StoreUnavailableError):
        store.scrub()
    files = {os.path.realpath(number) for number in Path("/proc/self/fd").iterdir()}
    assert not [file for file in files if file.startswith(str(path))]


WAYS = ["removed", "replaced", "edited"]


def remove(store: Store, way: str) -> None:
    """Let a turn go in a way that does not wait until its bytes are gone."""
    key = b"key"
    [turn] = store.add(SCOPE, [make_turn(code=CODE, key=key)])
    store.scrub()  # so that the log is empty, and the bytes lie in the file itself
    if way == "removed":
        store.add(SCOPE, [], doomed=[turn, turn + 1, -1, 2**80])
    elif way == "replaced":
        store.add(SCOPE, [make_turn(key=key)], replace=True)
    else:
        store.add(SCOPE, [], edits={turn: make_turn()})
    assert CODE not in {row.code for row in store.history(SCOPE, None)}


@pytest.mark.parametrize("way", WAYS)
def test_bytes_that_nobody_waits_for_are_gone_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(scrubbing, "SCRUB_AFTER_S", 0.01)
    with closing(open_store(tmp_path / "store.db")) as store:
        remove(store, way)
        wait_until(lambda: CODE not in on_disk(tmp_path))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["close", "open", "forget", "scrub"])
def test_bytes_that_nobody_waits_for_are_gone_at(tmp_path: Path, way: str, end: str) -> None:
    path = tmp_path / "store.db"
    with closing(open_store(path)) as store:
        remove(store, way)
        assert CODE in on_disk(tmp_path)
        if end == "close":
            store.close()
        elif end == "open":
            open_store(path).close()
        elif end == "forget":
            store.forget(SCOPE, ids=[])
        else:
            store.scrub()
        assert CODE not in on_disk(tmp_path)


def test_many_deletions_are_scrubbed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubbed: list[bool] = []
    scrub = sqlite.scrub

    def counted(database: Connections) -> bool:
        scrubbed.append(scrub(database))
        return scrubbed[-1]

    monkeypatch.setattr(sqlite, "scrub", counted)
    store = open_store(tmp_path / "store.db")
    ids = store.add(SCOPE, [make_turn() for _ in range(20)])
    for turn in ids:
        store.add(SCOPE, [], doomed=[turn])
    assert scrubbed == []
    store.close()
    store.close()
    assert scrubbed == [True]


def test_a_deletion_during_a_scrub_is_not_taken_for_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    mine, other = open_store(path), open_store(path)
    ids = mine.add(SCOPE, [make_turn(), make_turn(code=CODE)])
    scrub = sqlite.scrub

    def meanwhile(database: Connections) -> bool:
        done = scrub(database)
        other.add(SCOPE, [], doomed=ids[1:])
        return done

    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "scrub", meanwhile)
        mine.forget(SCOPE, ids=ids[:1])
    assert CODE in on_disk(tmp_path)
    open_store(path).close()  # finds the mark
    assert CODE not in on_disk(tmp_path)
    mine.close()
    other.close()


@pytest.mark.parametrize("seed", range(3))
def test_no_counter_tells_how_many_turns_there_were(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "store.db"
    before = random.Random(seed).randint(1, 50)
    with closing(open_store(path)) as store:
        ids = [store.add(SCOPE, [make_turn()])[0] for _ in range(before)]
        store.forget(SCOPE)
        with closing(sqlite3.connect(path)) as connection:
            counters = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
        assert set(counters) == {"turns", "sessions", "speakers", "scopes"}
        for name, value in counters.items():  # by chance it is this low once in 300,000 times
            assert value > before + 50, name
        [after] = store.add(SCOPE, [make_turn()])
    assert after > max(ids)


def test_scopes_without_turns_are_gone(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    user = bytes(range(200, 216))
    scope = Scope(user, b"agent", b"hidden owner")
    store.add(scope, [make_turn()])
    assert user in on_disk(tmp_path)
    store.forget(scope)
    assert user not in on_disk(tmp_path)
    store.close()


def test_deleted_rows_are_zeroed_before_the_file_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_empty_the_log(database: Connections) -> bool:
        sqlite.file_bytes(database)
        return True

    monkeypatch.setattr(sqlite, "scrub", only_empty_the_log)
    store = open_store(tmp_path / "store.db")
    [turn, _] = store.add(SCOPE, [make_turn(code=CODE), make_turn()])
    assert CODE in on_disk(tmp_path)
    store.forget(SCOPE, ids=[turn])
    assert CODE not in on_disk(tmp_path)
    store.close()


def test_tokens_that_were_removed_leave_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    store = open_store(tmp_path / "store.db")
    tokens = [TokenRow(chance.randbytes(32), chance.randbytes(20), n) for n in range(200)]
    for token in tokens:
        store.add_token(token)
    chance.shuffle(tokens)
    for token in tokens[10:]:
        assert store.remove_token(token.digest)
    store.close()
    disk = on_disk(tmp_path)
    assert [n for n, token in enumerate(tokens) if token.digest in disk] == [*range(10)]
    assert [n for n, token in enumerate(tokens) if token.owner in disk] == [*range(10)]
