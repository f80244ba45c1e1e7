from __future__ import annotations

import copy
import logging
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, SummarizationMiddleware
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from r3mem_langchain import R3MemoryMiddleware, as_tools
from tests.conftest import OpenMemory
from tests.langchain.models import ScriptedModel, calls, scripted

BOTH = pytest.mark.parametrize("mode", ["sync", "async"])


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"It rains in {city}."


@dataclass
class Context:
    user_id: str


def agent(model: ScriptedModel, *middleware: Any, **options: Any) -> Any:
    return create_agent(model, [weather], middleware=middleware, **options)


def said(*texts: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text) for text in texts]}


def thread(name: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": name}}


def texts(memory: CompressiveMemory, session: str | None = None) -> list[str]:
    return [turn.text for turn in memory.history(session)]


async def run(graph: Any, mode: str, *given: Any, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = (
        graph.invoke(*given, **options)
        if mode == "sync"
        else await graph.ainvoke(*given, **options)
    )
    return found


@BOTH
async def test_an_agent_remembers_across_threads(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory(user="alice")
    model = scripted("Noted.", "Biscuit.", "Yes.")
    graph = agent(model, R3MemoryMiddleware(memory, k=2), system_prompt="Be brief.")
    await run(graph, mode, said("My dog is called Biscuit."), thread("a"))
    found = await run(graph, mode, said("What is my dog called?"), thread("b"))
    assert texts(memory, "a") == ["My dog is called Biscuit.", "Noted."]
    assert texts(memory, "b") == ["What is my dog called?", "Biscuit."]
    assert [message.text for message in model.asked[0]] == [
        "Be brief.",
        "My dog is called Biscuit.",
    ]
    system, asked = model.asked[1]
    assert isinstance(system, SystemMessage)
    assert system.text.startswith("Be brief.\n\n<recalled_memory>\n")
    assert "user: My dog is called Biscuit." in system.text
    assert asked.text == "What is my dog called?"
    assert [message.type for message in found["messages"]] == ["human", "ai"]
    assert set(found) == {"messages"}


@BOTH
async def test_the_whole_turn_is_kept(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory()
    model = scripted(calls("weather", "c1", city="Paris"), "Take an umbrella.")
    graph = agent(model, R3MemoryMiddleware(memory, thread_id="t"))
    given = {"messages": [SystemMessage("Rules."), HumanMessage("And now?")]}
    await run(graph, mode, given)
    assert [(turn.role, turn.text) for turn in memory.history("t")] == [
        ("user", "And now?"),
        ("assistant", '[calls weather] {"city": "Paris"}'),
        ("tool", "It rains in Paris."),
        ("assistant", "Take an umbrella."),
    ]


@BOTH
async def test_with_a_checkpointer_nothing_is_shown_or_stored_twice(
    open_memory: OpenMemory, mode: str
) -> None:
    memory = open_memory()
    model = scripted("Noted.", "Biscuit.", "Biscuit.")
    graph = agent(model, R3MemoryMiddleware(memory), checkpointer=InMemorySaver())
    for text in ("My dog is called Biscuit.", "What is my dog called?", "What is my dog called?"):
        await run(graph, mode, said(text), thread("a"))
    assert texts(memory) == [
        "My dog is called Biscuit.",
        "Noted.",
        "What is my dog called?",
        "Biscuit.",
        "What is my dog called?",
        "Biscuit.",
    ]
    assert [message.type for message in model.asked[2]] == ["human", "ai", "human", "ai", "human"]
    state = graph.get_state(thread("a")).values
    assert "r3mem_recalled" not in state
    assert state["r3mem_turn"] == []


def test_without_a_checkpointer_the_window_is_shown(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = scripted("Noted.", "Five.", "Again.")
    graph = agent(model, R3MemoryMiddleware(memory, window=2))
    graph.invoke(said("My dog is called Biscuit."), thread("a"))
    graph.invoke(said("How old is he?"), thread("a"))
    shown = model.asked[1][0].text
    assert shown.index("The latest turns") < shown.index("My dog is called Biscuit.")
    assert "assistant: Noted." in shown
    graph.invoke(said("How old is he?"), thread("b"))
    assert "The latest turns" not in model.asked[2][0].text


def test_a_client_may_send_the_whole_conversation_each_time(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = scripted("One.", "Two.", "Three.")
    graph = agent(model, R3MemoryMiddleware(memory))
    sent: list[dict[str, str]] = []
    for number in range(3):
        sent.append({"role": "user", "content": f"Question {number}?"})
        answer = graph.invoke({"messages": sent}, thread("a"))["messages"][-1]
        sent.append({"role": "assistant", "content": answer.text})
    assert texts(memory) == [message["content"] for message in sent]


async def test_answers_are_streamed(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("user", "My dog is called Biscuit.", session="before")
    graph = agent(scripted("He is called Biscuit.", "Biscuit, I said."), R3MemoryMiddleware(memory))
    parts = list(graph.stream(said("The dog?"), thread("a"), stream_mode="messages"))
    assert len([part for part, _ in parts if part.text]) > 2
    values = [
        value async for value in graph.astream(said("Dog?"), thread("a"), stream_mode="values")
    ]
    assert (values[-1]["r3mem_recalled"], values[-1]["r3mem_turn"]) == ("", [])
    assert texts(memory, "a") == ["The dog?", "He is called Biscuit.", "Dog?", "Biscuit, I said."]


@pytest.mark.parametrize("mode", ["values", "updates"])
def test_a_stream_of_messages_shows_nothing_of_the_memory(
    open_memory: OpenMemory, mode: str
) -> None:
    """As the page on LangChain says it is had."""
    memory = open_memory(user="alice")
    memory.remember("user", "My dog is called Biscuit.", session="before")
    graph = agent(scripted("Biscuit."), R3MemoryMiddleware(memory))
    asked = said("What is my dog called?")
    states = [*graph.stream(asked, stream_mode=mode, output_keys=["messages"])]
    assert states
    assert "r3mem" not in str(states)


def test_blocks_of_a_system_message_stay(open_memory: OpenMemory) -> None:
    memory = open_memory(user="alice")
    memory.remember("user", "My dog is called Biscuit.")
    block = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
    model = scripted("Biscuit.")
    graph = agent(model, R3MemoryMiddleware(memory), system_prompt=SystemMessage([block]))
    graph.invoke(said("The dog?"), thread("a"))
    content: Any = model.asked[0][0].content
    assert content[0] == block
    assert content[1]["text"].startswith("<recalled_memory>")


@BOTH
@pytest.mark.parametrize("keep", [1, 3])
async def test_next_to_a_summary_all_is_kept_once(
    open_memory: OpenMemory, mode: str, keep: int
) -> None:
    memory = open_memory()
    answers: list[str | AIMessage] = []
    expected: list[str] = []
    for number in range(3):
        city = f"City{number}"
        answers += [
            calls("weather", f"a{number}", city=city),
            calls("weather", f"b{number}", city="Rome"),
        ]
        answers.append(f"Answer {number}.")
        expected += [
            f"Question {number}?",
            f'[calls weather] {{"city": "{city}"}}',
            f"It rains in {city}.",
            '[calls weather] {"city": "Rome"}',
            "It rains in Rome.",
            f"Answer {number}.",
        ]
    model = scripted(*answers)
    summary = SummarizationMiddleware(
        scripted(*["A summary."] * 20), trigger=("messages", 4), keep=("messages", keep)
    )
    graph = agent(model, R3MemoryMiddleware(memory), summary, checkpointer=InMemorySaver())
    for number in range(3):
        await run(graph, mode, said(f"Question {number}?"), thread("a"))
    assert any("A summary." in message.text for message in model.asked[-1])
    assert texts(memory) == expected


@BOTH
async def test_a_turn_that_failed_is_written_with_the_next(
    open_memory: OpenMemory, mode: str
) -> None:
    memory = open_memory()
    graph = agent(scripted(), R3MemoryMiddleware(memory), checkpointer=(saver := InMemorySaver()))
    with pytest.raises((RuntimeError, StopIteration)):
        await run(graph, mode, said("Lost?"), thread("a"))
    assert texts(memory) == ["Lost?"]
    graph = agent(scripted("No."), R3MemoryMiddleware(memory), checkpointer=saver)
    await run(graph, mode, said("Are you there?"), thread("a"))
    assert texts(memory) == ["Lost?", "Are you there?", "No."]


@BOTH
async def test_a_turn_that_the_host_runs_again_is_stored_once(
    open_memory: OpenMemory, mode: str
) -> None:
    memory = open_memory()
    graph = agent(scripted("Noted."), R3MemoryMiddleware(memory), checkpointer=InMemorySaver())
    await run(graph, mode, said("My dog is called Biscuit."), thread("a"))
    for state in graph.get_state_history(thread("a")):
        if state.next == ("R3MemoryMiddleware.after_agent",):
            await run(graph, mode, None, state.config)
            break
    else:
        pytest.fail("there was no checkpoint in front of the write")
    assert texts(memory) == ["My dog is called Biscuit.", "Noted."]


@BOTH
async def test_after_an_interrupt_the_turn_is_whole(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory(user="alice")
    memory.remember("user", "My dog Biscuit hates rain.", session="before")
    model = scripted(calls("weather", "c1", city="Paris"), "Rain.")
    saver = InMemorySaver()

    def graph() -> Any:  # as another process would build it
        human = HumanInTheLoopMiddleware({"weather": True})
        return agent(model, R3MemoryMiddleware(memory), human, checkpointer=saver)

    await run(graph(), mode, said("Does it rain on my dog?"), thread("a"))
    assert texts(memory, "a") == ["Does it rain on my dog?"]
    go_on: Any = Command(resume={"decisions": [{"type": "approve"}]})
    await run(graph(), mode, go_on, thread("a"))
    assert texts(memory, "a") == [
        "Does it rain on my dog?",
        '[calls weather] {"city": "Paris"}',
        "It rains in Paris.",
        "Rain.",
    ]
    assert all("Biscuit hates rain" in asked[0].text for asked in model.asked)
    assert len(model.asked) == 2
    assert all(
        "Biscuit" not in repr(kept) for kept in saver.list({"configurable": {"thread_id": "a"}})
    )


def test_what_a_tool_recalls_is_not_stored_again(open_memory: OpenMemory) -> None:
    memory = open_memory(user="alice")
    turn = memory.remember("user", "My dog is called Biscuit.", session="before")
    graph: Any = create_agent(
        scripted(calls("recall", "c", query="dog"), "He is."),
        as_tools(memory),
        middleware=[R3MemoryMiddleware(memory)],
    )
    found = graph.invoke(said("Is he?"), thread("a"))["messages"]
    assert "My dog is called Biscuit." in found[2].text
    assert texts(memory, "a") == ["Is he?", '[calls recall] {"query": "dog"}', "", "He is."]
    assert [hit.turn.id for hit in memory.recall("Biscuit", roles=["user"])][0] == turn.id
    assert "Biscuit" not in str([asdict(turn) for turn in memory.history("a")])


class Broken(CompressiveMemory):
    """Its file went away while it was open."""

    def recall(self, *_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("the disk is gone")

    def remember_many(self, turns: Any, **options: Any) -> Any:
        list(turns)
        raise StoreUnavailableError("the disk is gone")


@BOTH
async def test_failures_are_raised_or_logged(
    tmp_path: Path, model: Any, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(tmp_path / "m.db", model=model)
    saver = InMemorySaver()
    with pytest.raises(StoreUnavailableError, match="gone"):
        await run(agent(scripted("Hi."), R3MemoryMiddleware(broken)), mode, said("Hi."))
    graph = agent(scripted("Hi."), R3MemoryMiddleware(broken, on_error="log"), checkpointer=saver)
    with caplog.at_level(logging.ERROR, "r3mem_langchain"):
        found = await run(graph, mode, said("Hello."), thread("a"))
    assert found["messages"][-1].text == "Hi."
    assert [record.message for record in caplog.records] == [
        "what was said was not stored",
        "nothing was recalled",
        "what was said was not stored",
    ]
    assert "Hello." not in caplog.text
    with CompressiveMemory(tmp_path / "m.db", model=model) as mended:
        graph = agent(scripted("Yes."), R3MemoryMiddleware(mended), checkpointer=saver)
        await run(graph, mode, said("There?"), thread("a"))
        assert texts(mended) == ["Hello.", "Hi.", "There?", "Yes."]
    broken.close()


def test_what_cannot_be_stored_does_not_stop_what_follows(
    open_memory: OpenMemory, caplog: pytest.LogCaptureFixture
) -> None:
    memory = open_memory()
    graph = agent(
        scripted("What?", "Yes."),
        R3MemoryMiddleware(memory, on_error="log"),
        checkpointer=InMemorySaver(),
    )
    graph.invoke(said("\ud800"), thread("a"))
    graph.invoke(said("There?"), thread("a"))
    assert texts(memory) == ["There?", "Yes."]
    assert "surrogate" in caplog.text


def test_wrong_options_are_refused(open_memory: OpenMemory) -> None:
    with pytest.raises(InvalidInputError, match="on_error"):
        R3MemoryMiddleware(open_memory(), on_error="ignore")  # type: ignore[arg-type]
    for option, value in [("k", 0), ("window", -1), ("token_budget", "800")]:
        given: dict[str, Any] = {option: value}
        with pytest.raises(InvalidInputError, match=option):
            R3MemoryMiddleware(open_memory(), on_error="log", **given)
    with pytest.raises(InvalidInputError, match="k is 0"):
        as_tools(open_memory(), k=0)


@pytest.mark.parametrize(
    ("options", "config", "context", "expected"),
    [
        ({}, {}, None, ("alice", "mine")),
        ({"user_id": "bob", "thread_id": "t"}, {}, None, ("bob", "t")),
        ({"user_id": "bob"}, {"user_id": "carol", "thread_id": 7}, None, ("carol", "7")),
        ({}, {"user_id": "carol"}, Context("dave"), ("dave", "mine")),
        ({}, {}, {"user_id": "dave", "thread_id": "u"}, ("dave", "u")),
    ],
)
def test_whose_memory_it_is(
    open_memory: OpenMemory, options: Any, config: Any, context: Any, expected: tuple[str, str]
) -> None:
    memory = open_memory(user="alice", session="mine")
    schema = type(context) if isinstance(context, Context) else dict
    graph = agent(scripted("Yes."), R3MemoryMiddleware(memory, **options), context_schema=schema)
    graph.invoke(said("There?"), {"configurable": config}, context=context)
    user, session = expected
    assert texts(memory.scoped(user=user), session) == ["There?", "Yes."]


def test_copies_and_pickles(tmp_path: Path, model: Any) -> None:
    model.save_pretrained(tmp_path / "model")
    with CompressiveMemory(tmp_path / "m.db", model=tmp_path / "model") as memory:
        middleware: Any = R3MemoryMiddleware(memory, user_id="bob", on_error="log")
        for other in (copy.deepcopy(middleware), pickle.loads(pickle.dumps(middleware))):
            agent(scripted("Yes."), other).invoke(said("There?"), thread("a"))
        assert texts(memory.scoped(user="bob")) == ["There?", "Yes."] * 2
        other.memory.close()
