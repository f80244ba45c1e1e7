"""docs/format.md is enough to read a log: what reads one here knows the page alone."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory
from tests.memory.fake_model import FakeModel
from tests.store.test_format_page import ROOT, File, signed, varints


def test_a_log_is_read(tmp_path: Path) -> None:
    path, model = tmp_path / "memory.db", FakeModel()
    anything: Any = model
    with CompressiveMemory(
        path, user="alice", agent="bot", door="my app", model=anything
    ) as memory:
        memory.keep_log(True)
        ids = [memory.remember("user", f"Number {i}.").id for i in range(200)]
        memory.pin(ids[150:])
        memory.pin(ids[160:], pinned=False)
        memory.edit(ids[7], "Another.")
        memory.forget(turn_ids=ids[:150])
    found = File(path)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT * FROM log ORDER BY id").fetchall()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(log)")]
    told = []
    for _, user, agent, time_us, change, door, turns, checksum in rows:
        assert (user, agent) == (found.digest("user", "alice"), found.digest("agent", "bot"))
        assert found.shown(door) == "my app"
        told.append((change, [*accumulate(varints(turns))]))
        lengths = [len(value) for value in (user, agent, door, turns)]
        data = struct.pack("<6q", time_us, change, *lengths) + user + agent + door + turns
        assert checksum == signed(zlib.crc32(data))
    remembered = [(2, [id_]) for id_ in ids]
    changed = [(5, ids[150:]), (6, ids[160:]), (3, [ids[7]]), (4, ids[:150])]
    assert told == [(1, []), *remembered, *changed]
    page = (ROOT / "docs" / "format.md").read_text("utf-8")
    section = page.partition("### log")[2].partition("## ")[0]
    assert [name for name in columns if f"`{name}`" not in section] == []
