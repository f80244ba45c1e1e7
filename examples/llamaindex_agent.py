"""A LlamaIndex agent that remembers across sessions, and forgets when it is told to.

Without --model the answers are quotes of what memory recalled, and a tool is called by its name.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile

from _responder_llamaindex import chat_model
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.workflow import Context, JsonSerializer

from r3mem_llamaindex import R3Memory

MONDAY = ["My dog is called Biscuit.", "The vet is Dr. Moreau in Lyon, on the 9th at 10:30."]
FRIDAY = ["What is my dog called?", "When do we see the vet?"]
LATER = ["/forget vet", "When do we see the vet?"]


async def main(folder: str) -> None:
    """Three conversations; the last one goes on from a Context that was written as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--db", default=f"{folder}/r3mem.db", help="file of the memory; one that goes if left out"
    )
    parser.add_argument("--user", default="alice", help="whose memory; nothing crosses a user")
    parser.add_argument("--model", help="name at --base-url, or folder of a Hugging Face model")
    parser.add_argument("--base-url", help="server that speaks OpenAI's protocol")
    options = parser.parse_args()
    llm = chat_model(options.model, options.base_url)

    def remembering(session: str) -> R3Memory:
        return R3Memory.from_defaults(options.db, user=options.user, session=session, llm=llm)

    def forget(about: str) -> str:
        """Forget everything that was said about something."""
        memory = remembering("forgetting").memory
        doomed = [hit.turn.id for hit in memory.recall(about, k=20, min_score=0.3)]
        return f"Forgot {memory.forget(turn_ids=doomed).turns} turns."

    agent = FunctionAgent(
        tools=[forget], llm=llm, system_prompt="You are a helpful assistant with a long memory."
    )

    async def talk(context: Context, messages: list[str], memory: R3Memory | None = None) -> None:
        for message in messages:
            answer = await agent.run(user_msg=message, ctx=context, memory=memory)
            print(f"user: {message}\nassistant: {answer}")

    await talk(Context(agent), MONDAY, remembering("monday"))
    context = Context(agent)
    await talk(context, FRIDAY, remembering("friday"))

    # A Context names its memory and opens it again, here or in another process.
    written = context.to_dict(serializer=JsonSerializer())
    await talk(Context.from_dict(agent, written, serializer=JsonSerializer()), LATER)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(folder))
