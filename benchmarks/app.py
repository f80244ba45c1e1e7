"""The commands of ``python -m benchmarks``."""

from __future__ import annotations

import typer

from benchmarks.codec.command import codec
from benchmarks.compare.command import compare
from benchmarks.layout import layout
from benchmarks.question import question
from benchmarks.recall.command import recall
from benchmarks.scale.command import scale
from benchmarks.speed.command import speed
from r3mem_agents.cli.console import examples
from r3mem_agents.cli.group import ErrorGroup

app = typer.Typer(
    cls=ErrorGroup,
    help="Measure, print the figures beside the peers', and write them as JSON.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
)

app.command(
    epilog=examples(
        "python -m benchmarks codec --data dialogues/ --dictionary-from train/",
        "python -m benchmarks codec --data chats.jsonl --limit 500 --json",
    ),
)(codec)

app.command(
    epilog=examples(
        "python -m benchmarks speed --quick",
        "python -m benchmarks speed --turns 100000 --data dialogues/ --json",
    ),
)(speed)

app.command(
    epilog=examples(
        "python -m benchmarks recall --data locomo10.json",
        "python -m benchmarks recall --data chats.jsonl --systems r3mem,bm25 --ablate",
    ),
)(recall)

app.command(
    epilog=examples(
        "python -m benchmarks scale --sizes 1000,10000",
        "python -m benchmarks scale --sizes 1000,10000,100000,1000000 --users 10000x100",
    ),
)(scale)

app.command(
    epilog=examples("python -m benchmarks compare .venv-earlier/bin/python .venv-now/bin/python"),
)(compare)

app.command(epilog=examples("python -m benchmarks question"))(question)

app.command(epilog=examples("python -m benchmarks layout alice.db"))(layout)
