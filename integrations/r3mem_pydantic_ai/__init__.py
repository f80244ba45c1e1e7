"""Pydantic AI with a memory that compresses turns and returns them byte for byte.

``R3Memory`` is a capability of an agent: it recalls before a run, remembers what is said in it, and
has tools; extra ``pydantic-ai``.
"""

from __future__ import annotations

from r3mem_agents.prompts import check_host

check_host("pydantic-ai-slim", "pydantic-ai", 2)

from r3mem_pydantic_ai.capability import R3Memory  # noqa: E402

__all__ = ["R3Memory"]
