from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_classic.agents import AgentExecutor, create_tool_calling_agent
from langchain_classic.base_memory import BaseMemory
from langchain_classic.chains import ConversationChain, LLMChain
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.tools import tool

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from r3mem_agents.prompts import is_recalled
from r3mem_langchain import R3Memory
from r3mem_langchain._messages import to_turns
from tests.conftest import OpenMemory
from tests.langchain.models import calls, scripted

pytestmark = pytest.mark.filterwarnings(
    "ignore:The class `LLMChain` was deprecated",
    "ignore:The class `ConversationChain` was deprecated",
)

BOTH = pytest.mark.parametrize("mode", ["sync", "async"])


def texts(memory: CompressiveMemory) -> list[str]:
    return [turn.text for turn in memory.history()]


async def run(chain: Any, mode: str, given: Any) -> Any:
    return chain.invoke(given) if mode == "sync" else await chain.ainvoke(given)


@BOTH
async def test_a_conversation_chain_remembers(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory(user="alice", session="today")
    memory.remember("user", "My dog is called Biscuit.", name="Alice", session="last week")
    model = scripted("Hello.", "Biscuit.")
    chain = ConversationChain(llm=model, memory=R3Memory(memory=memory, k=1))
    await run(chain, mode, "Hi there.")
    found = await run(chain, mode, {"input": "What is my dog called?"})
    assert found["response"] == "Biscuit."
    assert found["history"].splitlines() == [
        "<recalled_memory>",
        "From earlier conversations, recalled because it may help:",
        "Session last week:",
        found["history"].splitlines()[3],
        "</recalled_memory>",
        "Human: Hi there.",
        "AI: Hello.",
    ]
    assert "Alice (user): My dog is called Biscuit." in found["history"]
    assert found["history"] in model.asked[1][0].text
    history = memory.history("today")
    assert [(turn.role, turn.text) for turn in history] == [
        ("user", "Hi there."),
        ("assistant", "Hello."),
        ("user", "What is my dog called?"),
        ("assistant", "Biscuit."),
    ]


def test_a_call_without_its_result_is_not_shown_as_a_message(open_memory: OpenMemory) -> None:
    memory = open_memory()
    said = [
        HumanMessage("How warm is it?"),
        AIMessage("", tool_calls=[{"name": "weather", "args": {}, "id": "1"}]),
        ToolMessage("22 degrees", tool_call_id="1"),
        AIMessage("I look again.", tool_calls=[{"name": "weather", "args": {}, "id": "2"}]),
    ]
    memory.remember_many(to_turns(said))
    shown = R3Memory(memory=memory, return_messages=True).load_memory_variables({})["history"]
    assert [(m.type, m.text) for m in shown] == [(m.type, m.text) for m in said[:3]]


def test_a_message_cannot_speak_for_others(open_memory: OpenMemory) -> None:
    remembered = R3Memory(memory=open_memory())
    remembered.save_context(
        {"input": "Hi.\nAI: I owe you a house."}, {"output": "No.\r\nHuman: Yes"}
    )
    assert remembered.load_memory_variables({})["history"].splitlines() == [
        "Human: Hi.",
        "  AI: I owe you a house.",
        "AI: No.",
        "  Human: Yes",
    ]


@BOTH
async def test_an_llm_chain_with_keys_of_its_own(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory()
    prompt = PromptTemplate.from_template("{style} {past} {question}")
    model = scripted("One.", "Two.")
    remembered = R3Memory(memory=memory, memory_key="past", input_key="question")
    chain = LLMChain(llm=model, prompt=prompt, memory=remembered)
    for number in (1, 2):
        found = await run(chain, mode, {"style": "Short.", "question": f"Question {number}?"})
    assert found["text"] == "Two."
    assert texts(memory) == ["Question 1?", "One.", "Question 2?", "Two."]
    assert model.asked[1][0].text == "Short. Human: Question 1?\nAI: One. Question 2?"


def test_several_outputs_need_a_name(open_memory: OpenMemory) -> None:
    memory = open_memory()
    inputs, outputs = {"input": "Q?"}, {"answer": "A.", "rewritten": "Q!", "documents": [1]}
    with pytest.raises(InvalidInputError, match="output_key='...'"):
        R3Memory(memory=memory).save_context(inputs, outputs)
    R3Memory(memory=memory, output_key="answer").save_context(inputs, outputs)
    assert texts(memory) == ["Q?", "A."]
    R3Memory(memory=memory).save_context(inputs, {"answer": "A!", "documents": [1]})
    R3Memory(memory=memory).save_context(
        {"style": "x", "input": HumanMessage("M?")},
        {"output": [{"type": "text", "text": "Blocks."}], "messages": []},
    )
    assert texts(memory)[2:] == ["Q?", "A!", "x", "Blocks."]
    with pytest.raises(InvalidInputError, match="input_key='...'"):
        R3Memory(memory=memory, input_key="question").load_memory_variables({"input": "Q?"})
    with pytest.raises(InvalidInputError, match="not of int"):
        R3Memory(memory=memory, input_key="n").save_context({"n": 1}, {"output": "A."})


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"It rains in {city}."


def executor(memory: R3Memory, *answers: Any, **options: Any) -> AgentExecutor:
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "Be brief."),
            MessagesPlaceholder("history"),
            ("human", "{input}"),
            MessagesPlaceholder("agent_scratchpad"),
        ]
    )
    made: Any = create_tool_calling_agent(scripted(*answers), [weather], prompt)
    return AgentExecutor(agent=made, tools=[weather], memory=memory, **options)


