"""An agent of LangChain that remembers its users across threads and processes.

$ pip install 'r3mem-agents[langchain]'
$ python examples/langchain_agent.py                      # offline: it quotes what it recalls
$ python examples/langchain_agent.py --model openai:gpt-5.5

Nothing is left behind unless a file is named; then a later run knows what was said:

$ python examples/langchain_agent.py --db agent.db
$ python examples/langchain_agent.py --db agent.db --user alice "What is my dog called?"
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain_model import add_options, choose
from langgraph.checkpoint.memory import InMemorySaver

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3MemoryMiddleware

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("alice", "monday", "On Friday we drive to Lisbon for a week."),
    ("bob", "tuesday", "My dog is called Rex. He fears nothing."),
    ("alice", "thursday", "What is my dog called?"),
    ("alice", "thursday", "Where do we drive on Friday?"),
    ("bob", "thursday", "What is my dog called?"),
]


@dataclass
class Context:
    """Who is talking."""

    user_id: str


def main() -> None:
    """Hold the talks, or ask one question."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("question", nargs="?", help="ask this instead of holding the talks")
    parser.add_argument("--user", default="alice", help="who asks")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    add_options(parser)
    options = parser.parse_args()
    talks = [(options.user, "now", options.question)] if options.question else TALKS
    with CompressiveMemory(options.db) as memory:
        agent: Any = create_agent(
            choose(options),
            middleware=[R3MemoryMiddleware(memory, k=3)],
            system_prompt="You are brief. Use what is recalled from memory.",
            context_schema=Context,
            checkpointer=InMemorySaver(),
        )
        for user, thread, text in talks:
            answer = agent.invoke(
                {"messages": [{"role": "user", "content": text}]},
                {"configurable": {"thread_id": f"{user} on {thread}"}},
                context=Context(user_id=user),
            )["messages"][-1]
            print(f"[{user}, {thread}] {text}\n    {answer.text}")
        for user in sorted({user for user, _, _ in talks}):
            print(f"{user}: {memory.scoped(user=user).stats().turns} turns remembered")


if __name__ == "__main__":
    main()
