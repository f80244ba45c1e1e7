"""The tables and figures of the README and the docs, written from docs/results.

    python docs/tables.py

writes every page anew. A page marks the place of a table, or of a single figure, and what stands
between the marks is replaced:

    <!-- table: codec -->
    <!-- /table -->

    Found: <!-- figure: recall/systems/r3mem/overall/recall@5/value .3f -->0.652<!-- /figure -->

    <!-- output: results/demo.txt -->
    <!-- /output -->

A figure names a result, the keys that lead to its value, and a format: one of Python's, or ``MB``.
An output is the text of a file. No line may begin with the mark of a figure: Markdown would take
the line for HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]

TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
FIGURE = re.compile(r"(<!-- figure: (\S+) (\S+) -->).*?(<!-- /figure -->)", re.DOTALL)
OUTPUT = re.compile(r"(<!-- output: (\S+) -->\n).*?(<!-- /output -->)", re.DOTALL)

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
CODERS = {
    "r3mem": "**memory tokens** (exact; hash and framing included)",
    "r3mem + gist": "memory tokens and gists (what lookups need as well)",
    "static entropy coder": "the same tokens under a static entropy coder",
    "token ids packed": "token ids packed into 15 bits",
    "zstd-19 + dictionary": "zstd-19 with a dictionary trained on the training set",
    "brotli-11": "brotli-11",
    "zstd-19": "zstd-19",
}
SHOWN = [
    "codec",
    "speed",
    "speed-avx2",
    "recall",
    "recall-meetings",
    "recall-sets",
    "scale",
    "demo",
]
CATEGORIES = ["single-hop", "multi-hop", "temporal", "open-domain"]

Cells = Iterable[str]


@cache
def figures(result: str) -> Any:
    """The figures of one result."""
    return record(result)["figures"]


@cache
def record(result: str) -> Any:
    """One result: figures, and what they were measured with."""
    return json.loads((DOCS / "results" / f"{result}.json").read_text(encoding="utf-8"))


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


def codec() -> Iterator[Cells]:
    """What turns cost, each stored alone."""
    found = figures("codec")
    yield "stored bytes per byte of text", "all turns", "turns of 50 to 250 bytes"
    for name, label in CODERS.items():
        whole, middle = found["ratio"][name], found["ratio_50_to_250_bytes"][name]
        yield label, f"{whole:.3f}", f"{middle:.3f}"


def speed() -> Iterator[Cells]:
    """What the verbs take."""
    results = ["speed", "speed-avx2"]
    machines = [record(name)["machine"] for name in results]
    yield "", *(f"{one['cpu']}, {one['instructions']}" for one in machines)
    kinds = [figures(name) for name in results]
    yield "write one turn (median)", *(ms(one["write_one_ms"]["p50"]) for one in kinds)
    yield "write in batches", *(f"{one['write_batch_turns_per_s']:.0f} turns/s" for one in kinds)
    yield (
        "recall and expand 5 turns, among 10,000 (median)",
        *(ms(one["recall_ms"]["10000"]["p50"]) for one in kinds),
    )
    again = [one.get("recall_again_ms", {}).get("10000") for one in kinds]
    yield (
        "the same once more, its texts in the cache (median)",
        *(ms(one["p50"]) if one else "-" for one in again),
    )
    yield "expand", *(f"{one['expand_tokens_per_s']:,.0f} tokens/s" for one in kinds)
    yield "database file, per byte of text", *(f"{one['file_to_text']:.2f}" for one in kinds)
    yield "`import r3mem_agents`", *(f"{one['import_s_median']:.2f} s" for one in kinds)
    wheels = [one["wheel_bytes"] for one in kinds]
    yield "wheel, with the model", *(megabytes(one, 1) if one else "-" for one in wheels)


def scale() -> Iterator[Cells]:
    """More and more turns."""
    yield (
        "turns of one user",
        "r3mem",
        "its file; opening and first lookup",
        "BM25",
        "in-memory vector store",
    )
    for row in figures("scale")["one_user"]:
        mine = row["r3mem"]
        first = ms(mine["open_ms"] + mine["first_lookup_ms"]["p50"])
        ours, *others = (
            f"{ms(one['lookup_ms']['p50'])}, {megabytes(one['peak_memory_bytes'])}" if one else "-"
            for one in (row.get(name) for name in ("r3mem", "bm25", "minilm"))
        )
        yield f"{row['turns']:,}", ours, f"{megabytes(mine['disk_bytes'], 1)}; {first}", *others


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


def measured() -> Iterator[Cells]:
    """What every result was measured with."""
    yield "result", "date", "model", "fingerprint", "processor", "cores"
    for result in SHOWN:
        found = record(result)
        config, machine = found["config"], found["machine"]
        yield (
            f"[{result}.json](results/{result}.json)",
            found["date"][:10],
            config.get("model", "-"),
            config.get("fingerprint", "-"),
            f"{machine['cpu']}, {machine['instructions']}",
            f"{machine['cores']}",
        )


TABLES = {
    one.__name__: one
    for one in (
        headline,
        codec,
        speed,
        scale,
        lookups,
        costs,
        meetings,
        sets,
        languages,
        rivals,
        silence,
        ablation,
        added,
        measured,
    )
}


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


def ms(milliseconds: float) -> str:
    """A time, with a decimal if it is a short one."""
    return f"{milliseconds:,.{1 if milliseconds < 10 else 0}f} ms"


def megabytes(size: int, decimals: int = 0) -> str:
    """A size in units of a million bytes."""
    return f"{size / 1e6:,.{decimals}f} MB"


def table(name: str) -> str:
    """One table as Markdown."""
    head, *body = [list(cells) for cells in TABLES[name]()]
    lines = [head, ["---"] * len(head), *body]
    rows = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return f"\n{rows}\n"


def figure(path: str, form: str) -> str:
    """One figure as text."""
    result, *keys = path.split("/")
    value = figures(result)
    for key in keys:
        value = value[key]
    return megabytes(value, 1) if form == "MB" else f"{value:{form}}"


def output(path: str) -> str:
    """The text of a file as a block."""
    lines = (DOCS / path).read_text(encoding="utf-8").strip("\n").splitlines()
    return "\n".join(["", "```text", *map(str.rstrip, lines), "```", "", ""])


def written(page: str) -> str:
    """A page with its tables and figures as the results have them."""
    page = TABLE.sub(lambda found: found[1] + table(found[2]) + found[3], page)
    page = OUTPUT.sub(lambda found: found[1] + output(found[2]) + found[3], page)
    return FIGURE.sub(lambda found: found[1] + figure(found[2], found[3]) + found[4], page)


def main() -> None:
    """Write every page anew."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        path.write_text(written(text), encoding="utf-8")


if __name__ == "__main__":
    main()
