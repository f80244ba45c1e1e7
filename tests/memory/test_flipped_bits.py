"""Bytes that change on the disk change no turn, and nothing is missing unnoticed."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, DamageWarning, R3MemError, StoredTurn
from r3mem_agents.errors import StoreCorruptError
from tests.memory.damaging import COUNT, forget_what_was_read


@pytest.mark.parametrize("seed", range(150))
def test_a_flipped_bit_alters_nothing_and_shortens_nothing_unfound(
    seed: int, path: Path, turns: list[StoredTurn], fake: Any
) -> None:
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    forget_what_was_read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        try:
            with CompressiveMemory(path, user="alice", model=fake) as memory:
                sound = memory.verify().ok
                reads: list[Callable[[], list[StoredTurn]]] = [
                    memory.history,
                    lambda: memory.fetch(turn_ids=range(2, COUNT + 2)),
                ]
                for read in reads:
                    try:
                        found = read()
                    except R3MemError:
                        assert not sound
                        continue
                    assert all(turn in turns for turn in found), "altered"
                    assert found == turns or not sound, "shorter, and nothing finds it"
                try:
                    memory.recall("words3 and Number 4")
                except R3MemError:
                    assert not sound
        except R3MemError as error:
            assert "memory.db" in str(error)


def test_a_damaged_schema_is_named(path: Path, turns: list[StoredTurn], fake: Any) -> None:
    content = path.read_bytes()
    assert b"CREATE TABLE turns" in content
    path.write_bytes(content.replace(b"CREATE TABLE turns", b"CREATE TABLX \xfc\xe7\xff\x92s"))
    with pytest.raises(StoreCorruptError, match="memory.db is damaged"):
        CompressiveMemory(path, user="alice", model=fake).history()


def test_a_damaged_key_in_an_index_is_no_other_key(
    path: Path, turns: list[StoredTurn], fake: Any
) -> None:
    with CompressiveMemory(path, user="alice", model=fake) as memory:
        masked = memory._handle.obfuscator.mask("key 9")
    content = path.read_bytes()
    assert content.count(masked) == 2, "in the table and in the index"
    found = []
    for place in (content.index(masked), content.rindex(masked)):
        altered = bytearray(content)
        altered[place + 4] ^= 1
        path.write_bytes(altered)
        forget_what_was_read()
        with CompressiveMemory(path, user="alice", model=fake) as memory:
            assert not memory.verify().ok
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                found += memory.fetch(keys=["key 9", "key 8"], session="session 2")
    assert all(turn in turns for turn in found)
