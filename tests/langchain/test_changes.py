"""Messages that a host edits, removes, sends again, or that a run loses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain.agents.middleware import AgentState, SummarizationMiddleware, before_model
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3MemoryMiddleware
from tests.conftest import OpenMemory
from tests.langchain.models import EchoModel, calls, scripted
from tests.memory.fake_model import FakeModel

THREAD: Any = {"configurable": {"thread_id": "t", "user_id": "alice"}}


def agent(memory: CompressiveMemory, model: Any, *middleware: Any, **options: Any) -> Any:
    return create_agent(model, middleware=[R3MemoryMiddleware(memory), *middleware], **options)


def say(graph: Any, *messages: Any, config: Any = THREAD) -> list[Any]:
    found: list[Any] = graph.invoke({"messages": list(messages)}, config)["messages"]
    return found


def texts(memory: CompressiveMemory) -> list[str]:
    return [turn.text for turn in memory.scoped(user="alice").history()]


def answered(*said: str) -> list[str]:
    return [part for text in said for part in (text, f"You said: {text}")]


class Down(EchoModel):
    """Fails whenever it is asked."""

    def _generate(self, messages: Any, *_: Any, **__: Any) -> Any:
        raise ConnectionError("the provider is down")


# Broken off.


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_what_the_user_said_outlasts_a_run_that_is_broken_off(
    open_memory: OpenMemory, mode: str
) -> None:
    memory = open_memory()
    given = {"messages": [{"role": "user", "content": "My dog is called Biscuit."}]}
    for _ in range(2):  # and is stored once, though it is sent again
        graph = agent(memory, Down())
        with pytest.raises(ConnectionError):
            await graph.ainvoke(given, THREAD) if mode == "async" else graph.invoke(given, THREAD)
        assert texts(memory) == ["My dog is called Biscuit."]
    model = EchoModel()
    say(agent(memory, model), *given["messages"])
    assert texts(memory) == ["My dog is called Biscuit.", "You said: My dog is called Biscuit."]
    assert repr(model.asked[-1]).count("Biscuit") == 1
    say(agent(memory, model), *given["messages"])  # it was answered, so it is said again
    assert texts(memory).count("My dog is called Biscuit.") == 2


def test_a_stream_that_nobody_reads_to_its_end(open_memory: OpenMemory) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel())
    stream = graph.stream({"messages": [HumanMessage("Hi there.")]}, THREAD, stream_mode="messages")
    next(stream)
    stream.close()
    assert texts(memory)[:1] == ["Hi there."]


def test_of_several_unanswered_messages_only_new_ones_are_stored(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first: Any = {"role": "user", "content": "First."}
    with pytest.raises(ConnectionError):
        say(agent(memory, Down()), first)
    second: Any = {"role": "user", "content": "Second."}
    say(agent(memory, EchoModel()), first, second)
    assert texts(memory) == ["First.", "Second.", "You said: Second."]


def test_equal_messages_of_one_history_are_said_twice(open_memory: OpenMemory) -> None:
    memory = open_memory()
    yes: Any = {"role": "user", "content": "Yes."}
    say(agent(memory, EchoModel()), yes, yes)
    assert texts(memory) == ["Yes.", "Yes.", "You said: Yes."]


# Sent again without ids.


def test_a_history_sent_again_is_shown_once(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = EchoModel()
    sent: list[Any] = []
    for number in range(8):
        sent.append({"role": "user", "content": f"My secret number {number} is {number * 111}."})
        answer = say(agent(memory, model), *sent)[-1]
        sent.append({"role": "assistant", "content": answer.text})
        assert not isinstance(model.asked[-1][0], SystemMessage)
    assert texts(memory) == [one["content"] for one in sent]


HISTORY = st.lists(st.sampled_from(["Yes.", "No.", "Biscuit."]), min_size=1, max_size=6)


@given(said=HISTORY, since=st.integers(0, 5))
@settings(max_examples=30)
def test_what_is_not_sent_again_is_shown_from_memory(said: list[str], since: int) -> None:
    # A client that sends its newest messages: each turn is in the prompt once, whoever shows it.
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", model=fake) as memory:
        sent: list[Any] = []
        for text in said:
            model = EchoModel()
            sent.append({"role": "user", "content": text})
            last = sent[-1 - 2 * since :]
            graph = create_agent(
                model, middleware=[R3MemoryMiddleware(memory, k=1, window=50, token_budget=9_000)]
            )
            answer = say(graph, *last)[-1]
            shown = "\n".join(message.text for message in model.asked[-1])
            assert shown.count("You said: ") == len(sent) // 2
            sent.append({"role": "assistant", "content": answer.text})
        told = [turn.text for turn in memory.scoped(user="alice").history()]
        assert told == [one["content"] for one in sent]


def test_tool_calls_that_a_client_leaves_out_do_not_hide_the_match(
    open_memory: OpenMemory,
) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"It rains in {city}."

    memory = open_memory()
    model = scripted(calls("weather", "c", city="Paris"), "Rain.", "Yes.")
    graph = agent(memory, model, tools=[weather])
    question: Any = {"role": "user", "content": "The weather?"}
    say(graph, question)
    answer = {"role": "assistant", "content": "Rain."}
    say(graph, question, answer, {"role": "user", "content": "Sure?"})
    shown = "\n".join(message.text for message in model.asked[-1])
    assert shown.count("The weather?") == 1
    assert shown.count(": Rain.") == 0


# Edited.


@pytest.mark.parametrize("saved", [True, False])
def test_an_edited_message_replaces_what_it_was(open_memory: OpenMemory, saved: bool) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver() if saved else None)
    first = HumanMessage("My dog is called Biscuit.", id="h1")
    answer = say(graph, first)[-1]
    edited = HumanMessage("My dog is called Waffle.", id="h1")
    more = HumanMessage("And now?", id="h2")
    say(graph, edited, *([] if saved else [answer]), more)
    assert texts(memory) == [
        "My dog is called Waffle.",
        "You said: My dog is called Biscuit.",
        "And now?",
        "You said: And now?",
    ]


def test_an_edit_by_update_state(open_memory: OpenMemory) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    [_, answer] = say(graph, HumanMessage("Hello.", id="h1"))
    graph.update_state(THREAD, {"messages": [AIMessage("Corrected.", id=answer.id)]})
    say(graph, HumanMessage("Thanks."))
    assert texts(memory)[:2] == ["Hello.", "Corrected."]


def test_a_client_that_resends_less_of_a_message_edits_nothing(open_memory: OpenMemory) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"It rains in {city}."

    memory = open_memory()
    graph = agent(
        memory, scripted(calls("weather", "c", city="Paris"), "Rain.", "Yes."), tools=[weather]
    )
    first = say(graph, HumanMessage("The weather?", id="h1"))
    less = [type(one)(one.content, id=one.id) for one in first if not isinstance(one, ToolMessage)]
    say(graph, *less, HumanMessage("Sure?"))
    assert '[calls weather] {"city": "Paris"}' in texts(memory)


def test_what_middleware_clears_is_no_edit(open_memory: OpenMemory) -> None:
    @before_model
    def clear(state: AgentState[Any], runtime: Any) -> dict[str, Any]:
        old: list[Any] = state["messages"][:-1]
        return {"messages": [type(one)("[cleared]", id=one.id) for one in old]}

    memory = open_memory()
    graph = agent(memory, EchoModel(), clear, checkpointer=InMemorySaver())
    for text in ("One.", "Two.", "Three."):
        say(graph, HumanMessage(text))
    assert texts(memory) == answered("One.", "Two.", "Three.")


# Removed.


@pytest.mark.parametrize("by", ["input", "update_state"])
def test_what_the_user_removes_is_forgotten(open_memory: OpenMemory, by: str) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    say(graph, HumanMessage("My PIN is 4921.", id="h1"))
    [*_, answer] = say(graph, HumanMessage("Hello.", id="h2"))
    removed = [RemoveMessage(id="h1")]
    if by == "update_state":
        graph.update_state(THREAD, {"messages": removed})
        removed = []
    say(graph, *removed, HumanMessage("Bye."))
    assert "My PIN is 4921." not in texts(memory)
    assert texts(memory)[-4:] == ["Hello.", answer.text, "Bye.", "You said: Bye."]


@pytest.mark.parametrize("by", ["input", "update_state"])
def test_a_thread_that_is_cleared_is_forgotten(open_memory: OpenMemory, by: str) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    other: Any = {"configurable": {"thread_id": "u", "user_id": "alice"}}
    say(graph, HumanMessage("Elsewhere."), config=other)
    for text in ("My PIN is 4921.", "Hello."):
        say(graph, HumanMessage(text))
    removed = [RemoveMessage(id=REMOVE_ALL_MESSAGES)]
    if by == "update_state":
        graph.update_state(THREAD, {"messages": removed})
        removed = []
    say(graph, *removed, HumanMessage("Hi."))
    assert texts(memory) == ["Elsewhere.", "You said: Elsewhere.", "Hi.", "You said: Hi."]


def test_instructions_that_come_with_every_run_are_no_summary(open_memory: OpenMemory) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    say(graph, SystemMessage("Be brief."), HumanMessage("My PIN is 4921."))
    cleared = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    say(graph, cleared, SystemMessage("Be brief."), HumanMessage("Hi."))
    assert texts(memory) == ["Hi.", "You said: Hi."]


@pytest.mark.parametrize("keep", [1, 3])
def test_what_a_summary_takes_out_is_kept_until_the_thread_is_cleared(
    open_memory: OpenMemory, keep: int
) -> None:
    memory = open_memory()
    summary = SummarizationMiddleware(
        scripted(*["A summary."] * 20), trigger=("messages", 4), keep=("messages", keep)
    )
    graph = agent(memory, EchoModel(), summary, checkpointer=InMemorySaver())
    said = [f"Question {number}?" for number in range(5)]
    for text in said:
        state = say(graph, HumanMessage(text))
    assert any("A summary." in message.text for message in state)
    assert texts(memory) == answered(*said)
    say(graph, RemoveMessage(id=REMOVE_ALL_MESSAGES), HumanMessage("Hi."))
    assert texts(memory) == ["Hi.", "You said: Hi."]  # what the summary stood for is gone too


@pytest.mark.parametrize(
    "summary",
    [
        SystemMessage("So far: a dog."),
        HumanMessage("So far: a dog.", additional_kwargs={"lc_source": "summarization"}),
    ],
)
def test_what_a_host_sums_up_between_runs_is_kept(open_memory: OpenMemory, summary: Any) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    say(graph, HumanMessage("My dog is called Biscuit."))
    say(graph, RemoveMessage(id=REMOVE_ALL_MESSAGES), summary, HumanMessage("And?"))
    assert texts(memory)[0] == "My dog is called Biscuit."
    assert "So far: a dog." not in texts(memory)


def test_what_comes_back_under_another_id_is_kept(open_memory: OpenMemory) -> None:
    memory = open_memory()
    graph = agent(memory, EchoModel(), checkpointer=InMemorySaver())
    say(graph, HumanMessage("One."))
    found = say(graph, HumanMessage("Two."))
    trimmed = [type(one)(one.content) for one in found[-2:]]
    say(graph, RemoveMessage(id=REMOVE_ALL_MESSAGES), *trimmed, HumanMessage("Three."))
    assert texts(memory) == ["Two.", "You said: Two.", "Three.", "You said: Three."]


def test_a_run_that_is_broken_off_removes_nothing(open_memory: OpenMemory) -> None:
    @before_model
    def trim(state: AgentState[Any], runtime: Any) -> dict[str, Any]:
        old: list[Any] = state["messages"][:-1]
        return {"messages": [RemoveMessage(id=one.id) for one in old]}

    memory = open_memory()
    saver = InMemorySaver()
    say(agent(memory, EchoModel(), trim, checkpointer=saver), HumanMessage("One."))
    with pytest.raises(ConnectionError):
        say(agent(memory, Down(), trim, checkpointer=saver), HumanMessage("Two."))
    say(agent(memory, EchoModel(), trim, checkpointer=saver), HumanMessage("Three."))
    assert texts(memory) == ["One.", "You said: One.", "Two.", "Three.", "You said: Three."]


# Agents under agents.


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("config", [None, THREAD])
def test_a_sub_agent_writes_nothing(
    open_memory: OpenMemory, outer: bool, saved: bool, config: Any
) -> None:
    memory = open_memory()
    memory.remember("user", "My dog Biscuit hates rain.", session="before")
    model = scripted("It rains.")
    researcher = agent(memory.scoped(user="alice"), model)

    @tool
    def research(topic: str) -> str:
        """Look something up."""
        given = {"messages": [("user", f"Research {topic}, be thorough.")]}
        found = researcher.invoke(given, config)
        return str(found["messages"][-1].text)

    graph: Any = create_agent(
        scripted(calls("research", "c", topic="rain"), "Rain, she says."),
        [research],
        middleware=[R3MemoryMiddleware(memory)] if outer else [],
        checkpointer=InMemorySaver() if saved else None,
    )
    found = say(graph, HumanMessage("Does it rain?"))
    assert found[-1].text == "Rain, she says."
    assert "Research rain, be thorough." in repr(model.asked)
    told = ["Does it rain?", '[calls research] {"topic": "rain"}', "It rains.", "Rain, she says."]
    assert texts(memory) == (told if outer else [])


def test_an_agent_that_is_a_node_of_a_graph_hears_the_user(open_memory: OpenMemory) -> None:
    memory = open_memory()
    builder = StateGraph(MessagesState)
    builder.add_node("support", agent(memory, EchoModel()))
    builder.add_edge(START, "support")
    graph: Any = builder.compile(checkpointer=InMemorySaver())
    for text in ("One.", "Two."):
        say(graph, HumanMessage(text))
    assert texts(memory) == ["One.", "You said: One.", "Two.", "You said: Two."]
