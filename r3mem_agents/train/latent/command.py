"""``r3mem latent train``: the memory tokens of a base model, from a folder of JSONL files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import rich_click as click
from rich.console import Console

from r3mem_agents.latent import LatentMemory
from r3mem_agents.train import options
from r3mem_agents.train.latent import record
from r3mem_agents.train.latent.begun import check_begun
from r3mem_agents.train.latent.lessons import Lessons
from r3mem_agents.train.latent.loop import ADAPTER, LatentRun
from r3mem_agents.train.latent.texts import prepare
from r3mem_agents.train.latent.words import Words
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import LatentRecipe
from r3mem_agents.train.record import describe_run
from r3mem_agents.train.run import device_of, fastest_dtype, prepare_process, saved_dtype

_DEFAULT = LatentRecipe()


@click.group("latent")
def latent() -> None:
    """Train the memory tokens that a causal language model reads in place of its history.

    Example: r3mem latent train SmolLM2-135M --data data/train --out runs/latent
    """


@latent.command("train")
@click.argument("base", help="Causal language model: a folder or a name, as transformers takes it.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of *.jsonl or *.jsonl.zst files, also in its folders.",
)
@options.out_option
@click.option(
    "--start-from", type=click.Path(path_type=Path), help="Adapter that training starts with."
)
@options.minutes_option(_DEFAULT.minutes)
@options.steps_option
@click.option(
    "--source-mb",
    type=options.MB,
    default=_DEFAULT.source_mb,
    help="Most MB of text from one file.",
)
@click.option(
    "--batch-tokens",
    type=click.IntRange(min=1),
    default=_DEFAULT.batch_tokens,
    help="Tokens of the histories of a part of a step; more on a GPU.",
)
@click.option(
    "--parts", type=click.IntRange(min=1), default=_DEFAULT.parts, help="Parts of a step."
)
@options.rates_option
@click.option("--seed", type=options.SEED, default=_DEFAULT.seed, help="Of batches.")
@options.threads_option
@options.device_option
def train(
    base: str,
    data: Path,
    out: Path,
    start_from: Path | None,
    minutes: float,
    steps: int | None,
    source_mb: float,
    batch_tokens: int,
    parts: int,
    rates: float,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Train memory tokens on a base that stays as it is; run it again to go on.

    The state and the adapter are saved every four minutes, held-out texts measured every ten.

    Example: r3mem latent train SmolLM2-135M --data data/train --out runs/latent --minutes 240
    """
    prepare_process(threads, seed)
    console, where = Console(), device_of(device)
    out.mkdir(parents=True, exist_ok=True)
    recipe = replace(
        _DEFAULT,
        minutes=minutes,
        steps=steps,
        source_mb=source_mb,
        batch_tokens=batch_tokens,
        parts=parts,
        learning_rate=_DEFAULT.learning_rate * rates,
        seed=seed,
    )
    dtype = saved_dtype(out) or fastest_dtype(where)
    with console.status("loading the base") as status:
        memory = LatentMemory.from_base(base, start_from, device=where, dtype=dtype)
        adapter, started_from = memory.adapter, memory.fingerprint if start_from else None
        check_begun(out, base=adapter.base_fingerprint, adapter=started_from)
        texts, hashes = prepare(
            data,
            out,
            memory.tokenizer,
            adapter.base_fingerprint,
            recipe,
            lambda text: status.update(f"preparing: {text}"),
        )
        check_begun(out, data=hashes)
        words = Words(memory.tokenizer, texts.counts)
        lessons = Lessons(texts, words, recipe, adapter.positions.limit)
        status.update("reading held-out texts")
        run = LatentRun(adapter, lessons, recipe, out, where, dtype)
    console.print(
        f"{len(texts.documents.ids):,} tokens in {len(texts.documents):,} documents, "
        f"{len(texts.passages):,} questions; the base computes in {str(dtype).split('.')[-1]}"
    )
    follow(run, console)
    made = describe_run(run, recipe, started_from) | {
        "base": Path(base).name,
        "base_fingerprint": adapter.base_fingerprint,
        "fingerprint": memory.fingerprint,
        "memory_tokens": adapter.tokens,
        "parameters": sum(parameter.numel() for parameter in adapter.parameters()),
        "dtype": str(dtype).split(".")[-1],
        "peak_memory_gb": record.peak_memory_gb(),
        "documents": len(texts.documents),
        "pairs": len(texts.passages),
        "data_sha256": hashes,
    }
    record.write(out, made)
    record.draw(run.curve, out / "training.png")
    console.print(f"adapter in {out / ADAPTER}, picture in {out / 'training.png'}")
