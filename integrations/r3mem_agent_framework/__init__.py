"""Microsoft Agent Framework with a memory that gives every message back byte for byte.

- ``R3ContextProvider``: recalls before an agent's run, and remembers what is said in it.
- ``R3HistoryProvider``: the messages of a session, all of them, as they were.
"""

from __future__ import annotations

from r3mem_agents.prompts import check_host

check_host("agent-framework-core", "agent-framework", 1)

from r3mem_agent_framework.context import R3ContextProvider  # noqa: E402
from r3mem_agent_framework.history import R3HistoryProvider  # noqa: E402

__all__ = ["R3ContextProvider", "R3HistoryProvider"]
