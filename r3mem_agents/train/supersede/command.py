"""``r3mem supersede``: a network for a checkpoint that tells which turn supersedes another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

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

commands = typer.Typer()

_DEFAULT = SupersederRecipe()

NEAREST = 3
"""Pairs of a turn that nothing is known of, at most."""


@commands.command("supersede")
def supersede(
    data: Annotated[Path, typer.Argument(help="Folder of *.jsonl(.zst) files with memories.")],
    out: options.Out,
    beside: Annotated[
        Path | None, typer.Option(help="Folder of dialogs, in which nothing is superseded.")
    ] = None,
    name: options.Name = "mine",
    start_from: Annotated[
        str, typer.Option(help="Checkpoint that gets the network.")
    ] = DEFAULT_MODEL,
    minutes: options.Minutes = _DEFAULT.minutes,
    steps: options.Steps = None,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of a step.")] = _DEFAULT.pairs,
    source_mb: Annotated[
        float, typer.Option(help="Most MB of dialogs from one file.")
    ] = _DEFAULT.source_mb,
    rates: options.Rates = 1.0,
    seed: Annotated[int, typer.Option(help="Of weights and pairs.")] = _DEFAULT.seed,
    threads: options.Threads = 0,
    device: options.Device = "auto",
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
