"""Tables of what lookups find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs.tables.results import Cells, figures, megabytes, ms

SYSTEMS = {
    "r3mem": "**r3mem**",
    "bm25": "BM25",
    "ngrams": "BM25 over character n-grams",
    "minilm": "all-MiniLM-L6-v2, in-memory vector store",
    "e5": "multilingual-e5-small, in-memory vector store",
    "splade": "SPLADE-tiny",
    "bm25+minilm": "BM25 + all-MiniLM-L6-v2",
    "bm25+e5": "BM25 + multilingual-e5-small",
    "mem0": "mem0 without a language model, same encoder",
}
CATEGORIES = ["single-hop", "multi-hop", "temporal", "open-domain"]


def headline() -> Iterator[Cells]:
    """What lookups find and take, beside the two usual ways."""
    shown = ["r3mem", "bm25", "minilm"]
    locomo, sets = figures("recall")["systems"], figures("recall-sets")["systems"]
    yield "", *(SYSTEMS[name] for name in shown)
    yield (
        "LoCoMo: share of the gold turns in the first five",
        *(share(locomo[name]["overall"]["recall@5"]) for name in shown),
    )
    yield (
        "facts asked for in other words, in the first five",
        *(share(sets[name]["by_source"]["facts-en"]["recall@5"]) for name in shown),
    )
    yield "one lookup (median)", *(ms(locomo[name]["lookup_ms"]["p50"]) for name in shown)
    yield "peak memory", *(megabytes(locomo[name]["peak_memory_bytes"]) for name in shown)


def lookups() -> Iterator[Cells]:
    """What is found on LoCoMo."""
    yield "share of the gold turns found", "in 5", "in 10", *CATEGORIES
    for name, row in ours_first("recall"):
        overall = [row["overall"][f"recall@{depth}"] for depth in (5, 10)]
        by = [row["by_category"][category]["recall@5"] for category in CATEGORIES]
        yield SYSTEMS[name], *map(share, overall + by)


def costs() -> Iterator[Cells]:
    """What LoCoMo's turns cost every system."""
    yield "", "lookup, median", "95th percentile", "writing", "on disk", "peak memory"
    for name, row in ours_first("recall"):
        yield (
            SYSTEMS[name],
            ms(row["lookup_ms"]["p50"]),
            ms(row["lookup_ms"]["p95"]),
            f"{row['write_turns_per_s']:,.0f} turns/s",
            megabytes(row["disk_bytes"], 1),
            megabytes(row["peak_memory_bytes"]),
        )


def meetings() -> Iterator[Cells]:
    """What is found in the demo's meetings."""
    yield "share of the gold turns found", "in 5", "in 10", "in 20"
    for name, row in ours_first("recall-meetings"):
        yield SYSTEMS[name], *(share(row["overall"][f"recall@{depth}"]) for depth in (5, 10, 20))


def sets() -> Iterator[Cells]:
    """What is found of everyday facts and updates."""
    yield "share of the gold turns found", "facts, in 1", "in 3", "in 5", "updates, in 5"
    for name, row in ours_first("recall-sets"):
        facts, updates = (row["by_source"][source] for source in ("facts-en", "updates-en"))
        found = [facts[f"recall@{depth}"] for depth in (1, 3, 5)]
        yield SYSTEMS[name], *map(share, [*found, updates["recall@5"]])


def languages() -> Iterator[Cells]:
    """What is found of everyday facts in other languages."""
    rows = dict(ours_first("recall-sets"))
    yield "facts, in 5", *(SYSTEMS[name] for name in rows)
    for source in rows["r3mem"]["by_source"]:
        kind, _, language = source.partition("-")
        if kind == "facts" and language != "en":
            yield language, *(share(row["by_source"][source]["recall@5"]) for row in rows.values())


def rivals() -> Iterator[Cells]:
    """How often what holds comes before what does not."""
    rows = dict(ours_first("recall-sets"))
    yield "gold before its rivals", "questions", *(SYSTEMS[name] for name in rows)
    before = {name: row["before_rivals"] for name, row in rows.items()}
    counts = before["r3mem"]["questions"]
    for kind, count in counts.items():
        yield kind, f"{count:,}", *(share(one["by_category"][kind]) for one in before.values())
    total = sum(counts.values())
    yield "all", f"{total:,}", *(share(one["overall"]) for one in before.values())


def silence() -> Iterator[Cells]:
    """How often r3mem answers, and how often it says nothing."""
    yield "", "answered", "silent: unanswerable", "AUROC", "silent: elsewhere", "AUROC"
    names = {"recall": "LoCoMo", "recall-meetings": "meetings", "recall-sets": "facts and updates"}
    for result, label in names.items():
        found = figures(result)["systems"]["r3mem"].get("silence")
        if found:
            kinds = [found["overall"][kind] for kind in ("unanswerable", "wrong_conversation")]
            told = [
                cell
                for one in kinds
                for cell in ((share(one), f"{one['auroc']:.3f}") if one else ("-", "-"))
            ]
            yield label, share(found["overall"]["answered"]), *told


def ablation() -> Iterator[Cells]:
    """What every level of evidence is worth on LoCoMo."""
    yield "ranking", "recall@5", "lost", *CATEGORIES
    for name, row in figures("recall")["ablation"].items():
        yield name, share(row["overall"]["recall@5"]), *lead(row["lost"])


def added() -> Iterator[Cells]:
    """What gist and teacher add on LoCoMo."""
    yield "added", "recall@5", *CATEGORIES
    for name, row in figures("recall")["added"].items():
        yield name, *lead(row)


def ours_first(result: str) -> Iterator[tuple[str, Any]]:
    """The systems that a result has, in the order of their labels."""
    found = figures(result)["systems"]
    yield from ((name, found[name]) for name in SYSTEMS if name in found)


def share(estimate: Any) -> str:
    """A share with three decimals."""
    return f"{estimate['value']:.3f}"


def lead(row: Any) -> Iterator[str]:
    """A difference with its interval, and the same by category."""
    every = row["overall"]["recall@5"]
    yield f"{every['value']:+.3f} ({every['low']:+.3f} to {every['high']:+.3f})"
    for category in CATEGORIES:
        yield f"{row['by_category'][category]['recall@5']['value']:+.3f}"
