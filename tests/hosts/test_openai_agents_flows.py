"""What goes wrong in a run leaves in ``R3Session`` what it leaves in the host's own session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    RunConfig,
    Runner,
    RunState,
    SQLiteSession,
    function_tool,
    input_guardrail,
    output_guardrail,
    set_tracing_disabled,
)
from agents.memory import SessionABC
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from r3mem_agents import CompressiveMemory
from r3mem_openai_agents import R3Session

set_tracing_disabled(True)

DONE = [assistant_message("Done.")]


def call(tool: str, number: int = 1, **arguments: str) -> Any:
    return [function_call(tool, arguments, call_id=f"c{number}")]


@function_tool(failure_error_function=None)
def fail() -> str:
    """Fail."""
    raise RuntimeError("boom")


@function_tool(needs_approval=True)
def dare() -> str:
    """Do what needs approval."""
    return "Dared."


@function_tool
def look() -> str:
    """Look."""
    return "A fox."


@input_guardrail
async def refuse_input(*_: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


@output_guardrail
async def refuse_output(*_: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


async def a_tool_fails(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([call("fail"), DONE]), tools=[fail])
    with pytest.raises(AgentsException):
        await Runner.run(agent, "Try.", session=session)
    await Runner.run(agent, "Go on.", session=session)


async def a_model_fails(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([RuntimeError("no model"), DONE]))
    with pytest.raises(RuntimeError):
        await Runner.run(agent, "Try.", session=session)
    await Runner.run(agent, "Go on.", session=session)


async def a_run_is_cancelled(session: SessionABC) -> None:
    reached = asyncio.Event()

    async def wait(_: Any) -> Any:
        reached.set()
        await asyncio.sleep(60)

    agent = Agent("helper", model=ScriptedModel([ModelStep.respond(wait), DONE]))
    task = asyncio.create_task(Runner.run(agent, "Try.", session=session))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await Runner.run(agent, "Go on.", session=session)


async def a_stream_is_left(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([call("look"), DONE, DONE]), tools=[look])
    run = Runner.run_streamed(agent, "Try.", session=session)
    async for _ in run.stream_events():
        run.cancel(mode="after_turn")
    await Runner.run(agent, "Go on.", session=session)


async def a_run_waits_for_approval(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([call("dare"), DONE]), tools=[dare])
    run = await Runner.run(agent, "Try.", session=session)
    state = await RunState.from_json(agent, run.to_state().to_json())
    for one in state.get_interruptions():
        state.approve(one)
    await Runner.run(agent, state, session=session)


async def a_run_has_too_many_turns(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([call("look"), call("look", 2)]), tools=[look])
    with pytest.raises(AgentsException):
        await Runner.run(agent, "Try.", session=session, max_turns=2)


async def guardrails_refuse(session: SessionABC) -> None:
    model = ScriptedModel([DONE, DONE])
    for options in ({"input_guardrails": [refuse_input]}, {"output_guardrails": [refuse_output]}):
        agent = Agent("helper", model=model, **options)
        with pytest.raises(AgentsException):
            await Runner.run(agent, "Try.", session=session)


async def a_history_is_nested(session: SessionABC) -> None:
    model = ScriptedModel([call("look"), call("transfer_to_vet", 2), DONE, DONE])
    vet = Agent("vet", model=model)
    desk = Agent("desk", model=model, tools=[look], handoffs=[vet])
    config = RunConfig(nest_handoff_history=True)
    await Runner.run(desk, "Try.", session=session, run_config=config)
    await Runner.run(vet, "Go on.", session=session)


async def nothing_is_said(session: SessionABC) -> None:
    agent = Agent("helper", model=ScriptedModel([[assistant_message("")], DONE]))
    await Runner.run(agent, "", session=session)
    await Runner.run(agent, [], session=session)


FLOWS: list[Callable[[SessionABC], Awaitable[None]]] = [
    a_tool_fails,
    a_model_fails,
    a_run_is_cancelled,
    a_stream_is_left,
    a_run_waits_for_approval,
    a_run_has_too_many_turns,
    guardrails_refuse,
    a_history_is_nested,
    nothing_is_said,
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
async def test_a_session_holds_what_the_hosts_own_does(
    flow: Callable[[SessionABC], Awaitable[None]],
) -> None:
    own = SQLiteSession("s")
    await flow(own)
    with CompressiveMemory("memory.db") as memory:
        ours = R3Session(memory, "s")
        await flow(ours)
        items = await own.get_items()
        assert await ours.get_items() == items
    assert items
    own.close()
