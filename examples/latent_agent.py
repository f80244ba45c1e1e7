"""An agent with a model of its own: a long thread as memory tokens, facts by ``recall``. Offline.

$ pip install 'r3mem-agents[langchain,latent]'
$ python examples/latent_agent.py --base FOLDER                    # such as SmolLM2-135M-Instruct
$ python examples/latent_agent.py --base FOLDER --adapter runs/mine/adapter

Without an adapter that ``r3mem latent train`` has made, memory tokens have learned nothing.
"""

from __future__ import annotations

import argparse
from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from r3mem_agents import CompressiveMemory
from r3mem_agents.latent import LatentChat, LatentMemory
from r3mem_langchain import R3LatentChatModel, R3MemoryMiddleware

TALK = [
    "My dog is called Biscuit, and he is afraid of thunder. Then he lies under the stairs.",
    "On Friday we drive to Lisbon for a week, by train from Porto and in a friend's old car.",
    "It rained all morning, so we went to the museum of tiles and stayed until it closed. "
    "Afterwards we ate sardines near the castle, and a man played the guitar for half an hour.",
    "Today we took the tram up to Graca, lost our way twice, and found a shop that sells nothing "
    "but buttons. Ana bought eleven of them for a coat that she has not sewn yet.",
    "The sea was too cold for us, but not for Biscuit. He swam after every gull and slept all "
    "evening, and in the night there was thunder, so nobody else did.",
    "What is my dog called?",
]


def main() -> None:
    """Hold the talk, and show what its prompt was made of."""
    parser = argparse.ArgumentParser(description="An agent that remembers by itself.")
    parser.add_argument("--base", required=True, help="folder of a causal language model")
    parser.add_argument("--adapter", help="folder of an adapter for memory tokens")
    parser.add_argument("--recent", type=int, default=64, help="tokens that stay in the prompt")
    parser.add_argument("--words", type=int, default=48, help="tokens of an answer, at most")
    options = parser.parse_args()
    latent = LatentMemory.from_base(options.base, options.adapter)
    chat = LatentChat(latent, recent=options.recent, max_new_tokens=options.words)
    with CompressiveMemory(":memory:", user="alice") as memory:
        agent: Any = create_agent(
            R3LatentChatModel(latent=chat),
            middleware=[R3MemoryMiddleware(memory, k=2)],
            system_prompt="You are brief. Use what is recalled from memory.",
            checkpointer=InMemorySaver(),
        )
        messages: list[Any] = []
        for text in TALK:
            messages = agent.invoke(
                {"messages": [("user", text)]}, {"configurable": {"thread_id": "monday"}}
            )["messages"]
            print(f"you: {text}\n    {messages[-1].text}")
    roles = {"human": "user", "ai": "assistant"}
    older, prompt = chat.split([{"role": roles[m.type], "content": m.text} for m in messages])
    print(f"{len(prompt)} of {len(messages)} messages in the prompt, the rest as memory tokens:")
    state = latent.compress("".join(older))
    print(f"{state.tokens} for {state.source_tokens} tokens of text")


if __name__ == "__main__":
    main()
