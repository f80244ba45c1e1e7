"""Strands Agents with a memory that returns what was said, byte for byte.

- ``R3MemoryStore``: a store of a ``MemoryManager``: an agent's talks, and what is added to them.
- ``dated``: ``format=`` of the manager's ``injection``: who said what is injected, and when.
- ``AfterAnswer``: when the host hands over what was said, for an ``ExtractionConfig`` of your own.

They need the extra ``strands``.
"""

from r3mem_agents.prompts import check_host

check_host("strands-agents", "strands", 1)

from r3mem_strands.handing_over import AfterAnswer  # noqa: E402
from r3mem_strands.injecting import dated  # noqa: E402
from r3mem_strands.store import R3MemoryStore  # noqa: E402

__all__ = ["AfterAnswer", "R3MemoryStore", "dated"]
