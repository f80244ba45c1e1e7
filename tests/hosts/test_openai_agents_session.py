"""The items of a session of OpenAI's Agents SDK: all of them, as they were, until they are gone."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

pytest.importorskip("agents")

from agents.memory import Session, SessionSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, InvalidInputError
from r3mem_agents.prompts import mark_recalled
from r3mem_agents.types import NOBODY
from r3mem_openai_agents import R3Session
from tests.hosts.openai_agents_runs import user

USER = NOBODY

IMAGE = "data:image/png;base64," + "iVBORw0KGgo" * 50

ITEMS: list[Any] = [
    {"role": "user", "content": "Hello."},
    {"role": "user", "content": ""},
    {"role": "assistant", "content": "Hi.", "type": "message", "phase": "commentary"},
    {"role": "developer", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is this? 🦊\r\n"},
            {"type": "input_image", "image_url": IMAGE, "detail": "auto", "file_id": None},
            {"type": "input_file", "file_data": "JVBERi0=", "filename": "a.pdf"},
            {"type": "input_text", "text": "And this?"},
        ],
    },
    {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA", "content": []}
    | {"summary": [{"type": "summary_text", "text": "It asks."}]},
    {"type": "function_call", "name": "look", "arguments": '{"at": "it"}', "call_id": "c1"},
    {"type": "function_call_output", "call_id": "c1", "output": "A fox."},
    {"type": "function_call_output", "call_id": "c2"}
    | {
        "output": [{"type": "input_text", "text": "A"}, {"type": "input_image", "image_url": IMAGE}]
    },
    {"type": "computer_call", "id": "cc", "call_id": "c3", "status": "completed"}
    | {"pending_safety_checks": [], "action": {"type": "click", "x": 1, "y": 2, "button": "left"}},
    {"type": "computer_call_output", "call_id": "c3"}
    | {"output": {"type": "computer_screenshot", "image_url": IMAGE}},
    {"type": "web_search_call", "id": "ws", "status": "completed"}
    | {"action": {"type": "search", "query": "foxes"}},
    {"type": "mcp_call", "id": "m", "name": "go", "server_label": "s", "arguments": "{}"}
    | {"output": "Gone."},
    {"type": "code_interpreter_call", "id": "ci", "container_id": "k", "code": "1 + 1"}
    | {"outputs": [{"type": "logs", "logs": "2"}], "status": "completed"},
    {"type": "image_generation_call", "id": "ig", "result": "iVBORw0KGgo", "status": "completed"},
    {"type": "custom_tool_call", "call_id": "c4", "name": "sh", "input": "ls"},
    {"type": "item_reference", "id": "msg_1"},
    {
        "type": "message",
        "id": "msg_2",
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "A fox.", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "No more."},
        ],
    },
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)

PART = st.dictionaries(st.sampled_from(["type", "text", "refusal", "image_url"]), JSON)

ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "reasoning", "function_call_output"]) | JSON,
        "role": st.sampled_from(["user", "assistant"]) | JSON,
        "name": JSON,
        "content": st.text() | st.lists(PART | JSON, max_size=3) | JSON,
        "arguments": JSON,
        "output": st.text() | st.lists(PART, max_size=3),
    },
)


async def test_items_come_back_equal_and_in_order(memory: CompressiveMemory) -> None:
    session = R3Session(memory, "s", user_id="alice")
    assert isinstance(session, Session)
    await session.add_items(ITEMS[:5])
    await session.add_items([])
    await session.add_items([*ITEMS[5:], ITEMS[0], ITEMS[-1]])
    assert await session.get_items() == [*ITEMS, ITEMS[0], ITEMS[-1]]
    assert "[calls look]" in session.memory.recall("Who looked at it?")[0].text


@settings(max_examples=60)
@given(st.lists(ITEM, max_size=4))
def test_whatever_json_can_hold_comes_back(items: list[Any]) -> None:
    async def held(memory: CompressiveMemory) -> list[Any]:
        session = R3Session(memory)
        await session.add_items(items)
        return list(await session.get_items())

    with CompressiveMemory(":memory:") as memory:
        assert asyncio.run(held(memory)) == items


async def test_a_limit_takes_the_newest(memory: CompressiveMemory) -> None:
    session = R3Session(memory, session_settings=SessionSettings(limit=3))
    await session.add_items(ITEMS)
    for limit in range(len(ITEMS) + 2):
        assert await session.get_items(limit) == ITEMS[max(0, len(ITEMS) - limit) :]
    assert await session.get_items() == ITEMS[-3:]
    with pytest.raises(InvalidInputError, match="limit is -1"):
        await session.get_items(-1)


async def test_a_batch_that_fails_leaves_nothing(memory: CompressiveMemory) -> None:
    session = R3Session(memory)
    for wrong in ("words", {"role": "user", "content": object()}):
        with pytest.raises(InvalidInputError):
            await session.add_items([user("Hello."), wrong])  # type: ignore[list-item]
    assert await session.get_items() == []


async def test_what_is_popped_or_cleared_is_gone(memory: CompressiveMemory) -> None:
    session, other = R3Session(memory, "s"), R3Session(memory, "t")
    await other.add_items([user("Elsewhere.")])
    assert await session.pop_item() is None
    await session.clear_session()
    await session.add_items(ITEMS)
    assert await session.pop_item() == ITEMS[-1]
    assert await session.get_items() == ITEMS[:-1]
    await session.clear_session()
    assert await session.get_items() == []
    assert await other.get_items() == [user("Elsewhere.")]
    assert memory.stats().turns == 1


async def test_runs_at_once_pop_every_item_once(memory: CompressiveMemory) -> None:
    items = [user(f"Number {number}.") for number in range(6)]
    await R3Session(memory).add_items(items)
    popped = await asyncio.gather(*(R3Session(memory).pop_item() for _ in range(8)))
    assert sorted(json.dumps(one) for one in popped if one) == sorted(map(json.dumps, items))


async def test_users_and_sessions_are_apart(memory: CompressiveMemory) -> None:
    places = [("alice", "s"), ("bob", "s"), ("alice", "t")]
    sessions = [R3Session(memory, name, user_id=who) for who, name in places]
    added = zip(sessions, places, strict=True)
    await asyncio.gather(*(one.add_items([user(f"I am {place}.")]) for one, place in added))
    for one, place in zip(sessions, places, strict=True):
        assert await one.get_items() == [user(f"I am {place}.")]
    await sessions[0].clear_session()
    assert len(await sessions[1].get_items()) == len(await sessions[2].get_items()) == 1


async def test_another_process_sees_the_items(memory: CompressiveMemory) -> None:
    await R3Session(memory, "s", user_id="alice").add_items(ITEMS)
    code = (
        "import asyncio, json\n"
        "from r3mem_agents import CompressiveMemory\n"
        "from r3mem_openai_agents import R3Session\n"
        "with CompressiveMemory('memory.db') as memory:\n"
        "    session = R3Session(memory, 's', user_id='alice')\n"
        "    print(json.dumps(asyncio.run(session.get_items())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ITEMS


async def test_turns_of_others_are_messages_and_edits_are_seen(memory: CompressiveMemory) -> None:
    session = R3Session(memory, "s")
    session.memory.remember("user", "From a terminal.")
    await session.add_items([ITEMS[7]])
    [_, result] = session.memory.history()
    session.memory.edit(result.id, "A red fox.")
    assert await session.get_items() == [
        user("From a terminal."),
        ITEMS[7] | {"output": "A red fox."},
    ]


async def test_what_expires_is_gone(memory: CompressiveMemory) -> None:
    session = R3Session(memory, expires=timedelta(milliseconds=300))
    await session.add_items([user("Soon gone.")])
    await asyncio.sleep(0.4)
    assert await session.get_items() == []


async def test_a_quotation_of_a_memory_is_not_stored_again(memory: CompressiveMemory) -> None:
    quotation = mark_recalled("user: My dog is called Biscuit.")
    session = R3Session(memory)
    outputs: list[Any] = [quotation, [{"type": "input_text", "text": quotation}]]
    for output in outputs:
        item: Any = {"type": "function_call_output", "call_id": "c", "output": output}
        await session.add_items([item])
    assert "Biscuit" not in json.dumps(await session.get_items())
    assert memory.recall("What is my dog called?") == []
