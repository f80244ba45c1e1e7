"""``r3mem tune``: an encoder that finds what answers, tuned on questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from r3mem_agents.model.reference.loading import stored, torch_encoder, torch_expander
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.model.trainable.pretrained import add_adapters, merge_adapters
from r3mem_agents.train import options
from r3mem_agents.train.corpus import hash_folders
from r3mem_agents.train.options import Session
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import TuningRecipe
from r3mem_agents.train.record import describe_run, draw, read_record, write_record
from r3mem_agents.train.run import fastest_dtype
from r3mem_agents.train.tune.loop import TuningRun
from r3mem_agents.train.tune.pairs import Lessons, read
from r3mem_agents.train.tune.prepare import gists_of, prepare
from r3mem_agents.train.tune.realign import blend, realign
from r3mem_agents.types import DEFAULT_MODEL

commands = typer.Typer()

_DEFAULT = TuningRecipe()


@commands.command("tune")
def tune(
    data: Annotated[Path, typer.Argument(help="Folder of *.jsonl or *.jsonl.zst files of pairs.")],
    teacher: Annotated[
        Path, typer.Option(help="Folder of a sentence encoder whose lists are to be resembled.")
    ],
    out: options.Out,
    beside: Annotated[
        Path | None,
        typer.Option(help="Folder of other pairs, so that nothing general is lost."),
    ] = None,
    lora: options.Lora = None,
    name: options.Name = "mine",
    start_from: Annotated[
        str, typer.Option(help="Checkpoint whose encoder is tuned.")
    ] = DEFAULT_MODEL,
    minutes: options.Minutes = _DEFAULT.minutes,
    steps: options.Steps = None,
    pair_mb: Annotated[
        float, typer.Option(help="Most MB of pairs from one of the other files.")
    ] = _DEFAULT.pair_mb,
    own: Annotated[int, typer.Option(min=1, help="Pairs of a batch from DATA.")] = _DEFAULT.own,
    others: Annotated[
        int, typer.Option(min=1, help="Pairs of a batch from the other folder; more on a GPU.")
    ] = _DEFAULT.others,
    kept: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the start in the weights at the end.")
    ] = _DEFAULT.kept,
    rates: options.Rates = 1.0,
    seed: Annotated[int, typer.Option(help="Of batches.")] = _DEFAULT.seed,
    threads: options.Threads = 0,
    device: options.Device = "auto",
) -> None:
    """Tune an encoder on questions; run it again to go on after an interruption.

    The expander learns to read the new gists, by least squares; train it on (r3mem train).

    Example: r3mem tune data/questions --teacher all-MiniLM-L6-v2 --out runs/tuned --minutes 60
    """
    session = Session.open(out, start_from, device, threads, seed)
    console, where, start = session.console, session.device, session.start
    recipe = replace(
        _DEFAULT,
        minutes=minutes,
        steps=steps,
        pair_mb=pair_mb,
        learning_rate=_DEFAULT.learning_rate * rates,
        own=own,
        others=others if beside is not None else 0,
        kept=kept,
        seed=seed,
    )
    with session.preparing() as note:
        pairs = read(data, beside, recipe.pair_mb)
        known = prepare(pairs, start, teacher, recipe, out, where, note)
    console.print(f"{len(pairs.query):,} pairs of {len(pairs.texts):,} texts")
    begun = torch_encoder(start.encoder)
    encoder = Encoder.thaw(begun)
    if lora is not None:
        add_adapters(encoder, lora)
    lessons, dtype = Lessons(pairs, recipe), fastest_dtype(where)
    run = TuningRun(encoder, known, lessons, recipe, out, where, dtype)
    follow(run, console)
    with console.status("writing the checkpoint"):
        tuned = merge_adapters(encoder.cpu())
        frozen = blend(tuned, Encoder.thaw(begun), recipe.kept).freeze()
        after = gists_of(known.pieces, frozen, torch.device("cpu"))
        before, now = (torch.from_numpy(np.sign(one)) for one in (known.gists, after))
        expander, read_again = realign(torch_expander(start.expander), before, now)
        made = replace(start, name=name, encoder=stored(frozen), expander=stored(expander))
        model = session.save(made)
    stage = describe_run(run, recipe, start.fingerprint) | {
        "teacher": teacher.name,
        "lora_rank": lora,
        "pairs": len(pairs.query),
        "bits_kept": round(float((before == now).float().mean()), 4),
        "gist_read_again": round(read_again, 4),
        "data_sha256": hash_folders(data, beside),
    }
    earlier = read_record(session.folder)
    record = write_record(session.checkpoint, model, earlier, tuning=stage)
    draw(record, out / "tuning.png")
    console.print(f"checkpoint in {session.checkpoint}, picture in {out / 'tuning.png'}")
