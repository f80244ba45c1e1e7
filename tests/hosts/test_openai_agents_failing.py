"""What fails under agents of OpenAI's Agents SDK, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, Runner
from agents.exceptions import UserError
from agents.testing import ScriptedModel, function_call

from r3mem_agents import CompressiveMemory, InvalidInputError, StoreError
from r3mem_agents.types import NOBODY
from r3mem_openai_agents import R3Session, as_tools, recall_filter
from tests.hosts.openai_agents_runs import ask, said

USER = NOBODY


async def test_half_a_character_does_not_end_a_run(memory: CompressiveMemory) -> None:
    session = R3Session(memory)
    agent = Agent("helper", model=ScriptedModel(said("A \ud83e.")))
    await Runner.run(agent, "What is it? \ud83e", session=session)
    assert [turn.text for turn in memory.history()] == ["What is it? \ufffd", "A \ufffd."]


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
