"""Routes that find turns: for a client to read, or as text for a prompt."""

from __future__ import annotations

from fastapi import APIRouter

from r3mem_agents.server.rest.asking import WITH_TOKEN, Memory, errors
from r3mem_agents.server.rest.shapes import Context, Recall, Recalled, Recollections, Text

routes = APIRouter(tags=["lookups"])


@routes.post("/v1/recall", responses=errors(404, 413), dependencies=WITH_TOKEN)
def recall(question: Recall, memory: Memory) -> Recollections:
    """Find the turns that answer a question, best first; none if nothing is relevant."""
    hits = memory.recall(**question.model_dump())
    found = [Recalled.model_validate(hit) for hit in hits]
    return Recollections.model_validate({"recalled": found, "explanation": hits.explanation})


@routes.post("/v1/context", responses=errors(404, 413), dependencies=WITH_TOKEN)
def context(question: Context, memory: Memory) -> Text:
    """Write what is relevant to a question as text for a prompt, within a budget of tokens."""
    return Text(text=memory.context(**question.model_dump()))
