"""Those who wait for a scrub share one, and one that is cut short by kill -9 is made up for."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from r3mem_agents.store import sqlite
from r3mem_agents.store.connections import Connections
from tests.store.rows import SCOPE, make_turn, open_store
from tests.store.test_forks import forked
from tests.store.test_scrub import on_disk
from tests.store.test_writers import begin, forks, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12


@pytest.fixture
def scrubbed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What became of each scrub so far."""
    outcomes: list[bool] = []
    scrub = sqlite.scrub

    def counted(database: Connections) -> bool:
        outcomes.append(scrub(database))
        return outcomes[-1]

    monkeypatch.setattr(sqlite, "scrub", counted)
    return outcomes


def test_those_who_wait_for_a_scrub_share_it(tmp_path: Path, scrubbed: list[bool]) -> None:
    codes = [os.urandom(40) for _ in range(8)]
    with closing(open_store(tmp_path / "store.db")) as store:
        ids = store.add(SCOPE, [make_turn(code=code) for code in codes])

        def forget(number: int) -> None:
            store.forget(SCOPE, ids=[ids[number]])
            assert codes[number] not in on_disk(tmp_path)

        line = store._connections.writers.line
        with line():
            end = begin([partial(forget, n) for n in range(8)])
            wait_for(line, 9)
        end()
    assert scrubbed == [True]


def test_whoever_deletes_after_a_scrub_began_needs_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scrubbed: list[bool]
) -> None:
    path, code = tmp_path / "store.db", os.urandom(40)
    with closing(open_store(path)) as store, closing(open_store(path)) as other:
        ids = store.add(SCOPE, [make_turn(), make_turn(code=code)])
        ends: list[Callable[[], None]] = []
        scrub = sqlite.scrub

        def meanwhile(database: Connections) -> bool:
            monkeypatch.setattr(sqlite, "scrub", scrub)
            ends.append(begin([partial(other.forget, SCOPE, ids=ids[1:])]))
            wait_for(database.writers.line, 2)
            return scrub(database)

        monkeypatch.setattr(sqlite, "scrub", meanwhile)
        store.forget(SCOPE, ids=ids[:1])
        ends[0]()
        assert code not in on_disk(tmp_path)
        assert scrubbed == [True, True]


def test_what_stands_in_the_way_of_a_scrub_is_told_to_all_who_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, told = list[Connections](), list[str | None]()
    monkeypatch.setattr(sqlite, "scrub", tried.append)  # gives nothing, as if somebody read
    code = os.urandom(40)
    with closing(open_store(tmp_path / "store.db")) as store:
        [turn, _] = store.add(SCOPE, [make_turn(code=code), make_turn()])
        store.add(SCOPE, [], doomed=[turn])
        line, scrubber = store._connections.writers.line, store._scrubber
        with line():
            end = begin([lambda: told.append(scrubber.now())] * 5)
            wait_for(line, 6)
        end()
        assert len(tried) == 1
        assert told == ["another program is reading it"] * 5
        monkeypatch.undo()
    assert code not in on_disk(tmp_path), "it is tried again"


@forks
@pytest.mark.parametrize("moment", ["before it", "after it", "after the log is empty"])
def test_kill_9_in_a_scrub(tmp_path: Path, moment: str) -> None:
    path, codes = tmp_path / "store.db", [os.urandom(40) for _ in range(200)]
    with closing(open_store(path)) as store:
        ids = store.add(SCOPE, [make_turn(code=code) for code in codes])

    scrub = sqlite.scrub

    def die_at_it(connection: sqlite3.Connection, *_: object) -> None:
        if moment == "after it":
            connection.execute("VACUUM")
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after_all(database: Connections) -> None:
        scrub(database)
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> bool:
        if moment == "after the log is empty":
            vars(sqlite)["scrub"] = die_after_all
        else:
            vars(sqlite)["execute_once_free"] = die_at_it
        open_store(path).forget(SCOPE, ids=ids[:100])
        return False

    child = forked(work)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    look_whole(path, ids[:100], dict(zip(ids, codes, strict=True)))


@forks
def test_kill_9_at_any_moment_of_forgetting(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.db", random.Random(3)
    codes = [os.urandom(400) for _ in range(600)]
    with closing(open_store(path)) as store:
        held = dict(zip(store.add(SCOPE, [make_turn(code=c) for c in codes]), codes, strict=True))
    for _ in range(5):
        doomed = chance.sample(sorted(held), 50)
        ready, say = os.pipe()

        def work(doomed: list[int] = doomed, say: int = say) -> bool:
            store = open_store(path)
            os.write(say, b"1")
            store.forget(SCOPE, ids=doomed)
            return True

        child = forked(work)
        os.read(ready, 1)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(say)
        held = look_whole(path, doomed, held)


def look_whole(path: Path, doomed: list[int], held: dict[int, bytes]) -> dict[int, bytes]:
    """See that some turns of a file are gone, all or none, with their bytes; gives what is left."""
    with closing(open_store(path)) as store:
        found = {turn: row.code for turn, row in store.turns(SCOPE, [*held]).items()}
        assert store.problems() == []
    left = {turn: code for turn, code in held.items() if turn not in doomed}
    assert found in (left, held)
    disk = on_disk(path.parent)
    assert [turn for turn, code in held.items() if code[:30] in disk] == [*found]
    return found
