from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, RunConfig, Runner, SQLiteSession, function_tool, set_tracing_disabled
from agents.exceptions import UserError
from agents.memory import Session, SessionSettings
from agents.testing import ScriptedModel, assistant_message, function_call
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, InvalidInputError, StoreError
from r3mem_agents.prompts import is_recalled, mark_recalled
from r3mem_openai_agents import R3Session, as_tools, recall_filter

set_tracing_disabled(True)

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


@pytest.fixture
def memory() -> Iterator[CompressiveMemory]:
    with CompressiveMemory("memory.db") as opened:
        yield opened


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def said(*texts: str) -> list[Any]:
    """Steps of a model that answers so."""
    return [[assistant_message(text)] for text in texts]


@function_tool
def weather(city: str) -> str:
    """What the weather is."""
    return f"Rain in {city}."


async def test_items_come_back_equal_and_in_order(memory: CompressiveMemory) -> None:
    session = R3Session(memory, "s", user_id="alice")
    assert isinstance(session, Session)
    await session.add_items(ITEMS[:5])
    await session.add_items([])
    await session.add_items([*ITEMS[5:], ITEMS[0], ITEMS[-1]])
    assert await session.get_items() == [*ITEMS, ITEMS[0], ITEMS[-1]]
    assert "[calls look]" in session.memory.recall("Who looked at it?")[0].text


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


async def test_half_a_character_does_not_end_a_run(memory: CompressiveMemory) -> None:
    session = R3Session(memory)
    agent = Agent("helper", model=ScriptedModel(said("A \ud83e.")))
    await Runner.run(agent, "What is it? \ud83e", session=session)
    assert [turn.text for turn in memory.history()] == ["What is it? \ufffd", "A \ufffd."]


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


SCRIPT: list[Any] = [
    *said("Noted."),
    [function_call("weather", {"city": "Paris"}, call_id="c1")],
    *said("It rains.", "Bye."),
]


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


async def ask(agent: Agent, text: str, session: R3Session, **options: Any) -> Any:
    config = RunConfig(call_model_input_filter=recall_filter(session, **options))
    return await Runner.run(agent, text, session=session, run_config=config)


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


async def test_a_quotation_of_a_memory_is_not_stored_again(memory: CompressiveMemory) -> None:
    quotation = mark_recalled("user: My dog is called Biscuit.")
    session = R3Session(memory)
    outputs: list[Any] = [quotation, [{"type": "input_text", "text": quotation}]]
    for output in outputs:
        item: Any = {"type": "function_call_output", "call_id": "c", "output": output}
        await session.add_items([item])
    assert "Biscuit" not in json.dumps(await session.get_items())
    assert memory.recall("What is my dog called?") == []


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


async def test_a_tool_tells_the_model_its_mistakes_and_the_host_the_rest(
    memory: CompressiveMemory,
) -> None:
    session = R3Session(memory)
    wrong = [[function_call("forget", {"turn_ids": [9]}, call_id="c1")], *said("Sorry.")]
    model = ScriptedModel(wrong)
    agent = Agent("helper", model=model, tools=[*as_tools(session)])
    await Runner.run(agent, "Forget it.")
    assert "no turn 9" in model.calls[1].input[-1]["output"]
    model.extend([[function_call("recall", {"query": "dog"}, call_id="c2")]])
    memory.close()
    with pytest.raises(UserError, match="is closed") as raised:  # the host's own, as of any tool
        await Runner.run(agent, "Look it up.")
    assert isinstance(raised.value.__cause__, StoreError)


async def test_a_memory_that_fails_is_told_or_logged(
    memory: CompressiveMemory, caplog: pytest.LogCaptureFixture
) -> None:
    strict, session = R3Session(memory), R3Session(memory, on_error="log")
    memory.close()
    agent = Agent("helper", model=ScriptedModel(said("Hello.")))
    with pytest.raises(StoreError):
        await Runner.run(agent, "Hello.", session=strict)
    answer = await ask(agent, "Hello.", session, on_error="log")
    assert answer.final_output == "Hello."
    logged = {record.message for record in caplog.records if record.name.startswith("r3mem")}
    assert logged == {
        "the history was not read",
        "what was said was not stored",
        "nothing was recalled",
    }


def test_wrong_options_are_named(memory: CompressiveMemory) -> None:
    session = R3Session(memory)
    wrong: list[tuple[Any, dict[str, Any]]] = [
        (partial(R3Session, memory), {"session_id": ""}),
        (partial(R3Session, memory), {"user_id": " "}),
        (partial(R3Session, memory), {"expires": 3}),
        (partial(R3Session, memory), {"on_error": "ignore"}),
        (partial(recall_filter, session), {"k": 0}),
        (partial(recall_filter, session), {"token_budget": -1}),
        (partial(recall_filter, session), {"where": {"nothing": 1}}),
        (partial(recall_filter, session), {"recall_from": "thread"}),
        (partial(recall_filter, session), {"on_error": "ignore"}),
        (partial(as_tools, session), {"k": 0}),
        (partial(as_tools, session), {"recall_from": "thread"}),
    ]
    for make, options in wrong:
        [name] = options
        with pytest.raises(InvalidInputError, match=name.removesuffix("_id")):
            make(**options)


def test_the_example_tells_its_users_apart_and_remembers() -> None:
    def run(*arguments: str) -> str:
        script = Path(__file__).parents[2] / "examples" / "openai_agents_agent.py"
        command = [sys.executable, str(script), "--db", "agent.db", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    talks = run()
    assert 'user: "My dog is called Biscuit' in talks
    assert 'user: "On Friday we drive to Lisbon' in talks
    assert "alice: 8 turns remembered" in talks
    later = run("--user", "bob", "What is my dog called?")
    assert "Rex" in later
    assert "Biscuit" not in later
