from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli.chat.extractive import answer, recalled_turns
from r3mem_agents.prompts import mark_recalled
from tests.memory.fake_model import FakeModel


def test_it_quotes_what_a_context_holds() -> None:
    fake: Any = FakeModel()
    time = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)
    with CompressiveMemory(":memory:", model=fake) as memory:
        memory.remember("user", "My dog\nis called Biscuit.", name="Alice", session="a", time=time)
        memory.remember("assistant", "Is your dog called Biscuit?", session="a", time=time)
        memory.remember("user", "A boat: none.", session="b", time=time)
        prompt = mark_recalled(memory.context("dog Biscuit boat"))
    assert [tuple(turn) for turn in recalled_turns(prompt)] == [
        ("2026-11-20 14:03", "Alice (user)", "My dog\nis called Biscuit."),
        ("2026-11-20 14:03", "assistant", "Is your dog called Biscuit?"),
        ("2026-11-20 14:03", "user", "A boat: none."),
    ]
    quoted = answer("What is my dog called?", prompt)
    assert 'On 2026-11-20, Alice (user): "My dog\nis called Biscuit."' in quoted
    assert answer("What is my dog called?", quoted).startswith("Memory recalled nothing")
    assert answer("What is a quark?", prompt).startswith("Memory recalled nothing")
    assert answer("My cat is Mia.", prompt).startswith("Noted.")
