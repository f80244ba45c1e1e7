#!/usr/bin/env bash
# Strands' memory manager saves what was said in a task of its own, and each save first awaits the
# one before. Where an event loop ends with the answer, as in asyncio.run(agent.invoke_async(...)),
# the save is cancelled. That it is lost is documented; but from then on every save awaits a
# cancelled task, and so is cancelled too: the agent saves nothing any more, also where it is called
# as agent(...), which flushes. No error, no line in a log. One would expect the next save to go on.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check strands-agents==1.62.0
"$folder/venv/bin/python" -W ignore - <<'PY'
import asyncio
import sys
from importlib.metadata import version

from strands import Agent
from strands.memory import ExtractionConfig, InvocationTrigger, MemoryManager, MemoryStore
from strands.models import Model


class Noting(Model):
    async def stream(self, messages, *_, **__):
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": "Noted."}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}

    def get_config(self):
        return {}

    def update_config(self, **_): ...

    def structured_output(self, *_, **__): ...


class Listed(MemoryStore):
    name, description, max_search_results, writable = "listed", None, None, True
    extraction = ExtractionConfig(trigger=InvocationTrigger())

    def __init__(self):
        self.saved = []

    async def search(self, query, options=None):
        return []

    async def add_messages(self, messages, context=None):
        await asyncio.sleep(0.01)  # a file, or a server
        self.saved += [one["content"][0]["text"] for one in messages if one["role"] == "user"]


def saved(first_in_a_loop_that_ends):
    store = Listed()
    manager = MemoryManager(stores=[store], injection=False)
    agent = Agent(Noting(), memory_manager=manager, callback_handler=None)
    if first_in_a_loop_that_ends:
        asyncio.run(agent.invoke_async("one"))
    else:
        agent("one")
    agent("two")
    agent("three")
    return store.saved


plain, cut = saved(False), saved(True)
print(f"strands-agents {version('strands-agents')}: three messages to an agent, one after the other")
print(f"expected, if the first save is cut off: ['two', 'three'], if not ['one', 'two', 'three']: {plain}")
print(f"seen, if it is cut off: {cut}")
sys.exit(0 if plain == ["one", "two", "three"] and cut == [] else 1)
PY
