"""Memories of mem0 and LangGraph, and tables."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find
from r3mem_agents.types import Turn

MEM0 = [
    {
        "id": "892db2ae",
        "memory": "Likes rye bread",
        "hash": "1e2f",
        "metadata": {"category": "food"},
        "created_at": "2025-03-01T10:00:00.000000-08:00",
        "updated_at": None,
        "user_id": "alice",
        "run_id": "trip",
    },
    {"id": "77aa", "memory": "Vegetarian", "user_id": "alice", "metadata": None},
]


def _turns(data: bytes, **how: Any) -> list[Turn]:
    return [entry.turn for entry in find("in", data, **how).entries]


def test_memories_of_mem0_come_with_their_ids() -> None:
    turns = _turns(json.dumps({"results": MEM0}).encode())
    assert [(turn.key, turn.text) for turn in turns] == [
        ("892db2ae", "Likes rye bread"),
        ("77aa", "Vegetarian"),
    ]
    assert [turn.session for turn in turns] == ["trip", "default"]
    assert turns[0].metadata == {"category": "food"}
    assert _turns(json.dumps(MEM0).encode()) == turns


def test_of_memories_of_two_users_those_of_one_are_read() -> None:
    data = json.dumps([*MEM0, {"id": "1", "memory": "x", "user_id": "bob"}]).encode()
    with pytest.raises(InvalidInputError, match="2 users, such as 'alice' and 'bob', none of them"):
        _turns(data, user="carol")
    assert _turns(data, user="alice") == _turns(json.dumps(MEM0).encode(), user="carol")
    assert find("in", data, user="bob").skipped == {"memories of other users": 2}


def test_items_of_a_langgraph_store_come_with_their_namespaces() -> None:
    store = InMemoryStore()
    store.put(("alice", "facts"), "k1", {"content": "Likes rye", "kind": "food"})
    store.put(("alice", "facts"), "k2", {"name": "Ann", "age": 5})
    items = [item.dict() for item in store.search(("alice",))]
    found = find("items.json", json.dumps(items).encode())
    assert found.kind == "LangGraph"
    turns = {entry.turn.key: entry.turn for entry in found.entries}
    assert turns["k1"].text == "Likes rye"
    assert turns["k1"].metadata == {"kind": "food"}
    assert turns["k2"].text == '{"name": "Ann", "age": 5}'
    assert {turn.session for turn in turns.values()} == {"alice/facts"}
    assert [turn.time and turn.time.isoformat() for turn in turns.values()] == [
        item["created_at"] for item in items
    ]
    lines = "\n".join(map(json.dumps, items)).encode()
    assert {turn.key: turn for turn in _turns(lines)} == turns


def test_the_file_of_a_langgraph_store_says_the_same(tmp_path: Path) -> None:
    """Its table is that of langgraph-checkpoint-sqlite 3.1, whose times are in UTC."""
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute(
            "CREATE TABLE store (prefix text NOT NULL, key text NOT NULL, value text NOT NULL, "
            "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP, "
            "PRIMARY KEY (prefix, key))"
        )
        value = b'{"content":"Likes rye","kind":"food"}'
        row = ("alice.facts", "k1", value, "2025-03-01 10:00:00", "2025-03-01 10:00:00")
        database.execute("INSERT INTO store VALUES (?, ?, ?, ?, ?)", row)
        database.commit()
    item = {"namespace": ["alice", "facts"], "key": "k1", "value": json.loads(value)}
    as_json = json.dumps([item | {"created_at": "2025-03-01T10:00:00"}]).encode()
    [turn] = (entry.turn for entry in find(str(tmp_path / "store.db")).entries)
    assert [turn] == _turns(as_json)
    assert turn.time == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("UPDATE store SET value = '{'")
        database.commit()
    with pytest.raises(InvalidInputError, match="item 1: it has no namespace and value"):
        find(str(tmp_path / "store.db"))


def test_another_database_is_told_from_an_export(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "history.db")) as database:
        database.execute("CREATE TABLE history (id TEXT)")
        database.commit()
    whole = (tmp_path / "history.db").read_bytes()
    for data in (None, whole, whole[:200], whole[:1000] + b"x" * 3000):
        with pytest.raises(InvalidInputError, match="a database"):
            find(str(tmp_path / "history.db"), data)
    (tmp_path / "history.db").write_bytes(whole[:1000] + b"x" * 3000)
    with pytest.raises(InvalidInputError, match="database"):
        find(str(tmp_path / "history.db"))


NAMED = {"text": "message", "name": "author", "time": "when"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_columns_of_a_table_are_named(delimiter: str, encoding: str) -> None:
    rows = [["when", "author", "message"], ["1700000000", "Ann", 'Two\nlines, "quoted"; tab\t.']]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    [turn] = _turns(written.getvalue().encode(encoding), columns=NAMED)
    assert (turn.role, turn.name, turn.text) == ("user", "Ann", 'Two\nlines, "quoted"; tab\t.')
    assert turn.time is not None
    assert turn.time.timestamp() == 1_700_000_000


def test_the_line_by_which_excel_names_its_delimiter_is_none_of_the_table() -> None:
    [turn] = _turns(b"sep=;\r\ntext;name\r\nHello, you;Ann\r\n")
    assert (turn.name, turn.text) == ("Ann", "Hello, you")


def test_columns_that_are_called_like_fields_need_no_names() -> None:
    [turn] = _turns(b"role,text,session,key\nassistant,Hello,s1,k1\n")
    assert (turn.role, turn.text, turn.session, turn.key) == ("assistant", "Hello", "s1", "k1")


@pytest.mark.parametrize(
    ("data", "columns", "reason"),
    [
        (b"a,b\n1,2\n", None, "text that begins 'a,b 1,2'; if it is a table, name its columns"),
        (b"a,b\n1,2\n", {"text": "c"}, "no column 'c' for text; there are 'a', 'b'"),
        (b"a,b\n1,2\n", {"name": "a"}, "no column of texts; name it: --column text=b"),
        (b"text,b\n1,2\n1\n", None, "line 3: 1 cells, where the first line names 2 columns"),
        (b"text,time\n1,soon\n", None, "line 2: 'soon' is not a date"),
    ],
)
def test_a_table_that_is_none_is_named(data: bytes, columns: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        _turns(data, columns=columns)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00")).filter(
    lambda text: bool(text.strip())
)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_a_table_says_what_was_written_into_it(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("name", "text"), *rows])
    turns = _turns(written.getvalue().encode())
    assert [(turn.name, turn.text) for turn in turns] == rows
    assert len({turn.key for turn in turns}) == len(rows)


def test_a_cell_may_be_long() -> None:
    assert len(_turns(b"name,text\nAnn," + b"x" * 200_000)[0].text) == 200_000
