"""``r3mem recall``, ``context``, ``summary`` and ``stats``."""

from __future__ import annotations

import time
from typing import Any

import rich_click as click

from r3mem_agents.cli.console import emit_json, emit_raw, examples
from r3mem_agents.cli.options import (
    count_option,
    json_option,
    parse_time,
    parse_where,
    session_option,
    where_option,
)
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.tables import show_recalled, show_stats, show_turns

now_option = click.option(
    "--now",
    show_default="the present",
    help="What dates in the question are relative to, ISO 8601; times are shown in its zone.",
)

as_of_option = click.option(
    "--as-of", help="Only what was known at this time, ISO 8601, in the words of then."
)


@click.command(
    "recall",
    epilog=examples(
        'r3mem recall "What is my dog called?"',
        'r3mem recall "What did we agree on?" -k 3 --since 2026-11-01 --role user --json',
        'r3mem recall "What pet do I have?" --explain',
        'r3mem recall "Where do I live?" --as-of 2026-01-01',
        "r3mem recall \"What is urgent?\" --where 'metadata.priority>=3' --where role=user",
    ),
)
@click.argument("question", help="What to look for; put -- before one that begins with -.")
@count_option(5)
@click.option("--session", multiple=True, help="Only this session; may be repeated.")
@click.option("--role", multiple=True, help="Only this role; may be repeated.")
@where_option
@click.option("--since", help="Only from this time on, ISO 8601.")
@click.option("--until", help="Only up to this time, ISO 8601.")
@now_option
@as_of_option
@click.option(
    "--min-score", type=float, show_default="measured", help="Only scores of at least this."
)
@click.option(
    "--level",
    type=click.Choice(["turn", "session"]),
    default="turn",
    help="Return turns or whole sessions.",
)
@click.option(
    "--explain", is_flag=True, help="Say why: each turn's evidence, or why there is none."
)
@with_place
@json_option
def recall(
    *,
    question: str,
    k: int,
    session: tuple[str, ...],
    role: tuple[str, ...],
    where: tuple[str, ...],
    since: str | None,
    until: str | None,
    now: str | None,
    as_of: str | None,
    min_score: float | None,
    level: str,
    explain: bool,
    place: Place,
    as_json: bool,
) -> None:
    """Find the turns that answer a question, best first."""
    options: dict[str, Any] = {
        "k": k,
        "since": parse_time(since, "--since"),
        "until": parse_time(until, "--until"),
        "now": parse_time(now, "--now"),
        "as_of": parse_time(as_of, "--as-of"),
        "sessions": session or None,
        "roles": role or None,
        "where": parse_where(where),
        "level": level,
        "explain": explain,
    }
    if min_score is not None:
        options["min_score"] = min_score
    with place.read() as memory:
        start = time.perf_counter()
        hits = memory.recall(question, **options)
        milliseconds = 1000 * (time.perf_counter() - start)
    title = f"{len(hits)} recalled in {milliseconds:.0f} ms"
    show_recalled(hits, title, now=options["now"] or options["as_of"], as_json=as_json)


@click.command(
    "context",
    epilog=examples(
        'r3mem context "What is my dog called?"',
        'r3mem context "travel plans" --token-budget 400',
    ),
)
@click.argument("question", help="What the prompt is about.")
@click.option("--token-budget", type=int, default=800, help="Maximum number of tokens to return.")
@where_option
@now_option
@as_of_option
@with_place
@json_option
def context(
    *,
    question: str,
    token_budget: int,
    where: tuple[str, ...],
    now: str | None,
    as_of: str | None,
    place: Place,
    as_json: bool,
) -> None:
    """Print what is remembered about a question, ready for a prompt."""
    options: dict[str, Any] = {
        "where": parse_where(where),
        "now": parse_time(now, "--now"),
        "as_of": parse_time(as_of, "--as-of"),
    }
    with place.read() as memory:
        text = memory.context(question, token_budget, **options)
    if as_json:
        emit_json({"question": question, "token_budget": token_budget, "context": text})
    else:
        emit_raw(text + "\n")


@click.command(
    "summary",
    epilog=examples(
        "r3mem summary",
        "r3mem summary --session 2026-11-20 -k 5 --json",
    ),
)
@session_option("The session.", None, shown="the memory's own, where remember puts turns")
@count_option(3)
@with_place
@json_option
def summary(
    *,
    session: str | None,
    k: int,
    place: Place,
    as_json: bool,
) -> None:
    """Show the few turns that say what a session was about, byte for byte."""
    with place.read() as memory:
        turns = memory.summary(session, k)
    show_turns(turns, as_json=as_json)


@click.command(
    "stats",
    epilog=examples(
        "r3mem stats",
        "r3mem stats --db team.db --user alice --json",
    ),
)
@with_place
@json_option
def stats(
    *,
    place: Place,
    as_json: bool,
) -> None:
    """Show what a memory holds and what it costs."""
    with place.read() as memory:
        found = memory.stats()
    show_stats(found, f"{place.db}: user {place.user}, agent {place.agent}", as_json=as_json)
