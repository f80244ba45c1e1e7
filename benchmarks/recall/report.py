"""The tables of the recall benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.recall.figures.summary import HEADLINE
from benchmarks.recall.plan import LOOKED_UP, SESSION_DEPTHS
from benchmarks.recall.systems.names import OURS

Figures = Mapping[str, Any]

ALWAYS = "always answers"
"""Shown for a system that returns something for every question."""


def show(console: Console, figures: Figures) -> None:
    """Print the tables."""
    counted = sum(figures["questions_counted"].values())
    console.print(
        f"{figures['conversations']:,} conversations, {figures['turns']:,} turns, "
        f"{counted:,} questions with gold turns, {figures['questions_unanswerable']:,} "
        "unanswerable",
        soft_wrap=True,
    )
    tables = [_found(figures)]
    if len(figures["questions_counted"]) > 1:
        tables.append(_by(figures, "category", figures["questions_counted"]))
    if len(figures["questions_by_source"]) > 1:
        tables.append(_by(figures, "source", figures["questions_by_source"]))
    if next(iter(figures["systems"].values()))["before_rivals"]:
        tables.append(_before_rivals(figures))
    tables += [_silence(figures), _costs(figures)]
    if OURS in figures["systems"] and len(figures["systems"][OURS]["silence"]["by_source"]) > 1:
        tables.append(_silence_by_source(figures["systems"][OURS]["silence"]["by_source"]))
    if figures["coverage"]["questions"]:
        tables.append(_coverage(figures))
    if figures["sessions"]["questions"]:
        tables.append(_sessions(figures["sessions"]))
    if figures.get("ablation"):
        tables += [_ablation(figures), _added(figures)]
    for table in tables:
        console.print(table)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", min_width=len(title))
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _narrow(system: str) -> str:
    return system.replace("+", "+\n")


def _style(name: str) -> str:
    return "bold" if name.startswith(OURS) else ""


def _found(figures: Figures) -> Table:
    names = ("any@5", "all@5", "recall@1", "recall@3", "recall@10", "mrr")
    table = _table("Gold turns found", "system", f"{HEADLINE} (95% interval)", *names)
    for system, row in figures["systems"].items():
        cells = [f"{row['overall'][name]['value']:.3f}" for name in names]
        table.add_row(system, estimate(row["overall"][HEADLINE]), *cells, style=_style(system))
    return table


def _by(figures: Figures, label: str, counts: Mapping[str, int]) -> Table:
    # A row for each category or source, a column for each system: there may be many of both.
    systems = figures["systems"]
    table = _table(f"{HEADLINE} by {label}", label, "n", *map(_narrow, systems))
    for name, count in counts.items():
        cells = [f"{row[f'by_{label}'][name][HEADLINE]['value']:.3f}" for row in systems.values()]
        table.add_row(name, f"{count:,}", *cells)
    return table


def _before_rivals(figures: Figures) -> Table:
    rows = {name: row["before_rivals"] for name, row in figures["systems"].items()}
    table = _table("Gold turns before their rivals", "category", "n", *map(_narrow, rows))
    counts = next(iter(rows.values()))["questions"]
    for group, count in counts.items():
        cells = [f"{row['by_category'][group]['value']:.3f}" for row in rows.values()]
        table.add_row(group, f"{count:,}", *cells)
    cells = [f"{row['overall']['value']:.3f}" for row in rows.values()]
    table.add_row("all", f"{sum(counts.values()):,}", *cells, style="bold")
    return table


def _costs(figures: Figures) -> Table:
    columns = ("p50", "p95", "write", "on disk", "peak memory")
    table = _table(f"What it takes: lookups of {LOOKED_UP} turns", "system", *columns)
    for system, row in figures["systems"].items():
        times, peak = row["lookup_ms"], row["peak_memory_bytes"]
        table.add_row(
            system,
            f"{times['p50']:.1f} ms" if times else "-",
            f"{times['p95']:.1f} ms" if times else "-",
            f"{row['write_turns_per_s'] or 0:,.0f} turns/s",
            f"{row['disk_bytes'] / 1e6:,.2f} MB",
            f"{peak / 1e6:,.0f} MB" if peak else "-",
        )
    return table


def _silence(figures: Figures) -> Table:
    kinds = [
        (kind, label, one["questions"])
        for kind, label in (("unanswerable", "unanswerable"), ("wrong_conversation", "elsewhere"))
        if (one := next(iter(figures["systems"].values()))["silence"]["overall"][kind])
    ]
    columns = ["answered"]
    for _, label, questions in kinds:
        columns += [f"silent: {label} ({questions:,})", "AUROC"]
    table = _table("Silence: answerable questions answered, others not", "system", *columns)
    for system, row in figures["systems"].items():
        found = row["silence"]["overall"]
        answered = found["answered"]["value"]
        always = answered == 1 and not any(found[kind]["value"] for kind, _, _ in kinds)
        cells = [ALWAYS if always else f"{answered:.1%}"]
        for kind, _, _ in kinds:
            one = found[kind]
            cells += ["-" if always else f"{one['value']:.1%}", f"{one['auroc']:.3f}"]
        table.add_row(system, *cells, style=_style(system))
    return table


def _silence_by_source(sources: Mapping[str, Any]) -> Table:
    columns = ("answered", "silent: unanswerable", "silent: elsewhere")
    table = _table(f"Silence of {OURS} by source", "source", *columns)
    for name, one in sources.items():
        table.add_row(
            name, *(share(one[kind]) for kind in ("answered", "unanswerable", "wrong_conversation"))
        )
    return table


def _coverage(figures: Figures) -> Table:
    budgets = next(iter(figures["coverage"]["budgets"].values()))
    table = _table(
        f"Gold turns inside a prompt, {figures['coverage']['questions']:,} questions",
        "turns of",
        *(f"{int(budget):,} tokens" for budget in budgets),
    )
    for name, row in figures["coverage"]["budgets"].items():
        table.add_row(name, *(estimate(one) for one in row.values()), style=_style(name))
    return table


def _sessions(found: Figures) -> Table:
    last = SESSION_DEPTHS[-1]
    plain = (*(f"recall@{k}" for k in SESSION_DEPTHS[:-1]), f"any@{last}", f"all@{last}")
    table = _table(
        f"Sessions of the gold turns found, {found['questions']:,} questions",
        "sessions of",
        f"recall@{last} (95% interval)",
        *plain,
    )
    for name, row in found["systems"].items():
        cells = [f"{row[one]['value']:.3f}" for one in plain]
        table.add_row(name, estimate(row[f"recall@{last}"]), *cells, style=_style(name))
    if (summaries := found["summaries"]) is not None:
        table.caption = (
            f"summaries of {summaries['sessions']:,} sessions, {summaries['turns']} turns each: "
            f"{summaries['gold_share']['value']:.1%} of them answer a question, of all turns "
            f"{summaries['gold_share_of_all_turns']['value']:.1%}"
        )
    return table


def _ablation(figures: Figures) -> Table:
    counts = figures["questions_counted"]
    table = _table(f"{HEADLINE} with other evidence", "ranking", "all", "lost", *counts)
    for name, row in figures["ablation"].items():
        lost = row["lost"]
        table.add_row(
            name,
            estimate(row["overall"][HEADLINE]),
            estimate(lost["overall"][HEADLINE]),
            *(f"{lost['by_category'][group][HEADLINE]['value']:+.3f}" for group in counts),
        )
    return table


def _added(figures: Figures) -> Table:
    counts = figures["questions_counted"]
    table = _table(f"What similarity adds to {HEADLINE}", "what to what", "all", *counts)
    for name, row in figures["added"].items():
        table.add_row(
            name,
            estimate(row["overall"][HEADLINE]),
            *(f"{row['by_category'][group][HEADLINE]['value']:+.3f}" for group in counts),
        )
    return table


def estimate(figure: Mapping[str, float] | None) -> str:
    """Return a figure with its interval, or a dash."""
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def share(figure: Mapping[str, float] | None) -> str:
    """Return a share of questions with their number, or a dash."""
    return "-" if figure is None else f"{figure['value']:.0%} of {figure['questions']:,}"
