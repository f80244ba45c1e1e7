"""A LlamaIndex chat engine that remembers, also in its next process.

$ python examples/llamaindex_chat_engine.py --db alice.db "My dog is called Biscuit."
$ python examples/llamaindex_chat_engine.py --db alice.db "What is my dog called?"

Without --model the answers are quotes of what memory recalled. With one:

$ python examples/llamaindex_chat_engine.py --model qwen3:8b --base-url http://localhost:11434/v1
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress

from _responder_llamaindex import chat_model
from llama_index.core.chat_engine import SimpleChatEngine

from r3mem_llamaindex import R3Memory


def typed() -> Iterator[str]:
    """What is typed, until an empty line or the end."""
    with suppress(EOFError, KeyboardInterrupt):
        while message := input("you: "):
            yield message


def main() -> None:
    """Say each message to the engine; without any, read them from the terminal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("messages", nargs="*", help="what to say; nothing: a conversation")
    parser.add_argument("--db", default=":memory:", help="file of the memory; none if left out")
    parser.add_argument("--user", default="alice", help="whose memory; nothing crosses a user")
    parser.add_argument("--model", help="name at --base-url, or folder of a Hugging Face model")
    parser.add_argument("--base-url", help="server that speaks OpenAI's protocol")
    options = parser.parse_args()

    # No session is named, so this run is a new one; what earlier ones said is recalled.
    memory = R3Memory.from_defaults(options.db, user=options.user)
    engine = SimpleChatEngine.from_defaults(
        memory=memory,
        llm=chat_model(options.model, options.base_url),
        system_prompt="You are a helpful assistant with a long memory.",
    )
    for message in options.messages or typed():
        print("assistant: ", end="")
        for token in engine.stream_chat(message).response_gen:
            print(token, end="", flush=True)
        print()
    stats = memory.memory.stats()
    print(f"[turns: {stats.turns}, sessions: {stats.sessions}, {options.db}]")


if __name__ == "__main__":
    main()
