#!/usr/bin/env bash
# A field that middleware of LangChain's create_agent marks as private (PrivateStateAttr, or
# OmitFromOutput) is left out of what `invoke` returns and of the agent's output schema, but
# `stream(stream_mode="values")` of the same agent yields it in every state, the last one too: LangGraph
# streams all channels of a graph, and applies its output schema only where it invokes. So a server
# that passes the states of a stream on to its client shows it what was meant for nobody.
# `stream(..., output_keys=["messages"])` leaves it out. One would expect the last state of a stream
# to be what `invoke` returns.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    langchain==1.4.7 langchain-core==1.7.2 langgraph==1.2.22
"$folder/venv/bin/python" -W ignore - <<'PY'
import sys
from importlib.metadata import version
from typing import Annotated, NotRequired

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.language_models import FakeListChatModel


class WithProfile(AgentState):
    profile: NotRequired[Annotated[str, PrivateStateAttr]]


class LoadsProfile(AgentMiddleware):
    state_schema = WithProfile

    def before_agent(self, state, runtime):
        return {"profile": "what the server knows about its user"}


model = FakeListChatModel(responses=["Hello."])
agent = create_agent(model, middleware=[LoadsProfile()])
question = {"messages": [("user", "Hi.")]}
invoked = agent.invoke(question)
*_, streamed = agent.stream(question, stream_mode="values")
*_, chosen = agent.stream(question, stream_mode="values", output_keys=["messages"])
print(", ".join(f"{name} {version(name)}" for name in ("langchain", "langgraph")))
print(f"expected the last state of a stream to have the keys that invoke returns: {[*invoked]}")
print(f"seen: {[*streamed]}; with output_keys: {[*chosen]}")
sys.exit(0 if "profile" in streamed and "profile" not in {*invoked, *chosen} else 1)
PY
