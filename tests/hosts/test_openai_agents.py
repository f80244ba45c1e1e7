"""Agents of OpenAI's Agents SDK with a memory: what they are shown, and what they keep of it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, Runner, SQLiteSession, function_tool
from agents.memory import SessionSettings
from agents.testing import ScriptedModel, function_call

from r3mem_agents import CompressiveMemory
from r3mem_agents.prompts import is_recalled
from r3mem_agents.types import NOBODY
from r3mem_openai_agents import R3Session, as_tools
from tests.hosts.openai_agents_runs import ask, said, user

USER = NOBODY

SCRIPT: list[Any] = [
    *said("Noted."),
    [function_call("weather", {"city": "Paris"}, call_id="c1")],
    *said("It rains.", "Bye."),
]


@function_tool
def weather(city: str) -> str:
    """What the weather is."""
    return f"Rain in {city}."


@pytest.mark.parametrize("how", ["run", "streamed"])
async def test_runs_store_what_they_store_in_the_hosts_own_session(
    memory: CompressiveMemory, how: str
) -> None:
    own, ours = SQLiteSession("s"), R3Session(memory, "s", session_settings=SessionSettings(4))
    own.session_settings = SessionSettings(4)
    prompts: list[list[Any]] = []
    for session in (own, ours):
        model = ScriptedModel(SCRIPT)
        agent = Agent("helper", model=model, tools=[weather])
        for text in ("My dog is called Biscuit.", "How is Paris?", "Bye."):
            if how == "run":
                await Runner.run(agent, text, session=session)
            else:
                async for _ in Runner.run_streamed(agent, text, session=session).stream_events():
                    pass
        prompts.append([call.input for call in model.calls])
    assert await ours.get_items(100) == await own.get_items(100)
    assert prompts[0] == prompts[1]
    own.close()


@pytest.mark.usefixtures("_event_loop")
def test_a_run_without_a_loop(memory: CompressiveMemory) -> None:
    session = R3Session(memory, "s")
    agent = Agent("helper", model=ScriptedModel(said("Noted.", "Biscuit.")))
    Runner.run_sync(agent, "My dog is called Biscuit.", session=session)
    answer = Runner.run_sync(agent, "What is it called?", session=session)
    assert answer.final_output == "Biscuit."
    assert len(answer.to_input_list()) == memory.stats().turns == 4


async def test_older_turns_of_the_user_are_shown_and_not_stored(memory: CompressiveMemory) -> None:
    model = ScriptedModel(said("Noted.", "Nice.", "Biscuit.", "Rex."))
    agent = Agent("helper", instructions="Be brief.", model=model)
    await ask(agent, "My dog is called Biscuit.", R3Session(memory, "monday", user_id="alice"))
    await ask(agent, "My dog is called Rex.", R3Session(memory, "monday", user_id="bob"))
    friday = R3Session(memory, "friday", user_id="alice")
    await ask(agent, "What is my dog called?", friday)
    shown = model.calls[2].system_instructions or ""
    assert shown.startswith("Be brief.\n\n")
    assert is_recalled(shown.removeprefix("Be brief.\n\n"))
    assert "Biscuit" in shown
    assert "Rex" not in shown
    assert model.calls[2].input == [user("What is my dog called?")]
    assert [turn.text for turn in friday.memory.history("friday")] == [
        "What is my dog called?",
        "Biscuit.",
    ]
    await ask(agent, "What is my dog called?", R3Session(memory, "friday"))  # of nobody
    assert model.calls[3].system_instructions == "Be brief."


async def test_what_the_input_has_is_not_shown_again(memory: CompressiveMemory) -> None:
    model = ScriptedModel([*said("Noted."), SCRIPT[1], *said("It rains.", "Biscuit.")])
    agent = Agent("helper", model=model, tools=[weather])
    session = R3Session(memory, "s")
    texts = ("My dog is called Biscuit.", "What is the weather in Paris?", "Is my dog Biscuit?")
    for text in texts:
        await ask(agent, text, session)
    assert [call.system_instructions for call in model.calls] == [None] * 4
    session.session_settings = SessionSettings(limit=2)
    model.extend(said("Biscuit."))
    await ask(agent, "What is my dog called?", session)
    shown = model.calls[-1].system_instructions or ""
    assert texts[0] in shown
    assert texts[2] not in shown


async def test_agents_that_are_handed_a_run_are_shown_them_too(memory: CompressiveMemory) -> None:
    R3Session(memory, "monday", user_id="alice").memory.remember("user", "My dog is Biscuit.")
    model = ScriptedModel(
        [[function_call("transfer_to_vet", {}, call_id="h1")], *said("Biscuit is fine.")]
    )
    vet = Agent("vet", instructions="You are a vet.", model=model)
    desk = Agent("desk", model=model, handoffs=[vet])
    session = R3Session(memory, "friday", user_id="alice")
    answer = await ask(desk, "How is my dog?", session)
    assert answer.last_agent is vet
    for call in model.calls:
        assert "My dog is Biscuit." in (call.system_instructions or "")
    assert [one.get("type") for one in await session.get_items()] == [
        None,
        "function_call",
        "function_call_output",
        "message",
    ]


async def test_a_model_remembers_recalls_pins_and_forgets(memory: CompressiveMemory) -> None:
    def session_of(place: tuple[str, str]) -> R3Session:
        return R3Session(memory, place[1], user_id=place[0])

    ids = count()

    def call(tool: str, **arguments: Any) -> Any:
        return [function_call(tool, arguments, call_id=f"c{next(ids)}")]

    dog = "Alice's dog is called Biscuit."
    script = [call("remember", text=dog), *said("Noted."), call("recall", query="dog"), *said("B.")]
    model = ScriptedModel(script)
    agent = Agent("helper", model=model, tools=[*as_tools(session_of)])
    await Runner.run(agent, "Note it.", session=session_of(("alice", "s")), context=("alice", "s"))
    await Runner.run(agent, "Who?", session=session_of(("alice", "t")), context=("alice", "t"))
    [note] = [turn for turn in memory.scoped(user="alice").history("s") if turn.text == dog]
    assert model.calls[1].input[-1]["output"] == f"Remembered as turn {note.id}."
    assert f"turn {note.id} " in model.calls[3].input[-1]["output"]
    # Neither a note nor a quotation is an item of the conversation.
    assert dog not in json.dumps((await session_of(("alice", "s")).get_items())[2:])
    assert dog not in json.dumps(await session_of(("alice", "t")).get_items())

    model.extend(
        [call("forget", turn_ids=[note.id]), *said("No."), call("pin", turn_ids=[note.id])]
    )
    await Runner.run(agent, "Forget it.", context=("bob", "s"))
    assert f"no turn {note.id}" in model.last_call.input[-1]["output"]  # type: ignore[union-attr]
    model.extend([*said("Pinned."), call("forget", turn_ids=[note.id]), *said("Gone.")])
    await Runner.run(agent, "Pin it.", context=("alice", "s"))
    assert memory.scoped(user="alice").fetch(turn_ids=[note.id])[0].pinned
    await Runner.run(agent, "Forget it.", context=("alice", "t"))
    assert memory.scoped(user="alice").fetch(turn_ids=[note.id]) == []
