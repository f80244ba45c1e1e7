"""Google's Agent Development Kit with a memory that returns what was said, byte for byte.

``R3MemoryService`` is the ``memory_service=`` of a ``Runner``; extra ``adk``.
"""

from r3mem_agents.prompts import check_host

check_host("google-adk", "adk", 2)

from r3mem_adk.service import R3MemoryService  # noqa: E402

__all__ = ["R3MemoryService"]
