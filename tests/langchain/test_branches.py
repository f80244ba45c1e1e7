"""A host that goes back in a thread, to ask something else or to have it answered anew."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import PrivateAttr

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3MemoryMiddleware, as_tools
from tests.conftest import OpenMemory
from tests.langchain.models import EchoModel, calls, scripted

THREAD: Any = {"configurable": {"thread_id": "t", "user_id": "alice"}}


class Numbered(EchoModel):
    """Gives a new answer each time."""

    _number: count[int] = PrivateAttr(default_factory=lambda: count(1))

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self._asked.append(list(messages))
        answer = AIMessage(f"Answer {next(self._number)}.")
        return ChatResult(generations=[ChatGeneration(message=answer)])


def agent(memory: CompressiveMemory, model: Any) -> Any:
    return create_agent(
        model,
        as_tools(memory),
        middleware=[R3MemoryMiddleware(memory)],
        checkpointer=InMemorySaver(),
    )


def say(graph: Any, text: str, config: Any = THREAD) -> Any:
    """Says it; returns where the thread is then."""
    graph.invoke({"messages": [HumanMessage(text)]}, config)
    return here(graph.get_state(THREAD))


def here(state: Any) -> Any:
    return {"configurable": state.config["configurable"] | THREAD["configurable"]}


def shown(model: Numbered) -> str:
    """What the model was shown last, in the order of the prompt."""
    return "\n".join(message.text for message in model.asked[-1])


def test_what_another_branch_said_is_not_shown_as_the_latest(open_memory: OpenMemory) -> None:
    model = Numbered()
    graph = agent(open_memory(), model)
    fork = say(graph, "One.")
    other = say(graph, "Two.")
    say(graph, "Another two.", fork)
    assert shown(model) == "One.\nAnswer 1.\nAnother two."
    say(graph, "Three.")
    assert shown(model) == "One.\nAnswer 1.\nAnother two.\nAnswer 3.\nThree."
    say(graph, "Back.", other)
    assert shown(model) == "One.\nAnswer 1.\nTwo.\nAnswer 2.\nBack."


@pytest.mark.parametrize("node", ["R3MemoryMiddleware.before_agent", "model"])
def test_who_answers_anew_does_not_see_the_answer_before(
    open_memory: OpenMemory, node: str
) -> None:
    memory = open_memory()
    model = Numbered()
    graph = agent(memory, model)
    say(graph, "One.")
    say(graph, "What comes after the answer?")
    fork = next(state for state in graph.get_state_history(THREAD) if state.next == (node,))
    graph.invoke(None, here(fork))
    assert shown(model) == "One.\nAnswer 1.\nWhat comes after the answer?"
    say(graph, "Which answer was it?")
    assert "Answer 2." not in shown(model)
    texts = [turn.text for turn in memory.scoped(user="alice").history()]
    assert texts[3:5] == ["Answer 2.", "Answer 3."]  # both were said


def test_what_others_put_into_a_thread_is_shown_on_every_branch(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = scripted("Hello.", calls("remember", "c", text="The gate code is 4711."), "Noted.", "?")
    graph = agent(memory, model)
    fork = say(graph, "Good morning.")
    say(graph, "Note the gate code.")
    memory.scoped(user="alice", session="t").remember("assistant", "The parcel has come.")
    say(graph, "What is new?", fork)
    system = model.asked[-1][0].text
    assert "The parcel has come." in system
    assert "The gate code is 4711." in system
    assert "Note the gate code." not in system
