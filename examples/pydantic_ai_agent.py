"""An agent of Pydantic AI that remembers its users across conversations and processes.

$ pip install 'r3mem-agents[pydantic-ai]'
$ python examples/pydantic_ai_agent.py                    # offline: it quotes what it recalls
$ python examples/pydantic_ai_agent.py --model openai:gpt-5.5

Nothing is left behind unless a file is named; then a later run knows what was said:

$ python examples/pydantic_ai_agent.py --db agent.db
$ python examples/pydantic_ai_agent.py --db agent.db --user alice "What is my dog called?"
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass

from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli.chat.extractive import answer
from r3mem_pydantic_ai import R3Memory

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("alice", "monday", "On Friday we drive to Lisbon for a week."),
    ("bob", "tuesday", "My dog is called Rex. He fears nothing."),
    ("alice", "thursday", "What is my dog called?"),
    ("alice", "thursday", "Where do we drive on Friday?"),
    ("bob", "thursday", "What is my dog called?"),
]


@dataclass
class Visit:
    """Who is talking."""

    user: str


def user_of(run: RunContext[Visit]) -> str:
    """The user of a run."""
    return run.deps.user


def quote(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Answer in words that memory recalled."""
    question = str(getattr(messages[-1].parts[-1], "content", ""))
    return ModelResponse([TextPart(answer(question, info.instructions or ""))])


async def main() -> None:
    """Hold the talks, or ask one question."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("question", nargs="?", help="ask this instead of holding the talks")
    parser.add_argument("--user", default="alice", help="who asks")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    parser.add_argument("--model", help="provider and model, as openai:gpt-5.5")
    options = parser.parse_args()
    talks = [(options.user, "now", options.question)] if options.question else TALKS
    with CompressiveMemory(options.db) as memory:
        agent = Agent(
            options.model or FunctionModel(quote),
            deps_type=Visit,
            instructions="You are brief. Use what is recalled from memory.",
            capabilities=[R3Memory(memory, user_id=user_of, k=3)],
        )
        for user, day, text in talks:
            run = await agent.run(text, deps=Visit(user), conversation_id=day)
            print(f"[{user}, {day}] {text}\n    {run.output}")
        for user in sorted({user for user, _, _ in talks}):
            print(f"{user}: {memory.scoped(user=user).stats().turns} turns remembered")


if __name__ == "__main__":
    asyncio.run(main())
