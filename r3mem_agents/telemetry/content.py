"""What was said and asked, for those who want it in their traces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.types import Recollection, StoredTurn

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def wanted() -> bool:
    """Return whether the environment asks for content in spans."""
    return os.environ.get(VARIABLE, "").strip().lower() in ("true", "span_only", "span_and_event")


def question(args: Sequence[object], options: Mapping[str, object]) -> str:
    """Return the question of a call, or nothing if it has none."""
    found = options.get("query", args[0] if args else None)
    # Exporters cannot write a lone surrogate, which a lookup is about to refuse.
    return found.encode(errors="replace").decode() if isinstance(found, str) else ""


def records(result: object) -> str:
    """Return the turns of a result as JSON in the form of the conventions, or nothing."""
    found = list(_records(result))
    return json.dumps(found, ensure_ascii=False) if found else ""


def _records(result: object) -> Iterator[dict[str, Any]]:
    match result:
        case list():
            for one in result:
                if isinstance(one, Recollection | StoredTurn):
                    yield from _records(one)
        case Recollection(turn=turn, score=score):
            for record in _records(turn):
                yield {**record, "score": score}
        case StoredTurn(id=turn_id, text=text, metadata=metadata):
            yield {"id": str(turn_id), "content": text, "metadata": dict(metadata)}
        case str():
            yield {"content": result}
