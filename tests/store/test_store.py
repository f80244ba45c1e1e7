"""What a store promises about bytes and integers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from r3mem_agents.errors import KeyTakenError, NotFoundError, StaleTermsError
from r3mem_agents.store import UNMARKED, Label, ModelId, Scope, Store
from tests.store.rows import SCOPE, make_turn, open_store

OTHER = Scope(b"another user", b"agent", b"hidden other")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store.db")


def test_rows_come_back_as_they_were(store: Store) -> None:
    turns = [
        make_turn(code=bytes([number]), time_us=-number * 10**15, offset_s=-number, extra=extra)
        for number, extra in enumerate([None, b"", b"extra"])
    ]
    ids = store.add(SCOPE, turns)
    found = store.history(SCOPE, None)
    assert [row.id for row in found] == ids
    for row, turn in zip(found, turns, strict=True):
        assert (row.session, row.speaker) == (turn.session, turn.speaker)
        assert row[3:] == (
            turn.time_us,
            turn.offset_s,
            turn.code,
            turn.gists,
            turn.key,
            turn.extra,
            True,
            UNMARKED,
        )
    assert store.turns(SCOPE, ids) == {row.id: row for row in found}
    store.close()


def test_a_session_holds_a_key_once(store: Store) -> None:
    here, there = make_turn(key=b"k"), make_turn(key=b"k", session=Label(b"there", b"hidden"))
    [first, second] = store.add(SCOPE, [here, there])
    with pytest.raises(KeyTakenError):
        store.add(SCOPE, [make_turn(), here])
    assert [row.id for row in store.history(SCOPE, None)] == [first, second]
    assert store.keyed(SCOPE, here.session.digest, [b"k", b"other"]) == {b"k": first}
    assert store.keyed(SCOPE, there.session.digest, [b"k"]) == {b"k": second}
    assert store.keyed(OTHER, here.session.digest, [b"k"]) == {}
    store.add(OTHER, [here])
    store.close()


def test_more_rows_than_a_statement_takes(store: Store) -> None:
    count = 1001
    turns = [
        make_turn(
            session=Label(b"%d" % number, b"s%d" % number),
            speaker=Label(b"%d" % number, b"n%d" % number),
            code=b"%d" % number,
        )
        for number in range(count)
    ]
    ids = store.add(SCOPE, turns)
    assert ids == list(range(1, count + 1))
    found = store.turns(SCOPE, ids)
    assert [found[id_].code for id_ in ids] == [turn.code for turn in turns]
    assert len(store.session_ids(SCOPE, [turn.session.digest for turn in turns])) == count
    state, *parts = store.index_rows(SCOPE, None, 0)
    assert not len(state.rows.ids)
    assert [id_ for part in parts for id_ in part.rows.ids] == ids
    assert [name for part in parts for name in part.speakers.values()] == [
        b"n%d" % number for number in range(count)
    ]
    assert len(store.forget(SCOPE, ids=ids[1:]).ids) == count - 1
    assert [row.id for row in store.history(SCOPE, None)] == ids[:1]
    store.close()


def test_an_index_is_told_what_it_lacks(store: Store) -> None:
    assert not [*store.index_rows(SCOPE, None, 0)]
    first = store.add(SCOPE, [make_turn(), make_turn()])
    nothing, whole = store.index_rows(SCOPE, None, 0)
    assert nothing.state == whole.state and [*whole.rows.ids] == first
    assert [part.state for part in store.index_rows(SCOPE, whole.state, first[-1])] == [whole.state]
    store.add(OTHER, [make_turn()])
    more = store.add(SCOPE, [make_turn()])
    _, addition = store.index_rows(SCOPE, whole.state, first[-1])
    assert addition.state == whole.state
    assert [*addition.rows.ids] == more
    store.forget(SCOPE, ids=first[:1])
    _, anew = store.index_rows(SCOPE, whole.state, more[-1])
    assert anew.state != whole.state
    assert [*anew.rows.ids] == [first[1], *more]
    store.close()


def test_a_scope_made_again_is_not_the_old_one(store: Store) -> None:
    store.add(SCOPE, [make_turn()])
    before, _ = store.index_rows(SCOPE, None, 0)
    store.forget(SCOPE)
    store.add(SCOPE, [make_turn()])
    after, _ = store.index_rows(SCOPE, before.state, 1)
    assert before.state != after.state
    store.close()


def test_scopes_do_not_see_each_other(store: Store) -> None:
    mine = store.add(SCOPE, [make_turn()])
    theirs = store.add(OTHER, [make_turn()])
    assert store.turns(SCOPE, theirs) == {}
    assert store.totals(OTHER).turns == 1
    with pytest.raises(NotFoundError):
        store.forget(SCOPE, ids=mine + theirs)
    assert len(store.forget(OTHER).ids) == 1
    assert [row.id for row in store.history(SCOPE, None)] == mine
    assert store.session_ids(OTHER, [b"session"]) == {}
    assert set(store.session_ids(SCOPE, [b"session", b"unknown"])) == {b"session"}
    store.close()


def test_names_go_when_nothing_refers_to_them(store: Store) -> None:
    kept = make_turn(session=Label(b"kept", b"kept"))
    [first, *_] = store.add(SCOPE, [make_turn(), kept])
    store.forget(SCOPE, ids=[first])
    assert set(store.session_ids(SCOPE, [b"session", b"kept"])) == {b"kept"}
    store.close()


def test_the_first_model_is_kept(tmp_path: Path) -> None:
    first, second = ModelId("first", "1", "a"), ModelId("second", "1", "b")
    store, other = Store(tmp_path / "store.db"), Store(tmp_path / "store.db")
    assert store.model() is None
    assert store.bind_model(first) == first
    assert other.bind_model(second) == first
    assert other.model() == first
    assert store.secret == other.secret
    store.close()
    other.close()


def test_keys_differ_between_databases(tmp_path: Path) -> None:
    one, other = open_store(tmp_path / "one.db"), open_store(tmp_path / "other.db")
    assert one.secret != other.secret
    one.close()
    other.close()


def test_no_column_holds_text_of_a_conversation(tmp_path: Path) -> None:
    open_store(tmp_path / "store.db").close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        text = connection.execute(
            "SELECT tables.name, columns.name"
            " FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND columns.type NOT IN ('INTEGER', 'BIGINT', 'BLOB')"
            " AND tables.name != 'sqlite_sequence' ORDER BY columns.cid"
        ).fetchall()
    assert text == [("models", "name"), ("models", "expander"), ("models", "encoder")]


def test_an_edited_turn_keeps_its_place(store: Store) -> None:
    gone = make_turn(key=b"k", code=b"old", speaker=Label(b"gone", b"hidden"))
    first, second = store.add(SCOPE, [gone, make_turn()])
    made = store.add(SCOPE, [make_turn()], edits={first: make_turn(code=b"new", time_us=7)})
    told = store.history(SCOPE, None)
    assert [row.id for row in told] == [first, second, *made]
    assert (told[0].code, told[0].time_us, told[0].key) == (b"new", 7, b"k")
    state = next(store.index_rows(SCOPE, None, 0)).state
    with pytest.raises(NotFoundError):
        store.add(SCOPE, [make_turn()], edits={made[0] + 1: make_turn()})
    with pytest.raises(NotFoundError):
        store.add(OTHER, [], edits={first: make_turn()})
    assert store.history(SCOPE, None) == told
    assert next(store.index_rows(SCOPE, None, 0)).state == state
    store.add(SCOPE, [], edits={first: make_turn(code=b"newer")})
    assert next(store.index_rows(SCOPE, None, 0)).state != state  # so that indexes are made anew
    store.close()


def test_terms_of_other_rules_are_refused_until_all_are_renewed(tmp_path: Path) -> None:
    old, new = open_store(tmp_path / "store.db", b"old"), open_store(tmp_path / "store.db", b"new")
    first, second = old.add(SCOPE, [make_turn(), make_turn()])
    for refused in (
        lambda: new.add(SCOPE, [make_turn()]),
        lambda: new.add(SCOPE, [], edits={first: make_turn()}),
        lambda: list(new.index_rows(SCOPE, None, 0)),
    ):
        with pytest.raises(StaleTermsError):
            refused()
    assert not new.renew_terms(SCOPE, {first: b"uvwxyz"})
    assert new.renew_terms(SCOPE, {first: b"uvwxyz", second: None})
    _, rows = new.index_rows(SCOPE, None, 0)
    assert rows.rows.terms.of_each(2) == [b"uvwxyz", make_turn().terms]
    assert all(turn.intact for turn in new.history(SCOPE, None))
    with pytest.raises(StaleTermsError):
        old.add(SCOPE, [make_turn()])


def test_terms_are_renewed_whatever_scope_a_damaged_row_names(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(open_store(path, b"old")) as old:
        old.add(SCOPE, [make_turn()])
        strays = old.add(OTHER, [make_turn(), make_turn()])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE turns SET scope = 1 WHERE id = ?", strays[:1])
        connection.commit()
    with closing(open_store(path, b"new")) as new:
        for scope in (SCOPE, OTHER):
            found = new.history(scope, None)
            assert new.renew_terms(scope, {row.id: None for row in found})
            assert [row.id for row in new.history(scope, None) if row.intact] == [
                row.id for row in found if row.intact
            ]
