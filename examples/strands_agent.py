"""A Strands agent that remembers its users across sessions and processes.

$ pip install 'r3mem-agents[strands]'
$ python examples/strands_agent.py                  # offline: it quotes what it recalls
$ python examples/strands_agent.py --model MODEL    # one of Amazon Bedrock

With ``--db agent.db`` another run knows what was said; ``--user bob "What is my dog called?"``
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from strands import Agent
from strands.memory import MemoryManager
from strands.models import Model
from strands.types.content import Messages
from strands.types.streaming import StreamEvent

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli.chat.extractive import answer
from r3mem_strands import R3MemoryStore, dated

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("alice", "monday", "On Friday we drive to Lisbon for a week."),
    ("bob", "tuesday", "My dog is called Rex. He fears nothing."),
    ("alice", "thursday", "What is my dog called?"),
    ("alice", "thursday", "Where do we drive on Friday?"),
    ("bob", "thursday", "What is my dog called?"),
]


class Quoting(Model):
    """Answers in words that memory recalled."""

    def update_config(self, **_: Any) -> None:
        """Do nothing."""

    def get_config(self) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    async def structured_output(self, *_: Any, **__: Any) -> AsyncGenerator[dict[str, Any], None]:
        """It has no structure."""
        raise NotImplementedError
        yield {}

    async def stream(self, messages: Messages, *_: Any, **__: Any) -> AsyncIterable[StreamEvent]:
        """Quote what was injected behind the question."""
        question, *injected = [block.get("text", "") for block in messages[-1]["content"]]
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": answer(question, "\n".join(injected))}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


def main() -> None:
    """Hold the talks, or ask one question."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("question", nargs="?", help="ask this instead of holding the talks")
    parser.add_argument("--user", default="alice", help="who asks")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    parser.add_argument("--model", help="one of Amazon Bedrock, with credentials at hand")
    options = parser.parse_args()
    talks = [(options.user, "now", options.question)] if options.question else TALKS
    with CompressiveMemory(options.db) as memory:
        for user, day, text in talks:
            store = R3MemoryStore(memory.scoped(user=user, session=day))
            manager = MemoryManager(stores=[store], injection={"format": dated})
            model = options.model or Quoting()
            agent = Agent(model, memory_manager=manager, callback_handler=None)
            print(f"[{user}, {day}] {text}\n    {str(agent(text)).strip()}")


if __name__ == "__main__":
    main()
