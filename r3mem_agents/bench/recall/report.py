"""How the figures of ``r3mem bench recall`` are shown: tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from r3mem_agents.bench.recall.figures import HEADLINE
from r3mem_agents.bench.recall.plan import DEPTHS, LOOKED_UP, SESSION_DEPTHS
from r3mem_agents.bench.recall.systems import OURS

Figures = Mapping[str, Any]


def show(console: Console, figures: Figures) -> None:
    """Print the tables."""
    counted = sum(figures["questions_counted"].values())
    console.print(
        f"{figures['conversations']:,} conversations, {figures['turns']:,} turns, "
        f"{counted:,} questions with gold turns, {figures['questions_unanswerable']:,} "
        "unanswerable",
        soft_wrap=True,
    )
    tables = [_found(figures), _by_category(figures), _costs(figures), _nothing_fits(figures)]
    if figures["coverage"]["questions"]:
        tables.append(_coverage(figures))
    if figures["sessions"]["questions"]:
        tables.append(_sessions(figures["sessions"]))
    if figures.get("ablation"):
        tables += [_ablation(figures), _added(figures)]
    for table in tables:
        console.print(table)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _found(figures: Figures) -> Table:
    names = [
        *(f"recall@{k}" for k in DEPTHS if f"recall@{k}" != HEADLINE),
        f"hit@{LOOKED_UP}",
        "mrr",
    ]
    table = _table("Gold turns found", "system", f"{HEADLINE} (95% interval)", *names)
    for system, row in figures["systems"].items():
        cells = [f"{row['overall'][name]['value']:.3f}" for name in names]
        cells = [estimate(row["overall"][HEADLINE]), *cells]
        table.add_row(system, *cells, style="bold" if system == OURS else "")
    return table


def _by_category(figures: Figures) -> Table:
    counts = figures["questions_counted"]
    columns = [f"{name} ({count:,})" for name, count in counts.items()]
    table = _table(f"{HEADLINE} by category (questions)", "system", *columns)
    for system, row in figures["systems"].items():
        cells = [estimate(row["by_category"][name][HEADLINE]) for name in counts]
        table.add_row(system, *cells, style="bold" if system == OURS else "")
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


def _nothing_fits(figures: Figures) -> Table:
    columns = ("AUROC", "refused", "answered", "balanced accuracy")
    table = _table("Knowing when nothing fits", "system", "put to it", *columns)
    for system, row in figures["systems"].items():
        for kind, one in row["nothing_fits"].items():
            if one is not None:
                label = f"{kind.replace('_', ' ')} ({one['questions']:,})"
                shares = (one["refused_share"], one["answered_share"], one["balanced_accuracy"])
                table.add_row(system, label, f"{one['auroc']:.3f}", *(f"{s:.1%}" for s in shares))
    return table


def _coverage(figures: Figures) -> Table:
    budgets = next(iter(figures["coverage"]["budgets"].values()))
    table = _table(
        f"Gold turns inside a prompt, {figures['coverage']['questions']:,} questions",
        "turns of",
        *(f"{int(budget):,} tokens" for budget in budgets),
    )
    for name, row in figures["coverage"]["budgets"].items():
        cells = [estimate(one) for one in row.values()]
        table.add_row(name, *cells, style="bold" if name.startswith(f"{OURS} ") else "")
    return table


def _sessions(found: Figures) -> Table:
    table = _table(
        f"Sessions of the gold turns found, {found['questions']:,} questions",
        "sessions of",
        *(f"recall@{k}" for k in SESSION_DEPTHS),
    )
    for name, row in found["recall"].items():
        cells = [estimate(row[str(k)]) for k in SESSION_DEPTHS]
        table.add_row(name, *cells, style="bold" if name.startswith(f"{OURS} ") else "")
    if (gists := found["gists"]) is not None:
        table.caption = (
            f"gists of {gists['sessions']:,} sessions, {gists['turns']} turns each: "
            f"{gists['gold_share']['value']:.1%} of them answer a question, of all turns "
            f"{gists['gold_share_of_all_turns']['value']:.1%}"
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
    table = _table(f"What likeness adds to {HEADLINE}", "what to what", "all", *counts)
    for name, row in figures["added"].items():
        table.add_row(
            name,
            estimate(row["overall"][HEADLINE]),
            *(f"{row['by_category'][group][HEADLINE]['value']:+.3f}" for group in counts),
        )
    return table


def estimate(figure: Mapping[str, float] | None) -> str:
    """A figure with its interval, or a dash."""
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
