from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, ReversibleModel, Turn
from r3mem_agents.errors import NotFoundError
from tests.conftest import OpenMemory

SESSIONS = ("Quarterly planning", "s2", "s3")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@given(
    said=st.lists(st.tuples(st.sampled_from(SESSIONS), st.text(max_size=40)), max_size=8),
    pick=st.data(),
)
def test_a_receipt_counts_what_is_gone(
    model: ReversibleModel, said: list[tuple[str, str]], pick: st.DataObject
) -> None:
    with CompressiveMemory(":memory:", model=model) as memory:
        turns = memory.remember_many(
            [Turn(role="user", text=text, session=session) for session, text in said]
        )
        doomed = [turn for turn in pick.draw(st.permutations(turns)) if pick.draw(st.booleans())]
        before, began = memory.stats(), datetime.now(UTC)
        receipt = memory.forget(turn_ids=[turn.id for turn in doomed])
        after = memory.stats()
    assert receipt.turns == len(doomed) == before.turns - after.turns
    assert receipt.turn_ids == tuple(turn.id for turn in doomed)
    assert [*receipt.sessions] == [*dict.fromkeys(turn.session for turn in doomed)]
    assert receipt.text_bytes == before.text_bytes - after.text_bytes
    assert receipt.code_bytes == before.code_bytes - after.code_bytes
    assert began <= receipt.scrubbed <= datetime.now(UTC)
    assert receipt.file_hash is None, "there is no file"


def test_the_hash_is_that_of_the_file_until_it_is_written_to(
    open_memory: OpenMemory, tmp_path: Path
) -> None:
    path = tmp_path / "memory.db"
    memory = open_memory()
    other = open_memory(user="bob")  # has the file open meanwhile
    gone = memory.remember_many([Turn(role="user", text=f"Biscuit {i}.") for i in range(300)])
    other.remember("user", "This one stays.")
    receipt = memory.forget(turn_ids=[turn.id for turn in gone])
    assert receipt.file_hash == sha256(path)
    assert len(other.history()) == 1
    memory.close()
    other.close()
    assert receipt.file_hash == sha256(path), "neither reading nor closing writes"

    memory = open_memory()
    assert memory.forget(turn_ids=[]).file_hash == receipt.file_hash, "nothing was there to do"
    memory.remember("user", "Something new.")
    memory.close()
    assert receipt.file_hash != sha256(path)


def test_without_forgetting_there_is_no_receipt(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    with pytest.raises(NotFoundError):
        memory.forget(turn_ids=[turn.id, turn.id + 1])
    assert memory.history() == [turn]


def test_a_receipt_that_is_printed_names_no_session(open_memory: OpenMemory) -> None:
    memory = open_memory(session="Quarterly planning")
    memory.remember("user", "Biscuit.")
    receipt = memory.forget(everything=True)
    assert receipt.sessions == ("Quarterly planning",)
    assert "Quarterly" not in repr(receipt), "it may go into a log"
