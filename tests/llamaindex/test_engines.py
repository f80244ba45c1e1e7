"""R3Memory in the host's chat engines, streamed and not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from r3mem_agents import CompressiveMemory
from r3mem_llamaindex import R3Memory, R3Retriever
from tests.llamaindex.scripted import Scripted, numbered

BISCUIT = "My dog is called Biscuit."
QUESTION = "What is my dog called?"


class OneNode(BaseRetriever):
    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text="Lisbon is warm {query_str}."), score=1.0)]


ENGINES: dict[str, Callable[[R3Memory, Scripted], BaseChatEngine]] = {
    "simple": lambda memory, llm: SimpleChatEngine.from_defaults(memory=memory, llm=llm),
    "simple with a prompt": lambda memory, llm: SimpleChatEngine.from_defaults(
        memory=memory, llm=llm, system_prompt="Be kind."
    ),
    "context": lambda memory, llm: ContextChatEngine.from_defaults(
        retriever=OneNode(), memory=memory, llm=llm
    ),
    "condense plus context": lambda memory, llm: CondensePlusContextChatEngine.from_defaults(
        retriever=OneNode(), memory=memory, llm=llm
    ),
}
MODES = ["chat", "stream_chat", "achat", "astream_chat"]


async def say(engine: BaseChatEngine, mode: str, text: str, **options: Any) -> str:
    reply = getattr(engine, mode)(text, **options)
    if mode == "chat":
        return str(reply)
    if mode == "stream_chat":
        return "".join(reply.response_gen)
    if mode == "achat":
        return str(await reply)
    return "".join([token async for token in (await reply).async_response_gen()])


def said(memory: R3Memory) -> list[tuple[str, str]]:
    turns = memory.memory.history()
    return [(turn.role, turn.text) for turn in turns if turn.session == memory.session]


@pytest.fixture(params=ENGINES)
def build(request: pytest.FixtureRequest) -> Callable[[R3Memory, Scripted], BaseChatEngine]:
    return ENGINES[request.param]


@pytest.mark.parametrize("mode", MODES)
async def test_an_engine_remembers_across_sessions(
    memory: CompressiveMemory, build: Any, mode: str
) -> None:
    llm = Scripted(numbered())
    first = R3Memory.from_memory(memory, session="first")
    engine = build(first, llm)
    for number, text in enumerate([BISCUIT, "Yes.", "Yes."], 1):
        assert await say(engine, mode, text) == f"Answer {number}."
    expected = [
        ("user", BISCUIT),
        ("assistant", "Answer 1."),
        ("user", "Yes."),
        ("assistant", "Answer 2."),
        ("user", "Yes."),
        ("assistant", "Answer 3."),
    ]
    assert said(first) == expected
    assert [(m.role, m.content) for m in engine.chat_history] == expected
    shown = [(m.role, m.content) for m in llm.prompts[-1]]
    assert [pair for pair in shown if pair[0] != "system"][-5:] == expected[:5]

    second = R3Memory.from_memory(memory, session="second")
    later = build(second, llm)
    assert await say(later, mode, QUESTION) == "Answer 4."
    text = "\n".join(str(message.content) for message in llm.prompts[-1])
    assert f"] user: {BISCUIT}" in text
    assert llm.prompts[-1][-1].role == "user"
    assert str(llm.prompts[-1][-1].content).endswith(QUESTION)
    assert said(second) == [("user", QUESTION), ("assistant", "Answer 4.")]

    later.reset()
    assert later.chat_history == []
    await say(later, mode, "Still there?")
    assert len(said(second)) == 4


@pytest.mark.parametrize("mode", ["chat", "astream_chat"])
async def test_a_history_given_with_each_message_is_stored_once(
    memory: CompressiveMemory, build: Any, mode: str
) -> None:
    history: list[dict[str, str]] = []  # as a client keeps it: plain text
    for text in [BISCUIT, "Yes.", "Yes."]:
        opened_anew = R3Memory.from_memory(memory, session="s")
        given = [ChatMessage(**message) for message in history]
        answer = await say(build(opened_anew, Scripted(numbered())), mode, text, chat_history=given)
        history += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
        assert said(opened_anew) == [(m["role"], m["content"]) for m in history]
        assert [m.content for m in opened_anew.get_all()] == [m["content"] for m in history]


async def test_an_engine_takes_the_class(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = SimpleChatEngine.from_defaults(llm=Scripted(numbered()), memory_cls=R3Memory)
    assert str(engine.chat("Hello.")) == "Answer 1."
    assert [m.content for m in engine.chat_history] == ["Hello.", "Answer 1."]
    assert (tmp_path / "r3mem.db").exists()


@pytest.mark.parametrize("mode", MODES)
async def test_a_context_engine_retrieves_turns(memory: CompressiveMemory, mode: str) -> None:
    memory.remember("user", BISCUIT, session="earlier")
    llm = Scripted(numbered())
    engine = ContextChatEngine.from_defaults(
        retriever=R3Retriever.from_memory(memory),
        memory=R3Memory.from_memory(memory, session="s", recall_tokens=0),
        llm=llm,
    )
    assert await say(engine, mode, QUESTION) == "Answer 1."
    [prompt] = llm.prompts
    assert str(prompt).count("Biscuit") == 1
    assert f"role: user\n\n{BISCUIT}" in str(prompt[0].content)
    assert [turn.text for turn in memory.history("s")] == [QUESTION, "Answer 1."]


@pytest.mark.parametrize("engine_class", [ContextChatEngine, CondensePlusContextChatEngine])
@pytest.mark.parametrize("mode", MODES)
async def test_a_model_is_asked_though_nothing_is_retrieved(
    memory: CompressiveMemory, mode: str, engine_class: Any
) -> None:
    """At the first message of all, and later among others that do not help."""
    llm = Scripted(numbered())
    engine = engine_class.from_defaults(
        retriever=R3Retriever.from_memory(memory),
        memory=R3Memory.from_memory(memory, session="s", recall_tokens=0),
        llm=llm,
        skip_condense=True,
    )
    for number, text in enumerate(["Hello!", "Quantum chromodynamics.", "Thank you!"], 1):
        assert await say(engine, mode, text) == f"Answer {number}."
        system = str(llm.prompts[-1][0].content)
        assert "Nothing relevant was found in memory." in system
    assert [turn.text for turn in memory.history("s")][:4] == [
        "Hello!",
        "Answer 1.",
        "Quantum chromodynamics.",
        "Answer 2.",
    ]


@pytest.mark.parametrize("mode", MODES)
async def test_an_engine_answers_though_its_memory_is_gone(
    memory: CompressiveMemory, build: Any, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    llm = Scripted(numbered())
    engine = build(R3Memory.from_memory(memory, on_error="log"), llm)
    memory.close()
    with caplog.at_level(logging.ERROR, "r3mem_llamaindex"):
        assert await say(engine, mode, "Hello.") == "Answer 1."
        assert await say(engine, mode, "Still there?") == "Answer 2."
    assert [m.content for m in engine.chat_history] == [
        "Hello.",
        "Answer 1.",
        "Still there?",
        "Answer 2.",
    ]
    talk = [m.content for m in llm.prompts[-1] if m.role != "system"]
    assert talk == ["Hello.", "Answer 1.", "Still there?"]
    assert caplog.records


def test_braces_in_what_was_said_are_left_alone(memory: CompressiveMemory, build: Any) -> None:
    said_earlier = 'The settings are {"depth": 3, "mode": {}}.'
    R3Memory.from_memory(memory, session="earlier").put(ChatMessage(content=said_earlier))
    r3 = R3Memory.from_memory(memory, session="s")
    r3.put_messages([ChatMessage(content="f{x}"), ChatMessage(role="assistant", content="{}")])
    llm = Scripted(numbered())
    build(r3, llm).chat("What are the settings?")
    prompt = "\n".join(str(message.content) for message in llm.prompts[-1])
    assert said_earlier in prompt
    assert "f{x}\n{}\n" in prompt
