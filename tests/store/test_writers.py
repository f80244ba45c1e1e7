"""Threads that write to one file, and forget, at once: each has its turn, and nobody is passed."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from r3mem_agents import forking
from r3mem_agents.forking import Line
from r3mem_agents.store import Label, NewTurn, Scope, Store, connections
from r3mem_agents.store.connections import Connections
from r3mem_agents.store.places import locate
from tests.store.rows import SCOPE, make_turn, open_store
from tests.store.test_connections import add, count
from tests.store.test_forks import done, forked, made
from tests.store.test_scrub import on_disk, wait_until

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12

Work = Callable[[], object]


def begin(works: Sequence[Work]) -> Callable[[], None]:
    """Let each do its work in a thread; gives what waits for all, and raises what one raised."""
    failures: list[BaseException] = []

    def caught(work: Work) -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=caught, args=(work,)) for work in works]
    for thread in threads:
        thread.start()

    def end() -> None:
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    return end


def stand(line: Line, works: Sequence[Work]) -> Callable[[], None]:
    """Let threads stand in line in this order, who work when it is their turn."""

    def own(work: Work) -> None:
        with line():
            work()

    def end() -> None:
        for one in ends:
            one()

    ends = []
    for number, work in enumerate(works, len(line._line) + 1):
        ends.append(begin([partial(own, work)]))
        wait_for(line, number)
    return end


def wait_for(line: Line, number: int) -> None:
    """Wait until so many stand in line."""
    wait_until(lambda: len(line._line) >= number)


def test_who_comes_first_is_served_first() -> None:
    line, served = Line(), list[int]()
    with line():
        end = stand(line, [partial(served.append, n) for n in range(20)])
        with line():  # who has its turn does not wait behind others
            assert served == []
    end()
    assert served == [*range(20)]


def test_who_works_all_the_time_lets_others_in() -> None:
    line, over, turns = Line(), threading.Event(), [0] * 4

    def work(mine: int) -> None:
        while not over.is_set():
            with line():
                turns[mine] += 1
                time.sleep(0.0005)
                if sum(turns) > 100:
                    over.set()

    begin([partial(work, n) for n in range(4)])()
    assert min(turns) > 10


def test_an_interrupt_before_its_turn_takes_nobody_out_of_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At any line, if need be with another one when it leaves."""
    monkeypatch.setattr(forking, "UNCALLED_S", 0.01)
    line, lines = Line(), set[int]()

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code is not Line.__call__.__wrapped__.__code__:  # type: ignore[attr-defined]
            return None
        if event == "line" and not reached and frame.f_lineno not in lines:
            lines.add(frame.f_lineno)
            raise KeyboardInterrupt
        return interrupt

    reached = False
    while not reached:
        before = sys.gettrace()
        end = stand(line, [partial(time.sleep, 0.03)])
        sys.settrace(interrupt)
        try:
            with line():
                reached = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        end()
        with line():
            assert len(line._line) == 1
    assert len(lines) > 5


@forks
def test_a_child_stands_in_no_line(tmp_path: Path) -> None:
    with closing(made(tmp_path / "some.db")) as database:
        line = database.writers.line
        with line():
            end = stand(line, [partial(add, database, 1), partial(add, database, 2)])

            def work() -> bool:
                add(database, 0)
                return count(database) == 1

            begun = time.monotonic()
            assert done(forked(work))
            assert time.monotonic() - begun < forking.PATIENCE_S / 2
            assert count(database) == 1
        end()
        assert count(database) == 3


def test_a_file_has_one_line_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.db"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    names: list[Path | str] = [
        path,
        "some.db",
        "link/some.db",
        f"sqlite:///file:{path}?cache=private&uri=true",
    ]
    known = [Connections(locate(name)) for name in names]
    assert len({id(one.writers) for one in known}) == 1
    others = [Connections(locate(name)) for name in (":memory:", ":memory:", tmp_path / "b.db")]
    assert len({id(one.writers) for one in (*known, *others)}) == 4
    for one in (*known, *others):
        one.close()


def test_a_path_stays_that_of_the_file_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with closing(made(Path("some.db"))) as database:
        monkeypatch.chdir(tmp_path / "elsewhere")
        with database.bare():  # so that another connection is made
            add(database, 1)
            assert count(database) == 1
    assert not [*(tmp_path / "elsewhere").iterdir()]


THREADS, TIMES = 12, 12


def test_nobody_fails_or_loses_anything_and_what_is_forgotten_is_gone_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if nobody may wait long for another program, since here is none."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.5)
    kept: dict[int, bytes] = {}

    def work(store: Store, mine: int) -> None:
        chance, scope = random.Random(mine), Scope(b"user%d" % (mine % 3), b"agent", b"hidden")
        session, own = Label(b"session%d" % mine, b"hidden"), dict[int, bytes]()
        for _ in range(TIMES):
            code = chance.randbytes(chance.choice([30, 3000]))
            new: NewTurn = make_turn(session=session, code=code)
            [turn] = store.add(scope, [new])
            own[turn] = code
            if chance.random() < 0.4:
                gone = chance.choice([*own])
                code = own.pop(gone)
                assert store.forget(scope, ids=[gone]).ids == [gone]
                assert code[:30] not in on_disk(tmp_path)
        found = store.turns(scope, [*own])
        assert {turn: row.code for turn, row in found.items()} == own
        kept.update(own)

    path = tmp_path / "store.db"
    with closing(open_store(path)) as one, closing(open_store(path)) as other:
        one.add(SCOPE, [make_turn(code=os.urandom(1000)) for _ in range(1000)])
        stores = [one, other] * (THREADS // 2)
        begin([partial(work, store, number) for number, store in enumerate(stores)])()
    disk = on_disk(tmp_path)
    assert all(code[:30] in disk for code in kept.values())


def test_another_program_keeps_none_in_line_waiting_for_the_others_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.3)

    path = tmp_path / "some.db"

    def work() -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            add(database, 1)

    with closing(made(path)) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as program:
            program.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            begin([work] * 16)()
            assert 0.3 <= time.monotonic() - begun < 0.3 * 16 / 2
        add(database, 2)
        assert count(database) == 1
