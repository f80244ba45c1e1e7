"""The table of a server under load."""

from __future__ import annotations

from collections.abc import Iterator

from docs.tables.results import Cells, figures, ms

WAYS = {"http": "r3mem serve", "in_process": "in one process"}


def load() -> Iterator[Cells]:
    """What many clients saw, over HTTP and in one process."""
    found = {label: figures("load")[way] for way, label in WAYS.items()}
    yield "", *found
    for what, label in (
        ("requests_per_s", "requests a second"),
        ("acknowledged", "turns that were stored"),
        ("lost", "of these lost"),
        ("crossed", "answers with anything of another user"),
    ):
        yield label, *(f"{one[what]:,}" for one in found.values())
    yield "errors", *(f"{sum(one['errors'].values()):,}" for one in found.values())
    for verb in sorted({verb for one in found.values() for verb in one["verbs"]}):
        times = [one["verbs"].get(verb) for one in found.values()]
        yield (
            f"`{verb}`: p50 / p95 / p99",
            *(
                " / ".join(ms(one[rank]) for rank in ("p50", "p95", "p99")) if one else "-"
                for one in times
            ),
        )
