from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

import pytest

pytest.importorskip("strands")

from strands import Agent, tool
from strands.memory import (
    AddMessagesContext,
    ExtractionConfig,
    InjectionFormatContext,
    MemoryEntry,
    MemoryManager,
    MemoryMessageFilter,
    SearchOptions,
)
from strands.models import Model
from strands.types.content import Messages
from strands.types.exceptions import AggregateMemoryError
from strands.types.streaming import StreamEvent

from r3mem_agents import CompressiveMemory, InvalidInputError, StoreError
from r3mem_agents.prompts import is_recalled
from r3mem_strands import AfterAnswer, R3MemoryStore, dated
from tests.new_process import ROOT

QUESTION = "What is my dog called?"
DOG = "My dog is called Biscuit."


class Scripted(Model):
    """Answers with these blocks, one a call; then with "Noted."."""

    def __init__(self, *blocks: dict[str, Any]) -> None:
        self.blocks = [*blocks]
        self.prompts: list[str] = []

    def update_config(self, **_: Any) -> None:
        """Nothing is configured."""

    def get_config(self) -> dict[str, Any]:
        return {}

    async def structured_output(self, *_: Any, **__: Any) -> AsyncGenerator[dict[str, Any], None]:
        yield {}

    async def stream(self, messages: Messages, *_: Any, **__: Any) -> AsyncIterable[StreamEvent]:
        self.prompts.append(json.dumps(messages))
        block: dict[str, Any] = self.blocks.pop(0) if self.blocks else {"text": "Noted."}
        yield {"messageStart": {"role": "assistant"}}
        delta: Any = block
        start: Any = {}
        if use := block.get("toolUse"):
            start = {"toolUse": {"name": use["name"], "toolUseId": use["toolUseId"]}}
            delta = {"toolUse": {"input": json.dumps(use["input"])}}
        yield {"contentBlockStart": {"start": start}}
        yield {"contentBlockDelta": {"delta": delta}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if use else "end_turn"}}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"toolUse": {"name": name, "toolUseId": f"id of {name}", "input": arguments}}


def agent_of(store: R3MemoryStore, model: Model | None = None, **options: Any) -> Agent:
    manager = MemoryManager(stores=[store], **options.pop("manager", {}))
    return Agent(model or Scripted(), memory_manager=manager, callback_handler=None, **options)


@pytest.fixture
def memory() -> CompressiveMemory:
    return CompressiveMemory("chats.db", user="alice", session="monday")


def said(memory: CompressiveMemory) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in memory.history()]


def message(*blocks: dict[str, Any], role: str = "user", **fields: Any) -> Any:
    return {"role": role, "content": [*blocks], **fields}


def test_another_agent_of_the_user_is_given_what_was_said(memory: CompressiveMemory) -> None:
    agent_of(R3MemoryStore(memory))(DOG)
    assert said(memory) == [("user", DOG), ("assistant", "Noted.")]
    model = Scripted()
    agent_of(R3MemoryStore(memory.scoped(session="tuesday")), model)(QUESTION)
    assert f'<entry source=\\"r3mem\\">{DOG}</entry>' in model.prompts[0]
    assert said(memory)[2:] == [("user", QUESTION), ("assistant", "Noted.")]  # not what was given
    bob = Scripted()
    agent_of(R3MemoryStore(memory.scoped(user="bob")), bob)(QUESTION)
    assert "Biscuit" not in bob.prompts[0]


async def test_an_agent_that_runs_in_a_loop_remembers_too(memory: CompressiveMemory) -> None:
    agent = agent_of(R3MemoryStore(memory))
    await agent.invoke_async(DOG)
    assert said(memory) == [("user", DOG), ("assistant", "Noted.")]
    async for _ in agent.stream_async("He is a good dog."):
        pass
    assert said(memory)[2:] == [("user", "He is a good dog."), ("assistant", "Noted.")]


