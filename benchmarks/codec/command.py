"""``python -m benchmarks codec``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from benchmarks import dialogues
from benchmarks.codec import measure as measuring
from benchmarks.codec import peers, report
from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import err, examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError

DICTIONARY_SAMPLE_BYTES = 8_000_000
"""Training text for the 64 KB zstd dictionary: about a hundred times its size, as zstd advises."""


@click.command(
    "codec",
    epilog=examples(
        "python -m benchmarks codec --data dialogues/ --dictionary-from train/",
        "python -m benchmarks codec --data chats.jsonl --limit 500 --json",
    ),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Held-out dialogues: *.jsonl(.zst) or folders; repeatable.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Turns per data set; all if left out.")
@click.option(
    "--dictionary-from",
    type=click.Path(path_type=Path),
    help="Training dialogues for a zstd dictionary.",
)
@seed_option
@out_option
@model_option
@json_option
def codec(
    data: tuple[Path, ...],
    limit: int | None,
    dictionary_from: Path | None,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Weigh turns as memory tokens, and under static coders, zstd and brotli."""
    files = dialogues.find_files(data)
    turns = [said for path in files for said in dialogues.read_turns(path, limit)]
    if not turns:
        raise InvalidInputError("the data holds no dialogue turns")
    reversible = require_model(model)
    samples: list[bytes] | None = None
    with err().status("preparing the peers"):
        if dictionary_from is not None:
            training = dialogues.dialogue_files(dialogues.find_files([dictionary_from]))
            samples = dialogues.sample_bytes(training, DICTIONARY_SAMPLE_BYTES, seed)
        coders = dict(peers.byte_coders(samples))
    with progress() as bar:
        task = bar.add_task("compressing and expanding", total=len(turns))
        result = measuring.measure(reversible, turns, coders, lambda n: bar.advance(task, n))
    figures = measuring.summarize(result)
    config = {
        **identity(reversible),
        "data": {item.name: dialogues.digest(item) for item in files},
        "limit": limit,
        "dictionary_from": dictionary_from.name if dictionary_from else None,
        "dictionary_samples": len(samples) if samples else 0,
        "seed": seed,
    }
    publish(
        out_dir / "codec.json",
        config,
        figures,
        show=lambda: report.show(out(), figures),
        plot=lambda picture: report.plot(picture, result, len(turns)),
        as_json=as_json,
    )
    if figures["turns_byte_exact"] != figures["turns"]:
        raise Exit(1)