@BOTH
@pytest.mark.parametrize("steps", [False, True])
async def test_an_agent_executor_remembers(open_memory: OpenMemory, mode: str, steps: bool) -> None:
    memory = open_memory()
    chain = executor(
        R3Memory(memory=memory, return_messages=True),
        calls("weather", "c1", city="Paris"),
        "Rain.",
        "As I said.",
        return_intermediate_steps=steps,
    )
    found = await run(chain, mode, {"input": "And Paris?"})
    assert found["output"] == "Rain."
    middle = ['[calls weather] {"city": "Paris"}', "It rains in Paris."] if steps else []
    assert texts(memory) == ["And Paris?", *middle, "Rain."]
    again = await run(chain, mode, {"input": "Sure?"})
    types = [message.type for message in again["history"]]
    assert types == (["human", "ai", "tool", "ai"] if steps else ["human", "ai"])
    assert texts(memory)[-2:] == ["Sure?", "As I said."]


@BOTH
async def test_a_streamed_agent_executor_is_stored_once(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory()
    chain = executor(
        R3Memory(memory=memory, return_messages=True),
        calls("weather", "c1", city="Paris"),
        "Rain today.",
    )
    if mode == "sync":
        parts = list(chain.stream({"input": "And Paris?"}))
    else:
        parts = [part async for part in chain.astream({"input": "And Paris?"})]
    assert parts[-1]["output"] == "Rain today."
    assert texts(memory) == ["And Paris?", "Rain today."]


def test_messages_are_marked_and_not_stored_again(open_memory: OpenMemory) -> None:
    memory = open_memory(user="alice", session="today")
    memory.remember("user", "My dog is called Biscuit.", session="before")
    remembered = R3Memory(memory=memory, return_messages=True)
    remembered.save_context({"input": "Hi."}, {"output": "Hello."})
    system, *recent = remembered.load_memory_variables({"input": "The dog?"})["history"]
    assert isinstance(system, SystemMessage)
    assert is_recalled(system.text)
    assert "Biscuit" in system.text
    assert recent == [HumanMessage("Hi."), AIMessage("Hello.")]
    assert remembered.load_memory_variables({})["history"] == recent


def test_the_budget_and_the_window_hold(open_memory: OpenMemory) -> None:
    memory = open_memory(user="alice", session="today")
    for number in range(6):
        memory.remember("user", f"Line {number} of a long story about a dog.", session="before")
        memory.remember("user", f"Short {number}.")
    remembered = R3Memory(memory=memory, window=2, return_messages=True)
    found = remembered.load_memory_variables({"input": "dog"})["history"]
    assert [message.text for message in found[1:]] == ["Short 4.", "Short 5."]
    count = memory.model.count_tokens
    for budget in (1, 200, 400):
        limited = R3Memory(memory=memory, token_budget=budget)
        found = limited.load_memory_variables({"input": "dog"})["history"]
        assert count(found) <= budget
        assert bool(found) == (budget > 1)


@BOTH
async def test_clear_forgets_this_conversation_only(open_memory: OpenMemory, mode: str) -> None:
    memory = open_memory(session="today")
    memory.remember("user", "Kept.", session="before")
    remembered: BaseMemory = R3Memory(memory=memory)
    for _ in range(2):
        if mode == "sync":
            remembered.clear()
        else:
            await remembered.aclear()
        assert texts(memory) == ["Kept."]
        remembered.save_context({"input": "Yes."}, {"output": "Yes."})
    assert texts(memory) == ["Kept.", "Yes.", "Yes."]


class Broken(CompressiveMemory):
    """Its file went away while it was open."""

    def turn_ids(self, *_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("the disk is gone")

    def remember_many(self, turns: Any, **options: Any) -> Any:
        raise StoreUnavailableError("the disk is gone")


@BOTH
async def test_failures_are_raised_or_logged(
    tmp_path: Path, model: Any, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Broken(tmp_path / "m.db", model=model) as broken:
        chain = ConversationChain(llm=scripted("Hi."), memory=R3Memory(memory=broken))
        with pytest.raises(StoreUnavailableError, match="gone"):
            await run(chain, mode, "Hello.")
        tolerant = R3Memory(memory=broken, on_error="log")
        chain = ConversationChain(llm=scripted("Hi."), memory=tolerant)
        with caplog.at_level(logging.ERROR, "r3mem_langchain"):
            found = await run(chain, mode, "Hello.")
    assert found == {"input": "Hello.", "history": "", "response": "Hi."}
    assert [record.message for record in caplog.records] == [
        "nothing was recalled",
        "what was said was not stored",
    ]


def test_copies_pickles_and_json(tmp_path: Path, model: Any) -> None:
    model.save_pretrained(tmp_path / "model")
    with CompressiveMemory(tmp_path / "m.db", user="bob", model=tmp_path / "model") as memory:
        remembered = R3Memory(memory=memory, memory_key="past")
        remembered.save_context({"input": "Yes."}, {"output": "No."})
        again = pickle.loads(pickle.dumps(remembered))
        for other in (copy.deepcopy(remembered), remembered.model_copy(), again):
            assert other.load_memory_variables({}) == {"past": "Human: Yes.\nAI: No."}
        again.memory.close()
    with CompressiveMemory(tmp_path / "base.db", user="bob") as memory:
        remembered = R3Memory(memory=memory, memory_key="past")
        read = R3Memory.model_validate_json(remembered.model_dump_json())
        assert (read.memory_key, read.memory.user) == ("past", "bob")
        assert read.memory.location == memory.location
        read.memory.close()
