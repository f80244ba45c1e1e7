"""LangGraph's store, kept compressed: an agent's tools put facts into it and search them.

$ pip install 'r3mem-agents[langchain]'
$ python examples/langgraph_store.py                      # offline: it quotes what it finds
$ python examples/langgraph_store.py --model openai:gpt-5.5
"""

from __future__ import annotations

import argparse
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, dynamic_prompt
from langchain_model import add_options, choose

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3Store

FACTS = {
    ("alice", "facts"): {
        "dog": {"text": "Her dog is called Biscuit, and he is afraid of thunder.", "kind": "pet"},
        "trip": {"text": "On Friday she drives to Lisbon for a week.", "kind": "plan"},
        "food": {"text": "She is allergic to peanuts.", "kind": "health"},
    },
    ("bob", "facts"): {"dog": {"text": "His dog is called Rex.", "kind": "pet"}},
}
QUESTIONS = [("alice", "What is the dog called?"), ("bob", "What is the dog called?")]


@dynamic_prompt
def with_facts(request: ModelRequest[dict[str, str]]) -> str:
    """Show the model what the store knows about the user."""
    store, user = request.runtime.store, request.runtime.context["user_id"]
    assert store is not None
    found = store.search((user, "facts"), query=request.messages[-1].text, limit=2)
    lines = [
        f"[{item.updated_at.astimezone():%Y-%m-%d %H:%M}] {user}: {item.value['text']}"
        for item in found
    ]
    return "Be brief. What you know of the user:\n" + "\n".join(lines)


def main() -> None:
    """Put facts, look at them, ask about them."""
    parser = argparse.ArgumentParser(description="LangGraph's store, kept compressed.")
    parser.add_argument("--db", default=":memory:", help="the store's file; none if left out")
    add_options(parser)
    options = parser.parse_args()
    with CompressiveMemory(options.db) as memory:
        store = R3Store(memory)
        for namespace, facts in FACTS.items():
            for key, value in facts.items():
                store.put(namespace, key, value)
        print("namespaces:", store.list_namespaces())
        print("plans:", [item.key for item in store.search(("alice",), filter={"kind": "plan"})])
        agent: Any = create_agent(choose(options), middleware=[with_facts], store=store)
        for user, question in QUESTIONS:
            asked = {"messages": [{"role": "user", "content": question}]}
            answer = agent.invoke(asked, context={"user_id": user})["messages"][-1]
            print(f"[{user}] {question}\n    {answer.text}")
        store.delete(("alice", "facts"), "food")
        print("after deleting one:", sorted(item.key for item in store.search(("alice",))))


if __name__ == "__main__":
    main()