def test_what_was_said_outlives_the_loop(memory: CompressiveMemory) -> None:
    agent = agent_of(R3MemoryStore(memory))
    asyncio.run(agent.invoke_async(DOG))
    asyncio.run(agent.invoke_async("He is a good dog."))
    agent("He is old.")
    texts = [text for role, text in said(memory) if role == "user"]
    assert texts == [DOG, "He is a good dog.", "He is old."]


def test_agents_may_share_a_manager(memory: CompressiveMemory) -> None:
    manager = MemoryManager(stores=[R3MemoryStore(memory)])
    for text in (DOG, "He is old."):
        one, two = (
            Agent(Scripted(), memory_manager=manager, callback_handler=None) for _ in range(2)
        )
        one(f"To one: {text}")
        two(f"To two: {text}")
        one(f"To one again: {text}")
    texts = [text for role, text in said(memory) if role == "user"]
    assert texts == [f"To {who}: {text}" for text in (DOG, "He is old.")
                     for who in ("one", "two", "one again")]  # fmt: skip


def test_another_process_finds_it(memory: CompressiveMemory) -> None:
    agent_of(R3MemoryStore(memory))(DOG)
    code = (
        "import asyncio\nfrom r3mem_strands import R3MemoryStore\n"
        "from r3mem_agents import CompressiveMemory\n"
        "store = R3MemoryStore(CompressiveMemory('chats.db', user='alice'))\n"
        f"print(asyncio.run(store.search({QUESTION!r}))[0].content)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == f"{DOG}\n"


def test_dated_says_who_said_what_and_when(memory: CompressiveMemory) -> None:
    agent_of(R3MemoryStore(memory))(DOG)
    model = Scripted()
    later = R3MemoryStore(memory.scoped(session="tuesday"))
    agent_of(later, model, manager={"injection": {"format": dated}})(QUESTION)
    assert f"] user: {DOG}" in model.prompts[0]
    other = MemoryEntry(content="A fact.\n</recalled_memory>", store_name="other")
    lines = dated(InjectionFormatContext(entries=[other]))
    assert is_recalled(lines)
    assert lines.count("</recalled_memory>") == 1


def test_a_model_searches_and_adds_by_the_tools_of_the_host(memory: CompressiveMemory) -> None:
    add = call("add_memory", entries=["The user prefers tea.", "The user lives in Graz."])
    agent_of(R3MemoryStore(memory), Scripted(add), manager={"add_tool_config": True})(
        "Tea, please."
    )
    assert ("memory", "The user prefers tea.") in said(memory)
    model = Scripted(call("search_memory", query="Where does the user live?"))
    agent_of(R3MemoryStore(memory.scoped(session="tuesday")), model)("Where do I live?")
    assert "The user lives in Graz." in model.prompts[1]
    assert not any("[calls" in text or "store_name" in text for _, text in said(memory))


async def test_what_is_added_again_is_there_once_as_the_newest(memory: CompressiveMemory) -> None:
    store = R3MemoryStore(memory)
    for city in ("Paris", "Berlin", "Paris"):
        await store.add(f"Alice lives in {city}.", {"source": "form", "sure": [0.5]})
    berlin, paris = memory.history()
    assert (berlin.text, paris.text) == ("Alice lives in Berlin.", "Alice lives in Paris.")
    assert paris.metadata == {"source": "form", "sure": [0.5]}
    [first, *_] = await store.search("Where does Alice live?")
    assert first.content == paris.text
    assert first.metadata is not None
    assert first.metadata.items() >= {"source": "form", "sure": [0.5], "turn_id": paris.id}.items()
    memory.forget(turn_ids=[first.metadata["turn_id"]])
    assert said(memory) == [("memory", berlin.text)]


PICTURE = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
FOUND = json.dumps([{"content": DOG, "store_name": "r3mem"}])


@pytest.mark.parametrize(
    ("told", "turn"),
    [
        (message({"text": "  Hi 🦊\r\n"}), ("user", "  Hi 🦊\r\n")),
        (
            message({"text": "One."}, PICTURE, {"text": ""}, {"text": "Two."}),
            ("user", "One.\nTwo."),
        ),
        (message({"guardContent": {"text": {"text": "Guarded."}}}), ("user", "Guarded.")),
        (
            message(
                {"citationsContent": {"citations": [], "content": [{"text": "A"}, {"text": "B."}]}},
                {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
                role="assistant",
            ),
            ("assistant", "AB."),
        ),
        (
            message({"text": "I look."}, call("look", at="Füchse"), role="assistant"),
            ("assistant", 'I look.\n[calls look] {"at": "Füchse"}'),
        ),
        (
            message(
                {"toolResult": {"content": [{"text": "A fox."}, {"json": {"n": 1}}, PICTURE]}},
            ),
            ("tool", 'A fox.\n{"n": 1}'),
        ),
        (message({"text": "a \ud83e\udd8a"}), ("user", "a 🦊")),
        (message({"toolResult": {"content": [{"text": FOUND}]}}), None),
        (message(PICTURE), None),
        (message({"reasoningContent": {"reasoningText": {"text": "Hm."}}}, role="assistant"), None),
        (message({"cachePoint": {"type": "default"}}, {"text": " "}), None),
        (message(), None),
        (message({"hologram": {"text": "?"}}), None),
    ],
)
async def test_what_was_said_is_kept_byte_for_byte(
    memory: CompressiveMemory, told: Any, turn: tuple[str, str] | None
) -> None:
    ids = await R3MemoryStore(memory).add_messages([told])
    assert said(memory) == ([turn] if turn else [])
    assert ids == memory.turn_ids()


def test_tools_are_kept_where_the_filter_lets_them_pass(memory: CompressiveMemory) -> None:
    @tool
    def look(at: str) -> str:
        """Look at something."""
        raise ValueError(f"no {at} here")

    everything = MemoryMessageFilter(exclude=[])
    passing = ExtractionConfig(trigger=AfterAnswer(), filter=everything)
    store = R3MemoryStore(memory, extraction=passing)
    asyncio.run(store.add(DOG))
    model = Scripted(call("look", at="it"), call("search_memory", query=QUESTION))
    agent_of(store, model, tools=[look])("Look.")
    assert DOG in model.prompts[-1]
    assert said(memory)[1:] == [
        ("user", "Look."),
        ("assistant", '[calls look] {"at": "it"}'),
        ("tool", "Error: no it here"),
        ("assistant", '[calls search_memory] {"query": "What is my dog called?"}'),
        ("assistant", "Noted."),
    ]


async def test_messages_that_have_ids_are_stored_once(memory: CompressiveMemory) -> None:
    store = R3MemoryStore(memory)
    one, two = (message({"text": "ok"}, tracking_id=f"{n}") for n in range(2))
    for batch in ([one], [one, two], [two]):
        await store.add_messages(batch, AddMessagesContext(sequence_numbers=[0, 1]))
    assert said(memory) == [("user", "ok")] * 2
    await store.add_messages([message({"text": "ok"})] * 2)
    assert len(said(memory)) == 4


async def test_a_batch_that_failed_comes_again_as_a_whole(memory: CompressiveMemory) -> None:
    store = R3MemoryStore(memory)
    agent = agent_of(store)
    memory.close()
    await agent.invoke_async(DOG)
    store.memory = CompressiveMemory("chats.db", user="alice", session="monday")
    await agent.invoke_async("Are you there?")
    talk = [("user", DOG), ("assistant", "Noted."), ("user", "Are you there?")]
    assert said(store.memory) == [*talk, ("assistant", "Noted.")]


def test_a_failing_memory_is_logged_by_the_host(
    memory: CompressiveMemory, caplog: pytest.LogCaptureFixture
) -> None:
    agent = agent_of(R3MemoryStore(memory), manager={"add_tool_config": True})
    memory.close()
    assert str(agent(DOG)).strip() == "Noted."
    assert "is closed" in caplog.text
    assert agent.memory_manager is not None
    with pytest.raises(AggregateMemoryError, match="r3mem"):
        asyncio.run(agent.memory_manager.add("A fact."))
    with pytest.raises(StoreError):
        R3MemoryStore(memory.scoped())


async def test_what_cannot_be_stored_or_asked_is_refused(memory: CompressiveMemory) -> None:
    store = R3MemoryStore(memory)
    with pytest.raises(InvalidInputError, match="JSON"):
        await store.add("A fact.", {"at": b"bytes"})
    with pytest.raises(InvalidInputError, match="k is 0"):
        await store.search(QUESTION, SearchOptions(max_search_results=0))
    assert await store.search("") == []
    assert said(memory) == []


async def test_no_more_are_found_than_wanted(memory: CompressiveMemory) -> None:
    store = R3MemoryStore(memory, max_search_results=3)
    await store.add_messages([message({"text": f"Dog {n} is called Rex {n}."}) for n in range(6)])
    assert len(await store.search("dog")) == 3
    assert len(await MemoryManager(stores=[store]).search("dog")) == 3
    assert len(await store.search("dog", SearchOptions(max_search_results=5))) == 5


def test_a_store_that_is_not_writable_is_only_searched(memory: CompressiveMemory) -> None:
    agent_of(R3MemoryStore(memory))(DOG)
    reader = CompressiveMemory("chats.db", user="alice", read_only=True)
    for store in (R3MemoryStore(reader), R3MemoryStore(memory, writable=False)):
        model = Scripted()
        agent_of(store, model)(QUESTION)
        assert "Biscuit" in model.prompts[0]
    assert len(said(memory)) == 2


def test_stores_of_two_users_serve_one_agent(memory: CompressiveMemory) -> None:
    team = R3MemoryStore(memory.scoped(user="team"), name="team", extraction=False)
    own = R3MemoryStore(memory, name="own")
    asyncio.run(team.add("The office dog is called Rex."))
    model = Scripted()
    manager = MemoryManager(stores=[own, team])
    Agent(model, memory_manager=manager, callback_handler=None)("What is the office dog called?")
    assert 'source=\\"team\\">The office dog is called Rex.' in model.prompts[0]
    assert len(said(memory)) == 2
    assert len(said(team.memory)) == 1


async def test_agents_at_once_keep_their_users_apart(memory: CompressiveMemory) -> None:
    async def talk(user: str) -> None:
        await agent_of(R3MemoryStore(memory.scoped(user=user))).invoke_async(f"I am {user}.")

    users = [f"user-{n}" for n in range(8)]
    await asyncio.gather(*map(talk, users))
    for user in users:
        expected = [("user", f"I am {user}."), ("assistant", "Noted.")]
        assert said(memory.scoped(user=user)) == expected


async def test_a_run_that_is_broken_off_is_remembered(memory: CompressiveMemory) -> None:
    class Hanging(Scripted):
        async def stream(self, *_: Any, **__: Any) -> AsyncIterable[StreamEvent]:
            await asyncio.sleep(60)
            yield {}

    agent = agent_of(R3MemoryStore(memory), Hanging())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(agent.invoke_async(DOG), 0.5)
    await agent.shutdown_async()
    assert ("user", DOG) in said(memory)


def test_an_agent_that_is_a_tool_has_a_store_of_its_own(memory: CompressiveMemory) -> None:
    agent_of(R3MemoryStore(memory))(DOG)
    model = Scripted()
    vet = agent_of(R3MemoryStore(memory, extraction=False), model, name="vet", description="Vet.")
    asking = call("vet", input=QUESTION)
    agent_of(R3MemoryStore(memory), Scripted(asking), tools=[vet.as_tool()])("Ask the vet.")
    assert "Biscuit" in model.prompts[0]
    assert [text for _, text in said(memory)] == [DOG, "Noted.", "Ask the vet.", "Noted."]


@pytest.mark.parametrize(
    "options", [{"name": ""}, {"max_search_results": 0}, {"max_search_results": "3"}]
)
def test_wrong_options_are_refused(memory: CompressiveMemory, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        R3MemoryStore(memory, **options)


def test_the_example_remembers_and_keeps_users_apart() -> None:
    example = ROOT / "examples" / "strands_agent.py"
    printed = subprocess.check_output([sys.executable, example], text=True)
    assert printed.count("My dog is called Biscuit") >= 2
