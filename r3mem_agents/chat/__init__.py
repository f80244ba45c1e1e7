"""A talk with a memory: what is said is stored, and what helps is put into the prompt."""

from __future__ import annotations

from r3mem_agents.chat.chat import Chat, Reply
from r3mem_agents.chat.models import Message, Responder, choose_responder

__all__ = ["Chat", "Message", "Reply", "Responder", "choose_responder"]
