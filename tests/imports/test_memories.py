"""Memories of mem0 and LangGraph, and tables."""

from __future__ import annotations

import csv
import io
import json
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


def test_memories_of_two_users_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="memories of 2 users, such as 'alice' and 'bob'"):
        _turns(json.dumps([*MEM0, {"id": "1", "memory": "x", "user_id": "bob"}]).encode())


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
