"""The OpenAI Agents SDK with a memory that compresses turns and returns them byte for byte.

- ``R3Session``: ``session=`` of ``Runner.run``: the items of a conversation.
- ``recall_filter``: ``call_model_input_filter=`` of ``RunConfig``: older turns of the user that
  help with what is said now.
- ``as_tools``: ``remember``, ``recall``, ``forget`` and ``pin`` as tools of an agent.
"""

from __future__ import annotations

from r3mem_agents.prompts import check_host

check_host("openai-agents", "openai-agents", 0)

from r3mem_openai_agents.recalling import recall_filter  # noqa: E402
from r3mem_openai_agents.session import R3Session  # noqa: E402
from r3mem_openai_agents.tools import as_tools  # noqa: E402

__all__ = ["R3Session", "as_tools", "recall_filter"]
