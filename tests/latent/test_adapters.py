"""LangChain and LlamaIndex over a latent memory, and the example."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
)
from langgraph.checkpoint.memory import InMemorySaver
from llama_index.core.base.llms.types import ChatMessage as LlamaMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer

from r3mem_agents import CompressiveMemory
from r3mem_agents.latent import LatentChat, LatentMemory
from r3mem_langchain import R3LatentChatModel, R3MemoryMiddleware
from r3mem_llamaindex import R3LatentLLM
from tests.latent.families import TOKENS, base, memory_on, tokenizer

ROOT = Path(__file__).parents[2]
TALK = [f"Day {i}: it rained in Lisbon." for i in range(8)]


@pytest.fixture
def chat(llama: LatentMemory) -> LatentChat:
    return LatentChat(llama, recent=60, max_new_tokens=4)


def history(count: int) -> list[Any]:
    said = [HumanMessage(f"It rained on day {i}.") for i in range(count)]
    answers = [AIMessage([{"type": "text", "text": "Yes."}]) for _ in said[1:]]
    pairs = [message for pair in zip(said, answers, strict=False) for message in pair]
    return [SystemMessage("Be brief."), *pairs, said[-1]]


def test_langchains_messages_are_answered_as_what_they_say(chat: LatentChat) -> None:
    told = [{"role": "system", "content": "Be brief."}]
    for message in history(9)[1:]:
        role = "user" if isinstance(message, HumanMessage) else "assistant"
        told.append({"role": role, "content": str(message.text)})
    assert chat.split(told)[0]
    wanted = chat.answer(told)
    model = R3LatentChatModel(latent=chat)
    assert model.invoke(history(9)).text == wanted
    stopped = model.invoke(history(9), stop=[wanted[2:]])
    assert stopped.text == wanted[:2]


def test_langchains_other_messages_have_their_roles(chat: LatentChat) -> None:
    told = [
        ChatMessage(content="It rained.", role="user"),
        AIMessageChunk(content="Yes."),
        HumanMessageChunk(content="Where?"),
    ]
    plain = [HumanMessage("It rained."), AIMessage("Yes."), HumanMessage("Where?")]
    model = R3LatentChatModel(latent=chat)
    assert model.invoke(told).text == model.invoke(plain).text


async def test_langchain_asks_in_a_thread_too(chat: LatentChat) -> None:
    model = R3LatentChatModel(latent=chat)
    assert (await model.ainvoke(history(3))).text == model.invoke(history(3)).text


def test_an_agents_thread_becomes_memory_tokens_beside_what_is_recalled(
    chat: LatentChat,
) -> None:
    with CompressiveMemory(":memory:", user="alice") as facts:
        facts.remember("user", "My dog is called Biscuit.", session="sunday")
        agent: Any = create_agent(
            R3LatentChatModel(latent=chat),
            middleware=[R3MemoryMiddleware(facts, k=2)],
            checkpointer=InMemorySaver(),
        )
        for text in [*TALK, "What is my dog called?"]:
            told = agent.invoke(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": "monday", "user_id": "alice"}},
            )
        assert facts.scoped(user="alice").stats().turns == 2 * len(TALK) + 3
    assert len(told["messages"]) == 2 * len(TALK) + 2
    assert chat.compressed.tokens >= TOKENS


def test_a_chat_engines_history_becomes_memory_tokens(chat: LatentChat) -> None:
    llm = R3LatentLLM(latent=chat)
    engine = SimpleChatEngine.from_defaults(
        llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm), system_prompt="Be brief."
    )
    answers = [str(engine.chat(text)) for text in TALK]
    assert all(isinstance(answer, str) for answer in answers)
    assert len(engine.chat_history) == 2 * len(TALK)
    assert chat.compressed.tokens >= TOKENS


def test_llamaindex_gets_an_answer_whole_or_as_a_stream(chat: LatentChat) -> None:
    llm = R3LatentLLM(latent=chat)
    assert llm.complete("It").text == chat.memory.generate(None, "It", max_new_tokens=4)
    assert [part.delta for part in llm.stream_complete("It")] == [llm.complete("It").text]
    asked = [LlamaMessage("Where?", role="user")]
    wanted = chat.answer([{"role": "user", "content": "Where?"}])
    assert llm.chat(asked).message.content == wanted
    assert [part.delta for part in llm.stream_chat(asked)] == [wanted]


def test_the_example_runs_with_the_folder_of_a_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, where what it imports is loaded already."""
    base("llama").save_pretrained(tmp_path / "base")
    tokenizer().save_pretrained(tmp_path / "base")
    memory_on("llama").save(tmp_path / "adapter")
    folders = ["--base", str(tmp_path / "base"), "--adapter", str(tmp_path / "adapter")]
    monkeypatch.setattr(
        "sys.argv", ["latent_agent.py", *folders, "--recent", "100", "--words", "4"]
    )
    runpy.run_path(str(ROOT / "examples" / "latent_agent.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.count("you: ") == 6
    assert "of 12 messages in the prompt, the rest as memory tokens" in printed
    assert not printed.endswith("0 for 0 tokens of text\n")
