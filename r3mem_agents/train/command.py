"""``r3mem train``: an expander from a folder of JSONL files, its record and its picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import rich_click as click
import torch

from r3mem_agents.model.reference.loading import stored, torch_expander
from r3mem_agents.model.trainable import Expander
from r3mem_agents.train import options
from r3mem_agents.train.batches import Batches
from r3mem_agents.train.gists import segment_gists
from r3mem_agents.train.loop import ExpanderRun
from r3mem_agents.train.options import Session
from r3mem_agents.train.prepare import fitted, prepare
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import GOING_ON, ExpanderRecipe
from r3mem_agents.train.record import describe_run, draw, measure, read_record, write_record
from r3mem_agents.train.run import fastest_dtype
from r3mem_agents.types import DEFAULT_MODEL

_DEFAULT = ExpanderRecipe()


@click.command("train")
@click.argument(
    "data",
    type=click.Path(path_type=Path),
    help="Folder of *.jsonl or *.jsonl.zst files, also in its folders.",
)
@options.out_option
@options.name_option
@click.option(
    "--start-from",
    default=DEFAULT_MODEL,
    help="Checkpoint: its encoder makes the gists, and stays as it is; its tokenizer and "
    "expander are what training starts with.",
)
@click.option("--fresh", is_flag=True, help="Learn a tokenizer and an expander anew.")
@options.minutes_option(_DEFAULT.minutes)
@options.steps_option
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    help="Folder of held-out dialogs, for the record.",
)
@click.option(
    "--vocabulary",
    type=int,
    default=_DEFAULT.config.vocabulary,
    help="Tokens to learn, with --fresh.",
)
@click.option(
    "--layers",
    type=int,
    default=_DEFAULT.config.layers,
    help="Couplings in the stack, with --fresh.",
)
@click.option(
    "--hidden", type=int, default=_DEFAULT.config.hidden, help="Channels of a stream, with --fresh."
)
@click.option(
    "--batch-tokens", type=int, default=_DEFAULT.batch_tokens, help="Positions of a part of a step."
)
@click.option(
    "--parts", type=click.IntRange(min=1), default=_DEFAULT.parts, help="Parts of a step."
)
@click.option(
    "--source-mb",
    type=options.MB,
    default=_DEFAULT.source_mb,
    help="Most MB of text from one file.",
)
@click.option(
    "--rates",
    type=options.Finite(min=0),
    show_default=f"{GOING_ON}; 1 with --fresh",
    help="Factor on the learning rates.",
)
@click.option("--seed", type=options.SEED, default=_DEFAULT.seed, help="Of weights and batches.")
@options.threads_option
@options.device_option
def train(
    data: Path,
    out: Path,
    name: str,
    start_from: str,
    fresh: bool,
    minutes: float,
    steps: int | None,
    held_out: Path | None,
    vocabulary: int,
    layers: int,
    hidden: int,
    batch_tokens: int,
    parts: int,
    source_mb: float,
    rates: float | None,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Train an expander; run the same command again to go on after an interruption.

    Example: r3mem train data/train --out runs/mine --minutes 120 --held-out data/eval
    """
    session = Session.open(out, start_from, device, threads, seed)
    console, where, start = session.console, session.device, session.start
    anew = replace(
        _DEFAULT.config,
        vocabulary=vocabulary,
        layers=layers,
        hidden=hidden,
        feedforward=4 * hidden,
        gist_bits=start.encoder.config.gist_bits,
    )
    factor = rates if rates is not None else 1.0 if fresh else GOING_ON
    recipe = ExpanderRecipe(
        config=anew if fresh else start.expander.config,
        minutes=minutes,
        steps=steps,
        source_mb=source_mb,
        batch_tokens=batch_tokens,
        parts=parts,
        matrix_rate=_DEFAULT.matrix_rate * factor,
        other_rate=_DEFAULT.other_rate * factor,
        seed=seed,
    )
    with session.preparing() as note:
        prepared = prepare(data, out, recipe, note, None if fresh else start.tokenizer)
        corpus, tokenizer = prepared.corpus, prepared.tokenizer
        recipe = fitted(recipe, prepared)
        gists = segment_gists(
            corpus.segments, tokenizer, start, out / "gists.npy", prepared.key, where, note
        )
    counts = corpus.token_counts(tokenizer.vocabulary)
    console.print(f"{counts.sum():,} tokens in {len(corpus.segments):,} segments")
    if fresh:
        network = Expander(recipe.config).set_unigram(torch.from_numpy(counts))
    else:
        network = Expander.thaw(torch_expander(start.expander))
    batches = Batches(corpus, gists, recipe, where)
    run = ExpanderRun(network, recipe, batches, out, where, fastest_dtype(where))
    follow(run, console)
    with console.status("writing the checkpoint"):
        made = replace(
            start,
            name=name,
            expander=stored(network.cpu().freeze()),
            tokenizer=tokenizer,
            static_counts=counts,
        )
        model = session.save(made)
    stage = describe_run(run, recipe, None if fresh else start.fingerprint)
    stage |= {
        "gists_of": start.fingerprint,
        "data_sha256": prepared.hashes,
        "segments": len(corpus.segments),
    }
    if held_out is not None:
        with console.status("measuring on held-out dialogs"):
            stage["held_out"] = measure(model, held_out)
        console.print_json(data=stage["held_out"])
    before = read_record(session.folder)
    record = write_record(session.checkpoint, model, before, expander=stage)
    draw(record, out / "training.png")
    console.print(f"checkpoint in {session.checkpoint}, picture in {out / 'training.png'}")
