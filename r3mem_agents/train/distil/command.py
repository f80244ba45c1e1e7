"""``r3mem distil``: an encoder from a pretrained one, by distillation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

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

commands = typer.Typer()

_DEFAULT = EncoderRecipe()


@commands.command("distil")
def distil(
    data: Annotated[
        Path, typer.Argument(help="Folder of *.jsonl or *.jsonl.zst files, also in its folders.")
    ],
    teacher: Annotated[
        Path,
        typer.Option(help="Folder of a BERT of Hugging Face: the start, and what to resemble."),
    ],
    out: options.Out,
    others: Annotated[
        Path | None,
        typer.Option(help="Folder of a sentence encoder for other languages than English."),
    ] = None,
    others_prefix: Annotated[
        str, typer.Option(help="What --others wants before each text: 'query: ' for E5.")
    ] = "",
    lora: options.Lora = None,
    name: options.Name = "mine",
    start_from: Annotated[
        str, typer.Option(help="Checkpoint whose tokenizer and expander stand beside the encoder.")
    ] = DEFAULT_MODEL,
    minutes: options.Minutes = _DEFAULT.minutes,
    steps: options.Steps = None,
    vocabulary: Annotated[int, typer.Option(help="Maximum number of word pieces.")] = (
        _DEFAULT.vocabulary
    ),
    batch_tokens: Annotated[
        int, typer.Option(help="Positions of a batch.")
    ] = _DEFAULT.batch_tokens,
    source_mb: Annotated[
        float, typer.Option(help="Most MB of dialogs and texts from one file.")
    ] = _DEFAULT.source_mb,
    pair_mb: Annotated[
        float, typer.Option(help="Most MB of pairs from one file.")
    ] = _DEFAULT.pair_mb,
    rates: options.Rates = 1.0,
    seed: Annotated[int, typer.Option(help="Of weights and batches.")] = _DEFAULT.seed,
    threads: options.Threads = 0,
    device: options.Device = "auto",
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
