"""An agent of the OpenAI Agents SDK that remembers its users across sessions and processes.

$ pip install 'r3mem-agents[openai-agents]'
$ python examples/openai_agents_agent.py                  # offline: it quotes what it recalls
$ python examples/openai_agents_agent.py --model gpt-5.5

Nothing is left behind unless a file is named; then a later run knows what was said:

$ python examples/openai_agents_agent.py --db agent.db
$ python examples/openai_agents_agent.py --db agent.db --user alice "What is my dog called?"
"""

from __future__ import annotations

import argparse

from agents import Agent, Model, RunConfig, Runner
from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli.chat.extractive import answer
from r3mem_openai_agents import R3Session, as_tools, recall_filter

TALKS = [
    ("alice", "monday", "My dog is called Biscuit, and he is afraid of thunder."),
    ("alice", "monday", "On Friday we drive to Lisbon for a week."),
    ("bob", "tuesday", "My dog is called Rex. He fears nothing."),
    ("alice", "thursday", "What is my dog called?"),
    ("alice", "thursday", "Where do we drive on Friday?"),
    ("bob", "thursday", "What is my dog called?"),
]


def quote(call: ModelCall) -> ModelStep:
    """Answer as the SDK's own scripted model, in words that memory recalled."""
    question = call.input[-1]["content"]
    return ModelStep(output=[assistant_message(answer(question, call.system_instructions or ""))])


def main() -> None:
    """Hold the talks, or ask one question."""
    parser = argparse.ArgumentParser(description="An agent that remembers its users.")
    parser.add_argument("question", nargs="?", help="ask this instead of holding the talks")
    parser.add_argument("--user", default="alice", help="who asks")
    parser.add_argument("--db", default=":memory:", help="the memory's file; none if left out")
    parser.add_argument("--model", help="a model of OpenAI's; the key is in OPENAI_API_KEY")
    options = parser.parse_args()
    talks = [(options.user, "now", options.question)] if options.question else TALKS
    quoting = ScriptedModel([ModelStep.respond(quote)] * len(talks))
    model: str | Model = options.model or quoting
    with CompressiveMemory(options.db) as memory:
        for user, day, text in talks:
            session = R3Session(memory, day, user_id=user)
            agent = Agent(
                "helper",
                instructions="You are brief. Use what is recalled from memory.",
                model=model,
                tools=[*as_tools(session)],
            )
            config = RunConfig(
                call_model_input_filter=recall_filter(session, k=3),
                tracing_disabled=True,  # nothing is sent to OpenAI's traces
            )
            result = Runner.run_sync(agent, text, session=session, run_config=config)
            print(f"[{user}, {day}] {text}\n    {result.final_output}")
        for user in sorted({user for user, _, _ in talks}):
            print(f"{user}: {memory.scoped(user=user).stats().turns} turns remembered")


if __name__ == "__main__":
    main()
