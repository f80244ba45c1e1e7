"""An agent of Google's ADK that remembers its users across sessions and processes.

$ pip install 'r3mem-agents[adk]'
$ python examples/adk_agent.py    # offline: it quotes what it recalls; or --model gemini-2.5-flash
With ``--db agent.db`` another run knows what was said; ``--user bob "What is my dog called?"``
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
from collections.abc import AsyncGenerator

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import load_memory, preload_memory
from google.genai.types import Content, Part

from r3mem_adk import R3MemoryService
from r3mem_agents import CompressiveMemory

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("bob", "tuesday", "My dog is called Rex. He fears nothing."),
    ("alice", "thursday", "What is my dog called?"),
    ("bob", "thursday", "What is my dog called?"),
]


class Quoting(BaseLlm):
    """Answers a question with the best of what preload_memory put into the prompt."""

    model: str = "quoting"

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Quote what the user said, unless it was a question too."""
        texts = [part.text or "" for one in llm_request.contents for part in one.parts or ()]
        said = re.findall(r"^Time: (\S+)\nuser: (.*[^?\n])$", "\n".join(texts), re.MULTILINE)
        quote = f'On {said[0][0][:10]} you said: "{said[0][1]}"' if said else "I do not know."
        part = Part(text=quote if texts[-1].endswith("?") else "Noted.")
        yield LlmResponse(content=Content(role="model", parts=[part]))


async def main() -> None:
    """Hold the talks, or ask one question."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("question", nargs="?", help="ask this instead of holding the talks")
    parser.add_argument("--user", default="alice", help="who asks")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    parser.add_argument("--model", help="a model of Google's; the key is in GOOGLE_API_KEY")
    options = parser.parse_args()
    logging.getLogger("google_adk").setLevel(logging.ERROR)  # it misses counts of tokens
    agent = LlmAgent(
        name="helper", model=options.model or Quoting(), tools=[preload_memory, load_memory],
        instruction="You are brief. Use what is recalled from memory.",
        after_agent_callback=lambda callback_context: callback_context.add_session_to_memory(),
    )  # fmt: skip
    talks = [(options.user, "now", options.question)] if options.question else TALKS
    with CompressiveMemory(options.db) as memory:
        runner = Runner(
            app_name="example", agent=agent, session_service=InMemorySessionService(),
            memory_service=R3MemoryService(memory), auto_create_session=True,
        )  # fmt: skip
        for user, day, text in talks:
            print(f"[{user}, {day}] {text}")
            said = Content(role="user", parts=[Part(text=text)])
            async for event in runner.run_async(user_id=user, session_id=day, new_message=said):
                if event.is_final_response() and event.content and event.content.parts:
                    print(f"    {event.content.parts[0].text}")


if __name__ == "__main__":
    asyncio.run(main())
