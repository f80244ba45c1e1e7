"""A chatbot with eight weeks behind it is asked about the first ones.

Prints what memory recalled for each question, and the prompt's tokens beside those of everything
that was said. Without --model the answers are quotes of what memory recalled.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from _responder_llamaindex import chat_model
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.cli.chat.extractive import recalled_turns
from r3mem_llamaindex import R3Memory

START = datetime(2026, 9, 7, 8, 30, tzinfo=UTC)
TOLD = {  # week: what else was said that Monday
    0: ["My dog is called Biscuit, a corgi.", "I am allergic to walnuts, so no pesto for me."],
    1: ["My sister Ana moved to Porto to work for a shipyard."],
    2: ["The spare key is with Mrs. Lindqvist on the third floor."],
}
ASKED = [
    "What is my dog called?",
    "Why should there be no walnuts in the cake?",
    "Who has the spare key?",
    "Which city did Ana move to?",
]
ERRANDS = ["book the dentist", "water the ferns", "call the bank", "fix the bike", "buy stamps"]


def weeks_of_talk() -> list[Turn]:
    """A session each morning, of small talk for the most part."""
    turns: list[Turn] = []
    for day in range(56):
        morning = START + timedelta(days=day)
        errand, minutes = ERRANDS[day % len(ERRANDS)], 10 + day % 7 * 5
        said = [*(TOLD.get(day // 7, []) if day % 7 == 0 else [])]
        said += [f"It is day {day + 1} of the diary. The tram was {minutes} minutes late."]
        said += [f"Remind me to {errand} after lunch, around {1 + day % 4} o'clock."]
        for number, text in enumerate(said):
            time = morning + timedelta(minutes=2 * number)
            session = f"{morning:%Y-%m-%d}"
            reply = "Thank you, I keep that in mind."
            turns.append(Turn(role="user", text=text, session=session, time=time))
            turns.append(Turn(role="assistant", text=reply, session=session, time=time))
    return turns


def main() -> None:
    """Remember the weeks, then ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--db", default=":memory:", help="file of the memory")
    parser.add_argument("--model", help="name at --base-url, or folder of a Hugging Face model")
    parser.add_argument("--base-url", help="server that speaks OpenAI's protocol")
    options = parser.parse_args()

    with CompressiveMemory(options.db, user="alice", session="2026-11-02") as memory:
        turns = memory.remember_many(weeks_of_talk())
        count_tokens = memory.model.count_tokens
        everything = sum(count_tokens(turn.text) for turn in turns)
        print(f"{len(turns)} turns in 56 sessions, {everything:,} tokens")
        today = R3Memory.from_memory(memory, recall_tokens=200)
        llm = chat_model(options.model, options.base_url)
        engine = SimpleChatEngine.from_defaults(memory=today, llm=llm)
        for question in ASKED:
            prompt = [*today.get(input=question), ChatMessage(content=question)]
            text = "\n".join(str(message.content) for message in prompt)
            print(f"\nuser: {question}\nassistant: {engine.chat(question)}")
            for turn in recalled_turns(text):
                print(f"  recalled: {turn.time} {turn.speaker}: {turn.text}")
            print(f"  prompt: {count_tokens(text)} tokens instead of {everything:,}")


if __name__ == "__main__":
    main()
