from __future__ import annotations

import json
import pickle
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.load import dumpd
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import create_retriever_tool
from langchain_tests.integration_tests import RetrieversIntegrationTests
from pydantic import ValidationError

from r3mem_agents import CompressiveMemory, Turn
from r3mem_langchain import R3Retriever
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    memory = open_memory(session="s")
    for number in range(4):
        memory.remember("user", f"My dog number {number} is called Biscuit.", name="Alice")
    return memory


class TestStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def filled(self, memory: CompressiveMemory) -> None:
        self.memory = memory

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return R3Retriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"memory": self.memory}

    @property
    def retriever_query_example(self) -> str:
        return "What is my dog called?"


def test_a_document_is_a_turn(memory: CompressiveMemory) -> None:
    turn = memory.remember("assistant", "A cat!", metadata={"mood": "glad"})
    [document] = R3Retriever(memory=memory).invoke("cat", k=1)
    assert document.page_content == "A cat!"
    assert document.metadata.pop("score") > 0
    assert document == Document(
        "A cat!",
        id=f"r3mem:{turn.id}",
        metadata={
            "mood": "glad",
            "turn_id": turn.id,
            "session": "s",
            "role": "assistant",
            "name": None,
            "time": turn.time.isoformat(),
        },
    )


async def test_a_document_says_why_it_was_found(memory: CompressiveMemory) -> None:
    retriever = R3Retriever(memory=memory, explain=True)
    found = retriever.invoke("dog")
    assert await retriever.ainvoke("dog") == found
    hits = memory.recall("dog", explain=True)
    for document, hit in zip(found, hits, strict=True):
        assert hit.explanation is not None
        assert document.metadata["explanation"] == asdict(hit.explanation)
        assert document.metadata.get("superseded_by") == hit.superseded_by
        json.dumps(document.metadata)
    plain = R3Retriever(memory=memory).invoke("dog")
    for document in found:
        del document.metadata["explanation"]
    assert plain == found


async def test_it_filters_as_recall_does(memory: CompressiveMemory) -> None:
    memory.remember("assistant", "Your dog is called Biscuit.", session="t")
    for retriever in (
        R3Retriever(memory=memory, sessions=["t"]),
        R3Retriever(memory=memory, roles=["assistant"]),
    ):
        found = retriever.invoke("dog")
        assert [document.page_content for document in found] == ["Your dog is called Biscuit."]
        assert await retriever.ainvoke("dog") == found
    assert R3Retriever(memory=memory, min_score=0.99).invoke("dog and hamster") == []
    assert len(R3Retriever(memory=memory, level="session").invoke("dog")) == 2
    assert R3Retriever(memory=memory.scoped(user="nobody")).invoke("dog") == []


async def test_now_is_what_last_week_is_before(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    week, tuesday = timedelta(days=7), datetime(2021, 3, 2, 10, tzinfo=UTC)
    texts = ["We painted the fence.", "We went to Lisbon.", "We baked bread."]
    memory.remember_many(
        Turn(role="user", text=text, time=tuesday + number * week)
        for number, text in enumerate(texts)
    )
    question = "What did we do last week?"
    for number, text in enumerate(texts):
        retriever = R3Retriever(memory=memory, now=tuesday + (number + 1) * week)
        found = retriever.invoke(question)
        assert found[0].page_content == text
        assert await retriever.ainvoke(question) == found
    assert R3Retriever(memory=memory).invoke(question) == [], "of the present it is another"


def test_it_stands_in_a_chain_and_as_a_tool(memory: CompressiveMemory) -> None:
    retriever = R3Retriever(memory=memory, k=1)
    chain = retriever | RunnableLambda(lambda found: found[0].page_content)
    assert "Biscuit" in chain.invoke("dog")
    tool = create_retriever_tool(
        retriever, "look", "Looks up.", response_format="content_and_artifact"
    )
    message = tool.invoke(
        {"type": "tool_call", "id": "c", "name": "look", "args": {"query": "dog"}}
    )
    assert message.artifact[0].id.startswith("r3mem:")


def test_it_is_written_as_json_and_pickled(tmp_path: Path, memory: CompressiveMemory) -> None:
    memory.model.save_pretrained(tmp_path / "model")
    with CompressiveMemory(tmp_path / "p.db", user="bob", model=tmp_path / "model") as opened:
        opened.remember("user", "My dog is called Biscuit.")
        retriever = R3Retriever(memory=opened, k=2)
        again = pickle.loads(pickle.dumps(retriever))
        assert again.k == 2
        assert again.invoke("dog") == retriever.invoke("dog") != []
        assert retriever.model_copy(deep=True).memory is opened
        again.memory.close()
    assert dumpd(retriever)["type"] == "not_implemented"  # as of every retriever with a connection


def test_json_opens_the_memory_again(tmp_path: Path) -> None:
    with CompressiveMemory(tmp_path / "base.db", user="bob", session="s") as memory:
        memory.remember("user", "My dog is called Biscuit.")
        retriever = R3Retriever(memory=memory)
        again = R3Retriever.model_validate_json(retriever.model_dump_json())
        assert (again.memory.user, again.memory.session) == ("bob", "s")
        assert again.invoke("dog") == retriever.invoke("dog") != []
        again.memory.close()
    with R3Retriever.model_validate({"memory": tmp_path / "base.db"}).memory as opened:
        assert opened.user == "default"
    with pytest.raises(ValidationError, match="instance of CompressiveMemory"):
        R3Retriever.model_validate({"memory": {"user": "bob"}})
