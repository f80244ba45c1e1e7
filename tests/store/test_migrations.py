"""A file of an earlier format holds what it held, whatever happens on the way to this one."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, ReversibleModel
from r3mem_agents.errors import FormatError, StoreCorruptError, StoreUnavailableError
from r3mem_agents.store import ExaminedTurn, ModelId, Store, TurnRow, connections
from r3mem_agents.store.migrations import STEPS
from r3mem_agents.store.schema import FORMAT_VERSION
from tests.golden.conversation import SCOPES, is_told

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
OLD = [GOLDEN / f"format-{version}.db" for version in STEPS]
EVERY = [*OLD, GOLDEN / f"format-{FORMAT_VERSION}.db"]

each = pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
old = pytest.mark.parametrize("file", OLD, ids=lambda file: file.stem)
third = pytest.mark.parametrize("file", OLD[:1], ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def tiny() -> ReversibleModel:
    return ReversibleModel.from_pretrained(GOLDEN / "tiny")


@pytest.fixture
def path(tmp_path: Path, file: Path) -> Path:
    return Path(shutil.copy(file, tmp_path / "memory.db"))


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a file, but for how often it was to be scrubbed."""
    names = [name for (name,) in query(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: query(path, f"SELECT * FROM {name} ORDER BY 1") for name in names}
    found["meta"] = [row[:-1] for row in found["meta"]]
    return found


def turns_of(found: dict[str, list[tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
    """The rows of tables that every format has, as far as their columns are those of all."""
    names = ("models", "sessions", "speakers", "turns")
    return [[row[:6] for row in found["scopes"]], *(found[name] for name in names)]


def shape(path: Path) -> dict[str, Any]:
    """Tables with their columns, and indexes with theirs."""
    found: dict[str, Any] = {}
    for kind, name in query(path, "SELECT type, name FROM sqlite_master"):
        about = "table_xinfo" if kind == "table" else "index_xinfo"
        found[name] = query(path, f"PRAGMA {about}({name})")
    return found


@each
def test_a_file_of_each_format_holds_what_it_held(path: Path, tiny: ReversibleModel) -> None:
    for _ in range(2):
        with CompressiveMemory(path, model=tiny) as memory:
            assert memory.verify().ok
            for (user, agent), said in SCOPES.items():
                scope = memory.scoped(user=user, agent=agent)
                told = scope.history()
                assert is_told(said, told)
                keyed = [turn for turn in told if turn.key]
                for turn in keyed:
                    assert scope.fetch(keys=[turn.key or ""], session=turn.session) == [turn]
                assert {one.session for one in said} == {*scope.sessions()}
            alice = memory.scoped(user="alice", agent="default")
            assert "Rosa lives in Porto now." in [one.text for one in alice.recall("Porto")]
    assert query(path, "SELECT format FROM meta") == [(FORMAT_VERSION,)]


@old
def test_ids_are_what_they_were_and_new_ones_are_greater(path: Path, tiny: ReversibleModel) -> None:
    before = query(path, "SELECT id FROM turns ORDER BY id")
    [last] = query(path, "SELECT seq FROM sqlite_sequence WHERE name = 'turns'")
    with CompressiveMemory(path, model=tiny) as memory:
        assert query(path, "SELECT id FROM turns ORDER BY id") == before
        new = memory.remember("user", "More is said.")
        assert new.id is not None and new.id > last[0]


@third
def test_terms_are_what_they_were(path: Path, file: Path, tiny: ReversibleModel) -> None:
    before = dict(query(file, "SELECT id, terms FROM turns"))
    with closing(Store(path)) as store:
        store.bind_model(ModelId(tiny.name, tiny.expander_fingerprint, tiny.encoder_fingerprint))
        examined = store.examined(store.all_turn_ids())
    assert {turn.row.id: turn.terms for turn in examined} == before


@each
def test_tables_are_those_of_a_new_file(path: Path, tmp_path: Path) -> None:
    for where in (path, tmp_path / "new.db"):
        Store(where).close()
    assert shape(path) == shape(tmp_path / "new.db")


@third
def test_nothing_of_the_old_pages_is_left(path: Path, file: Path) -> None:
    terms = [made for (made,) in query(file, "SELECT terms FROM turns") if 12 < len(made) < 500]
    assert all(made in file.read_bytes() for made in terms)
    Store(path).close()
    assert not [made for made in terms if made in path.read_bytes()]


@old
def test_kill_9_anywhere_loses_nothing(path: Path, file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.store.migrator", str(tmp_path), str(file)]
    subprocess.run(command, cwd=ROOT, timeout=300, check=True)
    before = rows(file)
    Store(path).close()
    after = rows(path)
    died = sorted(tmp_path.glob("[0-9]*.db"))
    assert len(died) > 5
    states = []
    for copy in died:
        states.append(rows(copy))
        # After one step of several it has the tables of a format in between.
        assert turns_of(states[-1]) in (turns_of(before), turns_of(after))
        Store(copy).close()
        assert rows(copy) == after
    assert before in states
    assert after in states


@old
def test_several_at_once_do_it_once(path: Path, tmp_path: Path) -> None:
    Store(shutil.copy(path, tmp_path / "alone.db")).close()
    threads = [threading.Thread(target=lambda: Store(path).close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(path) == rows(tmp_path / "alone.db")


@old
def test_who_is_kept_from_writing_leaves_the_file_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.1)
    before = rows(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked by another program"):
            Store(path)
    assert rows(path) == before
    Store(path).close()
    assert query(path, "SELECT format FROM meta") == [(FORMAT_VERSION,)]


@old
def test_where_nothing_can_be_written_it_is_refused_by_name(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(FormatError, match=r"has format \d of an earlier version.* open a copy"):
        Store(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert path.read_bytes() == before


@third
def test_damaged_rows_keep_no_other_from_it(path: Path, tiny: ReversibleModel) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE turns SET terms = 7, tokens = 'many', speaker = 'x' WHERE id = 3"
        )
        connection.execute("UPDATE turns SET scope = 'x' WHERE id = 4")
        connection.commit()
    with CompressiveMemory(path, model=tiny) as memory:
        assert {turn.id for turn in memory.verify().damaged} == {3, 4}
        bob = memory.scoped(user="bob").history()
    assert [turn.text for turn in bob] == [turn.text for turn in SCOPES["bob", "default"]]


@third
@pytest.mark.parametrize("column", ["code", "checksum", "scope", "session", "tokens"])
def test_a_value_that_is_not_there_takes_its_own_turn_alone(
    path: Path, column: str, tiny: ReversibleModel
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'turns'"
        )
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE turns SET {column} = NULL WHERE id = 3")
        connection.commit()
    with CompressiveMemory(path, model=tiny) as memory:
        assert [turn.id for turn in memory.verify().damaged] == [3]


@old
def test_a_flipped_bit_alters_no_turn(path: Path, file: Path) -> None:
    def read() -> dict[int, ExaminedTurn]:
        with closing(Store(path)) as store:
            store.bind_model(store.model() or ModelId("model", "expander", "encoder"))
            return {turn.row.id: turn for turn in store.examined(store.all_turn_ids())}

    def told(row: TurnRow) -> list[object]:  # names are compared with their digests when shown
        return [row.session and row.session.digest, row.speaker and row.speaker.digest, *row[3:]]

    whole, content, chance, refused = read(), file.read_bytes(), random.Random(1), 0
    for _ in range(150):
        flipped = bytearray(content)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
        path.write_bytes(flipped)
        try:
            found = read()
        except (StoreCorruptError, FormatError):
            refused += 1
            continue
        for id_, turn in found.items():
            assert not turn.row.intact or told(turn.row) == told(whole[id_].row)
    assert refused < 30


@third
def test_what_is_not_sound_is_refused_by_name_and_left(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX turns_by_key")
        twin = 'SELECT "key" FROM turns WHERE id = 9'
        connection.execute(f'UPDATE turns SET "key" = ({twin}) WHERE id = 10')
        connection.commit()
    before = rows(path)
    with pytest.raises(StoreCorruptError, match=r"memory\.db is damaged .* restore it from a copy"):
        Store(path)
    assert rows(path) == before


def test_an_open_file_that_a_later_version_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with closing(Store(path)) as store:
        store.bind_model(ModelId("model", "expander", "encoder"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE meta SET format = {FORMAT_VERSION + 1}")
            connection.commit()
        with pytest.raises(FormatError, match="upgrade and open it again"):
            store.examined([1])
