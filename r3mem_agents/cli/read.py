"""``r3mem recall``, ``context``, ``summary`` and ``stats``."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from r3mem_agents.cli.console import emit_json, emit_raw, examples
from r3mem_agents.cli.options import CountOption, JsonOption, parse_time, session_option
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.tables import show_recalled, show_stats, show_turns

commands = typer.Typer()


NowOption = Annotated[
    str | None,
    typer.Option(
        help="What dates in the question are relative to, ISO 8601; times are shown in its zone.",
        show_default="the present",
    ),
]


class Level(StrEnum):
    """What a lookup returns."""

    turn = "turn"
    session = "session"


@commands.command(
    "recall",
    epilog=examples(
        'r3mem recall "What is my dog called?"',
        'r3mem recall "What did we agree on?" -k 3 --since 2026-11-01 --role user --json',
        'r3mem recall "What pet do I have?" --explain',
    ),
)
@with_place
def recall(
    *,
    question: Annotated[
        str, typer.Argument(help="What to look for; put -- before one that begins with -.")
    ],
    k: CountOption = 5,
    session: Annotated[
        list[str] | None, typer.Option("--session", help="Only this session; may be repeated.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Only this role; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only from this time on, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Only up to this time, ISO 8601.")] = None,
    now: NowOption = None,
    min_score: Annotated[
        float | None, typer.Option(help="Only scores of at least this.", show_default="measured")
    ] = None,
    level: Annotated[Level, typer.Option(help="Return turns or whole sessions.")] = Level.turn,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why: each turn's evidence, or why there is none.")
    ] = False,
    place: Place,
    as_json: JsonOption = False,
) -> None:
    """Find the turns that answer a question, best first."""
    options: dict[str, Any] = {
        "k": k,
        "since": parse_time(since, "--since"),
        "until": parse_time(until, "--until"),
        "now": parse_time(now, "--now"),
        "sessions": session or None,
        "roles": role or None,
        "level": level.value,
        "explain": explain,
    }
    if min_score is not None:
        options["min_score"] = min_score
    with place.read() as memory:
        start = time.perf_counter()
        hits = memory.recall(question, **options)
        milliseconds = 1000 * (time.perf_counter() - start)
    title = f"{len(hits)} recalled in {milliseconds:.0f} ms"
    show_recalled(hits, title, now=options["now"], as_json=as_json)


@commands.command(
    "context",
    epilog=examples(
        'r3mem context "What is my dog called?"',
        'r3mem context "travel plans" --token-budget 400',
    ),
)
@with_place
def context(
    *,
    question: Annotated[str, typer.Argument(help="What the prompt is about.")],
    token_budget: Annotated[int, typer.Option(help="Maximum number of tokens to return.")] = 800,
    now: NowOption = None,
    place: Place,
    as_json: JsonOption = False,
) -> None:
    """Print what is remembered about a question, ready for a prompt."""
    with place.read() as memory:
        text = memory.context(question, token_budget, now=parse_time(now, "--now"))
    if as_json:
        emit_json({"question": question, "token_budget": token_budget, "context": text})
    else:
        emit_raw(text + "\n")


@commands.command(
    "summary",
    epilog=examples(
        "r3mem summary",
        "r3mem summary --session 2026-11-20 -k 5 --json",
    ),
)
@with_place
def summary(
    *,
    session: Annotated[
        str | None,
        session_option("The session.", "the memory's own, where remember puts turns"),
    ] = None,
    k: CountOption = 3,
    place: Place,
    as_json: JsonOption = False,
) -> None:
    """Show the few turns that say what a session was about, byte for byte."""
    with place.read() as memory:
        turns = memory.summary(session, k)
    show_turns(turns, as_json=as_json)


@commands.command(
    "stats",
    epilog=examples(
        "r3mem stats",
        "r3mem stats --db team.db --user alice --json",
    ),
)
@with_place
def stats(
    *,
    place: Place,
    as_json: JsonOption = False,
) -> None:
    """Show what a memory holds and what it costs."""
    with place.read() as memory:
        found = memory.stats()
    show_stats(found, f"{place.db}: user {place.user}, agent {place.agent}", as_json=as_json)
