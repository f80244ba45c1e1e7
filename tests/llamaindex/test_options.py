"""Each class: what it writes may expire and be pinned; lookups have conditions and a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import Memory

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_llamaindex import R3Memory, R3MemoryBlock, R3Retriever
from tests.llamaindex.talk import assistant, user

MARCH, MAY = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
DAYS = timedelta(days=30)
BY_YOU = {"metadata.by": "you"}


@pytest.fixture
def filled(memory: CompressiveMemory) -> CompressiveMemory:
    about = {"by": "me", "tags": ["a", "b"], "at": {"home": True}}
    memory.remember_many(
        [
            Turn(role="user", text="Biscuit barks.", session="a", time=MARCH, metadata=about),
            Turn(role="user", text="Biscuit runs.", session="a", time=MAY, metadata={"by": "you"}),
        ]
    )
    return memory


async def by_memory(memory: CompressiveMemory, **options: Any) -> str:
    messages = R3Memory.from_memory(memory, **options).get(input="Biscuit?")
    return "".join(str(message.content) for message in messages)


async def by_block(memory: CompressiveMemory, **options: Any) -> str:
    block = R3MemoryBlock.from_memory(memory, **options)
    return await block.aget([user("Biscuit?")], session_id="today")


async def by_retriever(memory: CompressiveMemory, **options: Any) -> str:
    nodes = await R3Retriever.from_memory(memory, **options).aretrieve("Biscuit?")
    return "".join(node.text for node in nodes)


Reader = Callable[..., Any]


@pytest.mark.parametrize("read", [by_memory, by_block, by_retriever])
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, {"barks", "runs"}),
        ({"where": BY_YOU}, {"runs"}),
        ({"where": {"metadata.tags": ["a", "b"]}}, {"barks"}),
        ({"where": {"metadata.at.home": True}}, {"barks"}),
        ({"where": {"metadata.at": {"home": True}, "session": "a"}}, {"barks"}),
        ({"where": {"metadata.tags": None}}, {"runs"}),
        ({"where": {"metadata.nowhere.at.all": {"$ne": None}}}, set()),
        ({"as_of": MARCH}, {"barks"}),
        ({"as_of": MARCH, "where": BY_YOU}, set()),
    ],
)
async def test_a_lookup_keeps_to_its_conditions_and_its_time(
    filled: CompressiveMemory, read: Reader, options: dict[str, Any], found: set[str]
) -> None:
    shown = await read(filled, **options)
    assert {word for word in ("barks", "runs") if word in shown} == found


CLASSES: list[Any] = [R3Memory, R3MemoryBlock, R3Retriever]


@pytest.mark.parametrize("one", CLASSES)
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"where": {"by": "you"}}, "where has 'by'; a turn has metadata.KEY"),
        ({"where": {"metadata.by": {"$in": ["you"]}}}, r"where has '\$in'"),
        ({"where": {"metadata.by": MAY}}, "where must be what JSON can hold"),
        ({"as_of": datetime(2026, 5, 1)}, "as_of .* has no time zone"),
    ],
)
def test_what_no_lookup_takes_is_refused_at_once(
    memory: CompressiveMemory, one: Any, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):  # pydantic's, where the host has models
        one.from_memory(memory, **options)


@pytest.mark.parametrize("one", CLASSES[:2])
def test_what_no_write_takes_is_refused_at_once(memory: CompressiveMemory, one: Any) -> None:
    for expires in (timedelta(), timedelta(days=10**7), "soon"):
        with pytest.raises(ValueError, match="expires"):
            one.from_memory(memory, expires=expires)


def test_what_a_message_has_beside_its_words_can_be_asked_for(memory: CompressiveMemory) -> None:
    for text, channel in (("Biscuit barks.", "mail"), ("Biscuit runs.", "chat")):
        message = ChatMessage(text, additional_kwargs={"channel": channel})
        R3Memory.from_memory(memory).put(message)
    where = {"metadata.llama_index.kwargs.channel": "mail"}
    nodes = R3Retriever.from_memory(memory, where=where).retrieve("Biscuit?")
    assert [node.text for node in nodes] == ["Biscuit barks."]


# What is written ----------------------------------------------------------------------------------


def lives(turn: StoredTurn, since: datetime) -> bool:
    """Whether a turn that was written since then lives for ``DAYS``."""
    return turn.expires is not None and since + DAYS <= turn.expires <= datetime.now(UTC) + DAYS


async def test_everything_that_is_written_expires(memory: CompressiveMemory) -> None:
    since = datetime.now(UTC)
    r3 = R3Memory.from_memory(memory, expires=DAYS)
    r3.put_messages([user("Hello."), assistant("Hi.")])
    r3.set([user("Hello."), assistant("Hi."), user("Well?")])
    host = Memory.from_defaults(
        session_id="of the host", memory_blocks=[R3MemoryBlock.from_memory(memory, expires=DAYS)]
    )
    await host.aput_messages([user("Good day."), assistant("Good day to you.")])
    await host.aget()
    turns = memory.history()
    assert len(turns) == 5
    assert all(lives(turn, since) for turn in turns)


def test_an_edit_lives_as_long_again(memory: CompressiveMemory) -> None:
    named = {"r3mem_key": "m1"}
    r3 = R3Memory.from_memory(memory, expires=DAYS)
    r3.put(ChatMessage("It is Bisquit.", additional_kwargs=named))
    since = datetime.now(UTC)
    r3.put(ChatMessage("It is Biscuit.", additional_kwargs=named))
    [turn] = memory.history()
    assert turn.text == "It is Biscuit."
    assert lives(turn, since)


def test_json_has_all_of_it(where: dict[str, Any]) -> None:
    options: Any = {"expires": DAYS, "where": BY_YOU, "as_of": MARCH}
    r3 = R3Memory(**where, **options)
    again = R3Memory.model_validate_json(r3.model_dump_json())
    assert again == r3
    assert (again.expires, again.where, again.as_of) == (DAYS, BY_YOU, MARCH)


# What is pinned -----------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [by_memory, by_block])
async def test_what_is_pinned_every_prompt_has(memory: CompressiveMemory, read: Reader) -> None:
    memory.remember("user", "I must not eat nuts.", session="before")
    [node] = R3Retriever.from_memory(memory).retrieve("What must I not eat?")
    assert "nuts" not in await read(memory)
    memory.pin([node.metadata["turn_id"]])
    assert (await read(memory)).count("nuts") == 1
    assert "nuts" not in await read(memory, where=BY_YOU)
