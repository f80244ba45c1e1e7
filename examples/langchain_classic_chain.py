"""A classic ConversationChain with memory=: what was said in other sessions comes back.

$ pip install 'r3mem-agents[langchain,classic]'
$ python examples/langchain_classic_chain.py              # offline: it quotes what it recalls
$ python examples/langchain_classic_chain.py --model ollama:qwen3
"""

from __future__ import annotations

import argparse
import warnings

from langchain_classic.chains import ConversationChain
from langchain_core._api import LangChainDeprecationWarning
from langchain_model import add_options, choose

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3Memory

TALKS = {
    "monday": [
        "My sister Ana moved to Porto, into a flat above a bakery.",
        "The car goes to the garage on the 12th, it costs 340 euros.",
    ],
    "friday": ["Where did my sister move?", "What does the garage cost?"],
}


def main() -> None:
    """Hold the talks."""
    parser = argparse.ArgumentParser(description="A classic chain that remembers.")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    add_options(parser)
    options = parser.parse_args()
    # Classic chains are on their way out, which is why R3MemoryMiddleware exists.
    warnings.simplefilter("ignore", LangChainDeprecationWarning)
    with CompressiveMemory(options.db, user="alice") as memory:
        for session, talk in TALKS.items():
            remembered = R3Memory(memory=memory.scoped(session=session), k=3)
            chain = ConversationChain(llm=choose(options), memory=remembered)
            for text in talk:
                print(f"[{session}] {text}\n    {chain.invoke(text)['response']}")


if __name__ == "__main__":
    main()
