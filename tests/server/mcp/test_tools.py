"""Tools of the MCP server, in process: what they return, and what they refuse."""

from __future__ import annotations

from datetime import datetime

import pytest
from mcp import Client

from r3mem_agents import CompressiveMemory, StoreUnavailableError
from r3mem_agents.prompts import NOTHING_FOUND
from r3mem_agents.server.mcp import mcp_server
from tests.conftest import OpenMemory
from tests.server.mcp.calling import call, refusal, text

DOG = {"text": "My dog is called Biscuit.", "name": "Alice"}


def client_of(memory: CompressiveMemory) -> Client:
    return Client(mcp_server(lambda: memory))


async def test_what_is_remembered_is_found(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    async with client_of(memory) as client:
        noon = "2026-11-20T12:00:00+01:00"
        stored = await call(
            client, "remember", turns=[DOG, {"text": "A cat?", "role": "assistant", "time": noon}]
        )
        assert [turn["session"] for turn in stored["turns"]] == ["today", "today"]
        [first, second] = [turn["id"] for turn in stored["turns"]]
        found = await call(client, "recall", query="What is my dog called?")
        best = found["turns"][0]
        assert best["id"] == first
        assert best["text"] == DOG["text"]
        assert best["name"] == "Alice"
        assert 0 < best["score"] <= 1
        told = await client.call_tool("context", {"query": "What is my dog called?"})
        assert "Alice (user): My dog is called Biscuit." in text(told)
        later = await call(client, "history", limit=1)
        assert [turn["id"] for turn in later["turns"]] == [second]
        assert datetime.fromisoformat(later["turns"][0]["time"]) == datetime.fromisoformat(noon)
        earlier = await call(client, "history", limit=1, before=later["next"])
        assert [turn["id"] for turn in earlier["turns"]] == [first]
        assert "next" not in earlier


async def test_a_turn_keeps_all_its_fields(open_memory: OpenMemory) -> None:
    said = {
        "text": "Yes.",
        "role": "tool",
        "name": "null",
        "time": "2026-11-20T12:00:00+00:00",
        "metadata": {"a": [1, {"b": None}]},
        "key": "k-1",
    }
    async with client_of(open_memory()) as client:
        [place] = (await call(client, "remember", turns=[said], session="null"))["turns"]
        [turn] = (await call(client, "history", session="null"))["turns"]
        assert turn == said | place


async def test_filters_leave_out(open_memory: OpenMemory) -> None:
    async with client_of(open_memory()) as client:
        for session, role, day in (("a", "user", 1), ("b", "user", 2), ("b", "tool", 3)):
            time = f"2026-11-0{day}T12:00:00Z"
            turn = DOG | {"role": role, "time": time, "metadata": {"day": day}}
            await call(client, "remember", turns=[turn], session=session)
        every = {"query": "What is my dog called?"}

        async def ids(**more: object) -> set[int]:
            found = await call(client, "recall", **every, **more)
            return {turn["id"] for turn in found["turns"]}

        assert await ids() == {1, 2, 3}
        assert await ids(sessions=["a"]) == {1}
        assert await ids(roles=["tool"]) == {3}
        assert await ids(where={"metadata.day": {"$lte": 2}, "session": "b"}) == {2}
        told = await client.call_tool("context", every | {"where": {"role": "system"}})
        assert text(told) == NOTHING_FOUND
        assert await ids(since="2026-11-02T00:00:00Z", until="2026-11-02T23:00:00Z") == {2}
        assert len(await ids(k=1)) == 1


async def test_an_explanation_comes_if_asked_for(open_memory: OpenMemory) -> None:
    async with client_of(open_memory()) as client:
        await call(client, "remember", turns=[DOG])
        plain = await call(client, "recall", query="What is my dog called?")
        told = await call(client, "recall", query="What is my dog called?", explain=True)
        assert "explanation" not in plain
        assert "words" in told["turns"][0].pop("explanation")
        assert told.pop("explanation")
        assert told == plain


async def test_sessions_and_summaries(open_memory: OpenMemory) -> None:
    async with client_of(open_memory()) as client:
        for session in ("one", "two", "three"):
            await call(client, "remember", turns=[DOG, DOG], session=session)
        listed = await call(client, "sessions", limit=2)
        assert [one["name"] for one in listed["sessions"]] == ["two", "three"]
        assert [one["turns"] for one in listed["sessions"]] == [2, 2]
        assert listed["total"] == 3
        [turn] = (await call(client, "summary", session="two", k=1))["turns"]
        assert (turn["session"], turn["text"]) == ("two", DOG["text"])


async def test_forgetting_tells_what_is_gone(open_memory: OpenMemory) -> None:
    memory = open_memory()
    async with client_of(memory) as client:
        await call(client, "remember", turns=[DOG, DOG], session="one")
        await call(client, "remember", turns=[DOG], session="two")
        gone = await call(client, "forget", turn_ids=[1])
        assert (gone["turns"], gone["turn_ids"], gone["sessions"]) == (1, [1], ["one"])
        gone = await call(client, "forget", session="two")
        assert (gone["turns"], gone["turn_ids"]) == (1, [3])
    assert memory.turn_ids() == [2]


async def test_an_edit_keeps_the_place_and_versions_if_asked_for(open_memory: OpenMemory) -> None:
    memory = open_memory()
    async with client_of(memory) as client:
        [place] = (await call(client, "remember", turns=[DOG]))["turns"]
        one = {"turn_id": place["id"]}
        known = memory.history()[0].time.isoformat()
        assert await call(client, "edit", **one, text="It is Miso.", keep_versions=True) == place
        assert [turn["text"] for turn in (await call(client, "history"))["turns"]] == [
            "It is Miso."
        ]
        assert [v["text"] for v in (await call(client, "versions", **one))["turns"]] == [
            DOG["text"]
        ]
        question = {"query": "What is my dog called?", "as_of": known}
        assert [t["text"] for t in (await call(client, "recall", **question))["turns"]] == [
            DOG["text"]
        ]
        assert DOG["text"] in text(await client.call_tool("context", question))
        await call(client, "edit", **one, text="It is Rex.")
        assert (await call(client, "versions", **one))["turns"] == []


async def test_what_is_pinned_comes_first_and_what_expires_goes(open_memory: OpenMemory) -> None:
    async with client_of(open_memory()) as client:
        dates = {"2126-11-20T12:00:00+00:00", "P30D"}
        turns = [DOG | {"expires": expires} for expires in sorted(dates)]
        stored = (await call(client, "remember", turns=[*turns, {"text": "No nuts."}]))["turns"]
        held = (await call(client, "history"))["turns"]
        month = datetime.fromisoformat(held[1]["expires"]) - datetime.fromisoformat(held[1]["time"])
        assert (held[0]["expires"], month.days) == ("2126-11-20T12:00:00+00:00", 30)
        assert "expires" not in held[2]
        nuts = {"turn_ids": [stored[2]["id"]]}
        assert await call(client, "pin", **nuts) == nuts | {"pinned": True}
        assert "No nuts." in text(await client.call_tool("context", {"query": "zebra"}))
        assert (await call(client, "history", limit=1))["turns"][0]["pinned"] is True
        await call(client, "pin", **nuts, pinned=False)
        assert "pinned" not in (await call(client, "history", limit=1))["turns"][0]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("recall", {}, "query: Field required"),
        ("recall", {"query": ""}, "query: String should have at least 1 character"),
        ("recall", {"query": "x" * 20_001}, "query: String should have at most 20000 characters"),
        ("recall", {"query": "x", "k": 51}, "k: Input should be less than or equal to 50"),
        ("recall", {"query": "x", "limit": 5}, "recall has no argument limit; it has query, k,"),
        ("recall", {"query": "x", "where": {"mood": 1}}, "mood"),
        ("recall", {"query": "x", "since": "soon"}, "since: Input should be a valid datetime"),
        ("recall", {"query": "x", "sessions": ["no"]}, "NotFoundError: no session 'no'"),
        ("recall", {"query": "x", "since": "2026-02-01", "until": "2026-01-01"}, "is after until"),
        ("context", {"query": "x", "token_budget": 0}, "token_budget: Input should be greater"),
        ("history", {"session": "no"}, "NotFoundError: no session 'no'"),
        ("history", {"limit": 101}, "limit: Input should be less than or equal to 100"),
        ("summary", {"session": "no"}, "NotFoundError: no session 'no'"),
        ("remember", {"turns": []}, "turns: List should have at least 1 item"),
        ("remember", {"turns": [DOG] * 101}, "turns: List should have at most 100 items"),
        ("remember", {"turns": [DOG | {"when": "now"}]}, "turns.0.when: Extra inputs are not"),
        ("remember", {"turns": [DOG | {"text": "x" * 200_001}]}, "turns.0.text: String should"),
        ("remember", {"turns": [DOG, DOG | {"role": " "}]}, "turns[1].role is blank"),
        ("remember", {"turns": [DOG, DOG | {"key": "k" * 256}]}, "give a hash of it instead"),
        ("remember", {"turns": [DOG | {"expires": 3600}]}, "a duration such as P30D"),
        ("remember", {"turns": [DOG | {"expires": "3600"}]}, "a duration such as P30D"),
        ("remember", {"turns": [DOG | {"expires": "soon"}]}, "turns.0.expires: Value error, give"),
        ("edit", {"turn_id": 99, "text": "x"}, "NotFoundError: no turn 99"),
        ("edit", {"turn_id": 1, "text": "x" * 200_001}, "text: String should have at most"),
        ("versions", {"turn_id": 99}, "NotFoundError: no turn 99"),
        ("pin", {"turn_ids": [1, 99]}, "NotFoundError: no turn 99"),
        ("forget", {}, "InvalidInputError: give one of turn_ids and session"),
        ("forget", {"turn_ids": [1], "session": "x"}, "give one of turn_ids and session"),
        ("forget", {"turn_ids": [1, 99]}, "NotFoundError: no turn 99 in this memory"),
        ("forget", {"session": "no"}, "NotFoundError: no session 'no'"),
        ("forget", {"everything": True}, "forget has no argument everything"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    open_memory: OpenMemory, tool: str, arguments: dict[str, object], told: str
) -> None:
    memory = open_memory()
    memory.remember("user", "The first.", session="one")
    async with client_of(memory) as client:
        assert told in await refusal(client, tool, **arguments)
    assert [turn.text for turn in memory.history()] == ["The first."]


async def test_errors_of_the_memory_reach_the_client_by_name() -> None:
    def locked() -> CompressiveMemory:
        raise StoreUnavailableError("another program locks the file; end it")

    async with Client(mcp_server(locked)) as client:
        for tool, arguments in (("recall", {"query": "x"}), ("remember", {"turns": [DOG]})):
            told = await refusal(client, tool, **arguments)
            assert told == "StoreUnavailableError: another program locks the file; end it"


async def test_other_errors_show_nothing_of_this_machine(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> CompressiveMemory:
        raise RuntimeError("/home/alice/secret.db")

    async with Client(mcp_server(broken)) as client:
        assert await refusal(client, "recall", query="x") == "Error executing tool recall"
    assert "secret.db" in caplog.text  # who runs the server reads why


async def test_every_tool_says_what_it_does_and_returns(open_memory: OpenMemory) -> None:
    async with client_of(open_memory()) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    reads = {"recall", "context", "history", "versions", "summary", "sessions"}
    destructive, harmless = {"edit", "forget"}, {"remember", "pin"}
    assert tools.keys() == reads | destructive | harmless
    for name, tool in tools.items():
        assert tool.description
        assert "\n " not in tool.description
        assert tool.output_schema is not None
        for argument, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{name} says nothing of {argument}"
        hints = tool.annotations
        assert hints is not None
        assert hints.read_only_hint is (name in reads)
        assert bool(hints.destructive_hint) is (name in destructive)
        assert hints.open_world_hint is False
