"""``r3mem distil``: an encoder from a pretrained one, by distillation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import rich_click as click

from r3mem_agents.model.reference.loading import stored
from r3mem_agents.model.trainable.pretrained import add_adapters, merge_adapters
from r3mem_agents.train import options
from r3mem_agents.train.distil.loop import EncoderRun
from r3mem_agents.train.distil.pool import Lessons
from r3mem_agents.train.distil.prepare import Sources, begin, prepare
from r3mem_agents.train.options import Session
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import EncoderRecipe
from r3mem_agents.train.record import describe_run, draw, read_record, write_record
from r3mem_agents.train.run import fastest_dtype
from r3mem_agents.types import DEFAULT_MODEL

_DEFAULT = EncoderRecipe()


@click.command("distil")
@click.argument(
    "data",
    type=click.Path(path_type=Path),
    help="Folder of *.jsonl or *.jsonl.zst files, also in its folders.",
)
@click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of a BERT of Hugging Face: the start, and what to resemble.",
)
@options.out_option
@click.option(
    "--others",
    type=click.Path(path_type=Path),
    help="Folder of a sentence encoder for other languages than English.",
)
@click.option(
    "--others-prefix",
    default="",
    show_default=False,
    help="What --others wants before each text: 'query: ' for E5.",
)
@options.lora_option
@options.name_option
@click.option(
    "--start-from",
    default=DEFAULT_MODEL,
    help="Checkpoint whose tokenizer and expander stand beside the encoder.",
)
@options.minutes_option(_DEFAULT.minutes)
@options.steps_option
@click.option(
    "--vocabulary", type=int, default=_DEFAULT.vocabulary, help="Maximum number of word pieces."
)
@click.option(
    "--batch-tokens", type=int, default=_DEFAULT.batch_tokens, help="Positions of a batch."
)
@click.option(
    "--source-mb",
    type=options.MB,
    default=_DEFAULT.source_mb,
    help="Most MB of dialogs and texts from one file.",
)
@click.option(
    "--pair-mb", type=options.MB, default=_DEFAULT.pair_mb, help="Most MB of pairs from one file."
)
@options.rates_option
@click.option("--seed", type=options.SEED, default=_DEFAULT.seed, help="Of weights and batches.")
@options.threads_option
@options.device_option
def distil(
    data: Path,
    teacher: Path,
    out: Path,
    others: Path | None,
    others_prefix: str,
    lora: int | None,
    name: str,
    start_from: str,
    minutes: float,
    steps: int | None,
    vocabulary: int,
    batch_tokens: int,
    source_mb: float,
    pair_mb: float,
    rates: float,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Make an encoder of a pretrained one; run it again to go on after an interruption.

    The expander beside it was trained under other gists: train it on, from this checkpoint.

    Example: r3mem distil data/train --teacher all-MiniLM-L6-v2 --out runs/encoder --minutes 60
    """
    session = Session.open(out, start_from, device, threads, seed)
    console, where, start = session.console, session.device, session.start
    recipe = replace(
        _DEFAULT,
        minutes=minutes,
        steps=steps,
        vocabulary=vocabulary,
        batch_tokens=batch_tokens,
        source_mb=source_mb,
        pair_mb=pair_mb,
        learning_rate=_DEFAULT.learning_rate * rates,
        seed=seed,
    )
    sources = Sources(data, teacher, others, others_prefix)
    with session.preparing() as note:
        taught = prepare(sources, out, recipe, start, where, note)
        encoder, vector = begin(sources, out, recipe, start.expander.config.gist_bits)
    pool = taught.pool
    console.print(f"{pool.pieces.counts.sum():,} pieces in {len(pool.pieces):,} texts")
    if lora is not None:
        add_adapters(encoder, lora)
    lessons, dtype = Lessons(pool, recipe, where), fastest_dtype(where)
    run = EncoderRun(encoder, vector, recipe, lessons, out, where, dtype)
    follow(run, console)
    with console.status("writing the checkpoint"):
        made = replace(
            start,
            name=name,
            encoder=stored(merge_adapters(encoder.cpu()).freeze()),
            pieces=taught.pieces,
            superseder=None,
        )
        model = session.save(made)
    stage = describe_run(run, recipe, None) | {
        "teacher": teacher.name,
        "others": others.name if others is not None else None,
        "lora_rank": lora,
        "expander_of": start.fingerprint,
        "map_cosine": taught.map_cosine,
        "data_sha256": taught.hashes,
        "texts": len(pool.pieces),
    }
    # Neither tuning nor superseder are of this encoder.
    before = read_record(session.folder) | {"tuning": None, "superseder": None}
    record = write_record(session.checkpoint, model, before, encoder=stage)
    draw(record, out / "distillation.png")
    console.print(f"checkpoint in {session.checkpoint}; now: r3mem train --start-from there")
