"""An agent of Microsoft Agent Framework that remembers its users from one session to the next.

$ pip install 'r3mem-agents[agent-framework]'
$ python examples/agent_framework_agent.py     # offline: the model quotes what memory recalled
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)

from r3mem_agent_framework import R3ContextProvider, R3HistoryProvider
from r3mem_agents import CompressiveMemory

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("bob", "monday", "My dog is called Rex."),
    ("alice", "friday", "What is my dog called?"),
    ("bob", "friday", "What is my dog called?"),
]


class QuotingClient(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """Stands in for a model: it quotes the first line that was recalled for it."""

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **_: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        assert not stream
        lines = str(options.get("instructions", "")).splitlines()
        quoted = next((line for line in lines if line.startswith("[")), "nothing yet")
        return self._answer(f"(no model is at work) I remember: {quoted}")

    async def _answer(self, text: str) -> ChatResponse[Any]:
        return ChatResponse(messages=[Message("assistant", [text])])


async def talk(memory: CompressiveMemory) -> None:
    """Two users talk to one agent, in two sessions each."""
    agent = Agent(
        QuotingClient(),
        instructions="Be brief.",
        context_providers=[R3HistoryProvider(memory), R3ContextProvider(memory)],
    )
    for user, day, said in TALKS:
        session = agent.create_session(session_id=f"{user}-{day}")
        session.state["user_id"] = user
        answer = await agent.run(said, session=session)
        print(f"{user}, {day}: {said}\n  {answer.text}")


def main() -> None:
    """Talk, and say what is kept."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    with CompressiveMemory(parser.parse_args().db) as memory:
        asyncio.run(talk(memory))
        for user in ("alice", "bob"):
            print(f"{user}: {memory.scoped(user=user).stats().turns} turns kept")


if __name__ == "__main__":
    main()
