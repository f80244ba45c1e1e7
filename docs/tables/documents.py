"""Tables of what lookups find in documents."""

from __future__ import annotations

from collections.abc import Iterator

from docs.tables.recall import SYSTEMS, ours_first, share
from docs.tables.results import Cells, figures, megabytes

RESULT = "documents"
SETS = ["sqlite", "perl", "python", "projects"]


def document_lookups() -> Iterator[Cells]:
    """How many of the gold passages are found, by set."""
    yield "share of the gold passages found", "in 5", "in 10", *(f"{name}, in 5" for name in SETS)
    rows = {SYSTEMS[name]: row for name, row in ours_first(RESULT)}
    ours = SYSTEMS["r3mem"]
    beside = {f"{ours}, a chat beside": figures(RESULT)["beside_talk"]}
    for name, row in {ours: rows[ours], **beside, **rows}.items():
        overall = [row["overall"][f"recall@{depth}"] for depth in (5, 10)]
        by = [row["by_set"][one]["recall@5"] for one in SETS]
        yield name, *map(share, overall + by)


def document_costs() -> Iterator[Cells]:
    """What documents cost every system."""
    yield "", "on disk"
    for name, row in ours_first(RESULT):
        yield SYSTEMS[name], megabytes(row["disk_bytes"], 2)
    text = sum(one["text_bytes"] for one in figures(RESULT)["sets"].values())
    yield "the texts alone", megabytes(text, 2)


def document_sets() -> Iterator[Cells]:
    """What the sets hold."""
    yield "set", "documents", "passages", "text", "questions", "gold passages of a question"
    for name, one in figures(RESULT)["sets"].items():
        counts = [f"{one[what]:,}" for what in ("documents", "passages")]
        gold = f"{one['gold_passages_per_question']:.1f}"
        yield name, *counts, megabytes(one["text_bytes"], 2), f"{one['questions']:,}", gold
