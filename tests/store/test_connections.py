"""What connections promise to threads, and when a transaction fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from r3mem_agents.store import connections
from r3mem_agents.store.connections import KEPT, BusyError, Connections
from r3mem_agents.store.places import locate
from r3mem_agents.store.sqlite import begin_file
from r3mem_agents.types import IN_MEMORY


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connections]:
    where = tmp_path / "some.db" if request.param == "file" else IN_MEMORY
    with closing(Connections(locate(where))) as database:
        begin_file(database)
        with database.writing() as connection:
            connection.execute("CREATE TABLE numbers (number INTEGER)")
        yield database


def add(database: Connections, number: int) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))


def count(database: Connections) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])


def test_threads_lose_nothing_and_see_whole_transactions(database: Connections) -> None:
    threads, pairs = 8, 10
    odd: list[int] = []

    def work() -> None:
        for number in range(pairs):
            with database.writing() as connection:
                connection.execute("INSERT INTO numbers VALUES (?)", (number,))
                connection.execute("INSERT INTO numbers VALUES (?)", (-number,))
            odd.append(count(database) % 2)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert odd == [0] * threads * pairs
    assert count(database) == 2 * threads * pairs
    assert 0 < database._idle.qsize() <= KEPT


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, sqlite3.OperationalError])
def test_what_fails_leaves_nothing(database: Connections, error: type[BaseException]) -> None:
    with pytest.raises(error), database.writing() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        raise error
    assert count(database) == 0
    add(database, 2)
    assert count(database) == 1


def test_a_transaction_that_is_abandoned_is_none(database: Connections) -> None:
    def reads() -> Generator[int, None, None]:
        with database.reading() as connection:
            yield from (row[0] for row in connection.execute("SELECT number FROM numbers"))

    for number in range(3):
        add(database, number)
    some = reads()
    assert next(some) == 0
    some.close()
    with database.bare() as connection:
        assert not connection.in_transaction
    add(database, 3)


def test_one_transaction_lies_in_no_other(
    database: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file another one begins beside it; in memory it waits for the first."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.05)
    with database.writing() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        if database._place.in_memory:
            with pytest.raises(BusyError):
                count(database)
        else:
            assert count(database) == 0
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            connection.execute("BEGIN")
    assert count(database) == 1


def test_what_is_in_use_is_closed_when_it_comes_back(database: Connections) -> None:
    with database.bare() as connection:
        database.close()
        connection.execute("SELECT 1")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
