"""Why turns were recalled, or why none was, as people read it."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from r3mem_agents.cli.console import harmless_text
from r3mem_agents.types import Explanation, LookupExplanation


def lookup_table(explanation: LookupExplanation) -> RenderableType:
    """How a question was read, and what came of it."""
    table = Table.grid(padding=(0, 2))
    for what, those in (
        ("words", explanation.words),
        ("speakers", explanation.speakers),
        ("times", explanation.times),
    ):
        table.add_row(what, harmless_text(", ".join(those) or "none"))
    table.add_row("outcome", harmless_text(explanation.outcome))
    return table


def turn_table(explanation: Explanation) -> RenderableType:
    """The evidence for a turn: level, log-odds, reasons; levels that say nothing are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for level, one in explanation.evidence.items():
        if one.log_odds or one.reasons:
            table.add_row(level, f"{one.log_odds:+.2f}", harmless_text("; ".join(one.reasons)))
    place = f"turn {explanation.position} of {explanation.session_turns} in its session"
    notes = harmless_text("; ".join([*explanation.notes, place]))
    table.add_row("sum", f"{explanation.log_odds:+.2f}", notes)
    return table
