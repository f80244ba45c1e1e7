"""``r3mem tune``: an encoder that finds what answers, tuned on questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import rich_click as click
import torch

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

_DEFAULT = TuningRecipe()


@click.command("tune")
@click.argument(
    "data", type=click.Path(path_type=Path), help="Folder of *.jsonl or *.jsonl.zst files of pairs."
)
@click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of a sentence encoder whose lists are to be resembled.",
)
@options.out_option
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    help="Folder of other pairs, so that nothing general is lost.",
)
@options.lora_option
@options.name_option
@click.option("--start-from", default=DEFAULT_MODEL, help="Checkpoint whose encoder is tuned.")
@options.minutes_option(_DEFAULT.minutes)
@options.steps_option
@click.option(
    "--pair-mb",
    type=options.MB,
    default=_DEFAULT.pair_mb,
    help="Most MB of pairs from one of the other files.",
)
@click.option(
    "--own", type=click.IntRange(min=1), default=_DEFAULT.own, help="Pairs of a batch from DATA."
)
@click.option(
    "--others",
    type=click.IntRange(min=1),
    default=_DEFAULT.others,
    help="Pairs of a batch from the other folder; more on a GPU.",
)
@click.option(
    "--kept",
    type=click.FloatRange(min=0, max=1),
    default=_DEFAULT.kept,
    help="Share of the start in the weights at the end.",
)
@options.rates_option
@click.option("--seed", type=options.SEED, default=_DEFAULT.seed, help="Of batches.")
@options.threads_option
@options.device_option
def tune(
    data: Path,
    teacher: Path,
    out: Path,
    beside: Path | None,
    lora: int | None,
    name: str,
    start_from: str,
    minutes: float,
    steps: int | None,
    pair_mb: float,
    own: int,
    others: int,
    kept: float,
    rates: float,
    seed: int,
    threads: int,
    device: str,
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
