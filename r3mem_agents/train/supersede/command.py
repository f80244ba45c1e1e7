"""``r3mem supersede``: a network for a checkpoint that tells which turn supersedes another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import rich_click as click

from r3mem_agents.model.reference.loading import stored, torch_encoder, torch_superseder
from r3mem_agents.model.trainable import Encoder, Superseder
from r3mem_agents.train import options
from r3mem_agents.train.corpus import Ragged, hash_folders
from r3mem_agents.train.gists import before_bits
from r3mem_agents.train.options import Session
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import SupersederRecipe
from r3mem_agents.train.record import describe_run, read_record, write_record
from r3mem_agents.train.run import fastest_dtype
from r3mem_agents.train.supersede.data import confusable, read
from r3mem_agents.train.supersede.loop import SupersederRun, from_encoder
from r3mem_agents.train.supersede.pairs import Pairs
from r3mem_agents.types import DEFAULT_MODEL

_DEFAULT = SupersederRecipe()

NEAREST = 3
"""Pairs of a turn that nothing is known of, at most."""


@click.command("supersede")
@click.argument(
    "data", type=click.Path(path_type=Path), help="Folder of *.jsonl(.zst) files with memories."
)
@options.out_option
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    help="Folder of dialogs, in which nothing is superseded.",
)
@options.name_option
@click.option("--start-from", default=DEFAULT_MODEL, help="Checkpoint that gets the network.")
@options.minutes_option(_DEFAULT.minutes)
@options.steps_option
@click.option(
    "--pairs", type=click.IntRange(min=1), default=_DEFAULT.pairs, help="Pairs of a step."
)
@click.option(
    "--source-mb",
    type=options.MB,
    default=_DEFAULT.source_mb,
    help="Most MB of dialogs from one file.",
)
@options.rates_option
@click.option("--seed", type=options.SEED, default=_DEFAULT.seed, help="Of weights and pairs.")
@options.threads_option
@options.device_option
def supersede(
    data: Path,
    out: Path,
    beside: Path | None,
    name: str,
    start_from: str,
    minutes: float,
    steps: int | None,
    pairs: int,
    source_mb: float,
    rates: float,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Train what compares two turns; run it again to go on after an interruption.

    It starts from the network that the checkpoint has, or else from its encoder.

    Example: r3mem supersede data/questions --beside data --out runs/superseding --minutes 30
    """
    session = Session.open(out, start_from, device, threads, seed)
    console, where, start = session.console, session.device, session.start
    encoder = torch_encoder(start.encoder)
    layers = min(_DEFAULT.config.layers, encoder.config.layers)
    sizes = {"hidden": encoder.config.hidden, "heads": encoder.config.heads, "layers": layers}
    sizes["feedforward"] = encoder.config.feedforward
    recipe = replace(
        _DEFAULT,
        config=replace(_DEFAULT.config, **sizes, biased=encoder.config.biased)
        if start.superseder is None
        else start.superseder.config,
        minutes=minutes,
        steps=steps,
        pairs=pairs,
        source_mb=source_mb,
        learning_rate=_DEFAULT.learning_rate * rates,
        seed=seed,
    )
    with console.status("preparing"):
        talks = read(data, beside, recipe.source_mb)
        pieces = Ragged.of(start.pieces.encode(talks.texts, recipe.config.positions), np.int32)
        gists = before_bits(pieces, encoder.to(where))
        drawn = Pairs(talks, pieces, confusable(talks, gists, NEAREST), recipe)
    console.print(f"{len(talks.updates):,} updates in {talks.memories:,} memories")
    if start.superseder is None:
        network = from_encoder(Encoder.thaw(encoder), Superseder(recipe.config))
    else:
        network = Superseder.thaw(torch_superseder(start.superseder, encoder.embedding))
    dtype = fastest_dtype(where)
    run = SupersederRun(network, encoder, drawn, recipe, out, where, dtype)
    follow(run, console)
    frozen = network.cpu().freeze(encoder.embedding)
    made = replace(start, name=name, superseder=stored(frozen))
    model = session.save(made)
    gone_on = None if start.superseder is None else start.fingerprint
    stage = describe_run(run, recipe, gone_on) | {
        "memories": talks.memories,
        "updates": len(talks.updates),
        "alike": len(talks.alike),
        "data_sha256": hash_folders(data, beside),
    }
    before = read_record(session.folder)
    write_record(session.checkpoint, model, before, superseder=stage)
    console.print(f"checkpoint in {session.checkpoint}")
