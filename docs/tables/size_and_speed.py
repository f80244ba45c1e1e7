"""Tables of size and speed, and what every result was measured with."""

from __future__ import annotations

from collections.abc import Iterator

from docs.tables.results import Cells, figures, megabytes, ms, record

CODERS = {
    "r3mem": "**memory tokens** (exact; hash and framing included)",
    "r3mem + gist": "memory tokens and gists (what lookups need as well)",
    "static entropy coder": "the same tokens under a static entropy coder",
    "token ids packed": "token ids packed into 15 bits",
    "zstd-19 + dictionary": "zstd-19 with a dictionary trained on the training set",
    "brotli-11": "brotli-11",
    "zstd-19": "zstd-19",
}
DOCUMENTS = {
    "api-markdown": "API reference, Markdown",
    "html": "manual, HTML",
    "pdf": "manuals, PDF",
    "readmes": "package descriptions, Markdown",
    "wikipedia": "Wikipedia articles",
}
SHOWN = [
    "codec",
    "speed",
    "speed-avx2",
    "recall",
    "recall-meetings",
    "recall-sets",
    "documents",
    "scale",
    "load",
    "compare",
    "passages",
    "latent",
    "latent-questions",
    "demo",
]


def codec() -> Iterator[Cells]:
    """What turns cost, each stored alone."""
    found = figures("codec")
    yield "stored bytes per byte of text", "all turns", "turns of 50 to 250 bytes"
    for name, label in CODERS.items():
        whole, middle = found["ratio"][name], found["ratio_50_to_250_bytes"][name]
        yield label, f"{whole:.3f}", f"{middle:.3f}"


def passages() -> Iterator[Cells]:
    """What documents cost, cut into passages."""
    yield (
        "documents",
        "text",
        "passages",
        "model alone",
        "LZMA alone",
        "**as stored**",
        "gists",
        "terms",
        "whole file",
        "LZMA of each document whole",
    )
    for kind, one in figures("passages").items():
        size = one["bytes"]
        columns = ["model", "lzma", "stored", "gists", "terms", "file", "whole lzma"]
        yield (
            DOCUMENTS[kind],
            f"{one['text_bytes'] / 1e3:,.0f} kB",
            f"{one['passages']:,}",
            *(f"{size[name] / one['text_bytes']:.3f}" for name in columns),
        )


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
