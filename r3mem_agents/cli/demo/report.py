"""The figures of a demonstration."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from r3mem_agents.cli.demo.meetings import Meetings
from r3mem_agents.cli.demo.run import Answer, Check, Ingestion
from r3mem_agents.types import MemoryStats

VECTOR_DIMENSIONS = 384
"""Width of the vectors of all-MiniLM-L6-v2, the common default of vector stores."""

VECTOR_BYTES = 4 * VECTOR_DIMENSIONS
"""Bytes of one float32 vector."""


def vector_store_bytes(stats: MemoryStats) -> int:
    """The least a vector store holds for the same turns: a float32 vector and the text of each.

    Computed, not measured: identifiers, metadata and the index over the vectors come on top.
    """
    return stats.turns * VECTOR_BYTES + stats.text_bytes


def report(
    meetings: Meetings,
    written: Ingestion,
    read: Check,
    answers: list[Answer],
    stats: MemoryStats,
) -> dict[str, Any]:
    """All figures of the demonstration as JSON, of which what is shown is made."""
    return {
        "source": meetings.source,
        "turns": written.turns,
        "text_bytes": written.text_bytes,
        "write_seconds": round(written.seconds, 3),
        "read_seconds": round(read.seconds, 3),
        "byte_exact_turns": read.exact,
        "stored": asdict(stats),
        "vector_store_bytes_computed": vector_store_bytes(stats),
        "questions": len(answers),
        "questions_with_a_gold_turn": sum(answer.found for answer in answers),
        "recall_ms_p50": round(statistics.median(answer.milliseconds for answer in answers), 2),
        "shown": [_answer_record(answer) for answer in answers if answer.question.shown],
    }


def _answer_record(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question.text,
        "milliseconds": round(answer.milliseconds, 2),
        "hits": [
            {
                "turn_id": hit.turn.id,
                "id": hit.turn.metadata.get("id"),
                "session": hit.turn.session,
                "speaker": hit.turn.name or hit.turn.role,
                "turn": hit.turn.metadata["turn"],
                "turns": hit.turn.metadata["turns"],
                "score": round(hit.score, 4),
                "gold": answer.is_gold(hit),
                "text": hit.text,
            }
            for hit in answer.hits
        ],
    }
