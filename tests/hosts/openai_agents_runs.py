"""Runs of OpenAI's Agents SDK with what a scripted model answers."""

from __future__ import annotations

from typing import Any

from agents import Agent, RunConfig, Runner, set_tracing_disabled
from agents.testing import assistant_message

from r3mem_openai_agents import R3Session, recall_filter

set_tracing_disabled(True)


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def said(*texts: str) -> list[Any]:
    """Steps of a model that answers so."""
    return [[assistant_message(text)] for text in texts]


async def ask(agent: Agent, text: str, session: R3Session, **options: Any) -> Any:
    config = RunConfig(call_model_input_filter=recall_filter(session, **options))
    return await Runner.run(agent, text, session=session, run_config=config)
