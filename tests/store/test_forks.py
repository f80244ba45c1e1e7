"""What connections promise to the children of a fork, and to their parents."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from r3mem_agents.store.connections import Connections
from r3mem_agents.store.places import locate
from r3mem_agents.store.sqlite import begin_file
from r3mem_agents.types import IN_MEMORY
from tests.store.test_connections import add, count

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),  # from Python 3.12
]

DONE = 7


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def database(path: Path) -> Iterator[Connections]:
    with closing(made(path)) as database:
        yield database


def made(where: Path | str) -> Connections:
    database = Connections(locate(where))
    begin_file(database)
    with database.writing() as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
    return database


def forked(work: Callable[[], bool]) -> int:
    """Work in a child; gives its id."""
    if child := os.fork():
        return child
    try:
        os._exit(DONE if work() else 1)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(2)


def done(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DONE


def test_a_child_has_connections_of_its_own(database: Connections) -> None:
    with database.bare() as parents:
        pass

    def work() -> bool:
        add(database, 1)
        with database.bare() as own:
            return own is not parents and count(database) == 1

    assert done(forked(work))
    add(database, 2)
    with database.bare() as connection:
        assert connection is parents
    assert count(database) == 2


@pytest.mark.parametrize("opened", [1, 2])
def test_nobody_takes_the_log_from_under_a_child(opened: int, path: Path) -> None:
    """The last one to close a file removes its log: a child that uses it has to count."""
    many = [made(path), *(Connections(locate(path)) for _ in range(1, opened))]
    for database in many:
        count(database)
    (wait, go), (ready, say) = os.pipe(), os.pipe()

    def work() -> bool:
        os.close(go)  # a parent that fails says nothing, and the child ends
        add(many[0], 1)
        os.write(say, b"1")
        os.read(wait, 1)
        add(many[0], 3)
        return count(many[0]) == 3

    child = forked(work)
    os.read(ready, 1)
    for database in many:
        database.close()
    with closing(Connections(locate(path))) as other:
        add(other, 2)
    assert Path(f"{path}-wal").exists()
    os.write(go, b"1")
    assert done(child)
    with closing(Connections(locate(path))) as other:
        assert count(other) == 3


def test_a_child_that_lets_go_takes_nothing_from_its_parent(
    database: Connections, path: Path
) -> None:
    add(database, 1)
    log = Path(f"{path}-wal").stat()

    def work() -> bool:
        count(database)
        database.close()
        with closing(Connections(locate(path))) as other:
            return count(other) == 1

    assert done(forked(work))
    assert os.path.samestat(Path(f"{path}-wal").stat(), log)
    add(database, 2)
    with closing(Connections(locate(path))) as other:
        assert count(other) == 2


def test_what_is_in_memory_is_copied_into_a_child() -> None:
    with closing(made(IN_MEMORY)) as database:
        add(database, 1)

        def work() -> bool:
            add(database, 2)
            return count(database) == 2

        assert done(forked(work))
        assert count(database) == 1
