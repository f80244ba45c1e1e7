"""No trace of a deleted row is left, whatever the B-trees did to it before."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine

from r3mem_agents.errors import StoreUnavailableError
from r3mem_agents.store import Label, NewTurn, Scope, Store, sqlite
from tests.store.rows import SCOPE, make_turn


def on_disk(folder: Path) -> bytes:
    return b"\0".join(file.read_bytes() for file in sorted(folder.iterdir()))


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_that_moved_between_pages_leave_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = Store(tmp_path / "store.db")
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
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "store.db"
    store = Store(path)
    code = bytes(range(100, 160))
    [turn] = store.add(SCOPE, [make_turn(code=code)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    with pytest.raises(StoreUnavailableError, match="turns are forgotten, but traces"):
        store.forget(SCOPE, ids=[turn])
    assert store.turns(SCOPE, [turn]) == {}
    reader.close()
    assert code in on_disk(tmp_path)
    assert store.forget(SCOPE, ids=[]) == 0
    assert code not in on_disk(tmp_path)
    store.close()


def test_a_scrub_that_was_cut_short_is_finished_when_the_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    code = bytes(range(100, 160))

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    store = Store(path)
    store.add(SCOPE, [make_turn(code=code)])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sqlite, "scrub", killed)
        store.forget(SCOPE)
    assert code in on_disk(tmp_path)
    other = Store(path)
    assert code not in on_disk(tmp_path)
    assert other.history(SCOPE, None) == []
    other.close()
    store.close()


def test_scopes_without_turns_are_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    user = bytes(range(200, 216))
    scope = Scope(user, b"agent", b"sealed owner")
    store.add(scope, [make_turn()])
    assert user in on_disk(tmp_path)
    store.forget(scope)
    assert user not in on_disk(tmp_path)
    store.close()


def test_deleted_rows_are_zeroed_before_the_file_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_empty_the_log(engine: Engine) -> bool:
        sqlite.file_bytes(engine)
        return True

    monkeypatch.setattr(sqlite, "scrub", only_empty_the_log)
    code = bytes(range(100, 160))
    store = Store(tmp_path / "store.db")
    [turn, _] = store.add(SCOPE, [make_turn(code=code), make_turn()])
    assert code in on_disk(tmp_path)
    store.forget(SCOPE, ids=[turn])
    assert code not in on_disk(tmp_path)
    store.close()
