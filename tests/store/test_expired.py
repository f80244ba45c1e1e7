"""What has expired goes with the next write, and a write does not look through what has not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from r3mem_agents.store import Scope, Store
from r3mem_agents.timestamps import now_us
from tests.store.rows import SCOPE, make_turn, open_store

HOUR_US = 3_600_000_000

OTHER = Scope(b"other", b"agent", b"hidden owner")


def fill(path: Path, turns: int) -> list[int]:
    """A file of which a third of the turns are pinned, and a third expire some time."""
    with closing(open_store(path)) as store:
        later = now_us() + HOUR_US
        new = [make_turn(expires_us=later + n if n % 3 else None) for n in range(turns)]
        ids = store.add(SCOPE, new)
        store.add(OTHER, new)
        store.pin(SCOPE, ids[::3], pinned=True)
        return ids


def steps(store: Store, work: Callable[[], object]) -> int:
    """How many steps of SQLite's something takes."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    with store._connections.bare() as connection:  # which is used again
        connection.set_progress_handler(step, 1)
    work()
    with store._connections.bare() as connection:
        connection.set_progress_handler(None, 1)
    return taken


def test_a_write_takes_as_long_however_many_turns_expire_later(tmp_path: Path) -> None:
    few, many = tmp_path / "few.db", tmp_path / "many.db"
    fill(few, 30)
    fill(many, 3000)
    taken = []
    for path in (few, many):
        with closing(open_store(path)) as store:
            store.add(SCOPE, [make_turn()])
            taken.append(steps(store, partial(store.add, SCOPE, [make_turn()])))
    assert taken[1] < taken[0] + 100
    assert taken[0] > 100, "they are counted"


@pytest.mark.parametrize("index", [True, False])
def test_what_another_process_lets_expire_goes_with_the_next_write(
    tmp_path: Path, index: bool
) -> None:
    path = tmp_path / "store.db"
    fill(path, 6)
    with closing(open_store(path)) as mine, closing(open_store(path)) as other:
        mine.add(SCOPE, [make_turn()])
        doomed = other.add(SCOPE, [make_turn(expires_us=now_us() - 1) for _ in range(3)])
        kept = other.add(SCOPE, [make_turn(expires_us=now_us() + HOUR_US)])
        if not index:  # time alone depends on it
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("DROP INDEX marks_by_expiry")
        mine.add(SCOPE, [make_turn()])
        with closing(sqlite3.connect(path)) as connection:
            left = {turn for (turn,) in connection.execute("SELECT id FROM turns")}
        assert left.isdisjoint(doomed)
        assert left.issuperset(kept)
