"""``r3mem train``: from a folder of JSONL files to a checkpoint, its record and its picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from r3mem_agents.model import ReversibleModel, checkpoint
from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.pretrained import add_adapters, from_transformers, merge_adapters
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.words import Words
from r3mem_agents.train.batches import Batches
from r3mem_agents.train.corpus import Corpus, hash_files
from r3mem_agents.train.loop import Progress as Report
from r3mem_agents.train.loop import Trainer
from r3mem_agents.train.prepare import prepare
from r3mem_agents.train.recipe import GOING_ON, Recipe
from r3mem_agents.train.record import describe_run, draw, measure
from r3mem_agents.train.taught import load_taught
from r3mem_agents.train.topics import Topics

_DEFAULT = Recipe()


def train(
    data: Annotated[Path, typer.Argument(help="Folder of *.jsonl or *.jsonl.zst files.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: state, curve, checkpoint.")],
    name: Annotated[str, typer.Option(help="Name of the model, as memories record it.")] = "mine",
    minutes: Annotated[float, typer.Option(help="Wall time of training.")] = _DEFAULT.minutes,
    steps: Annotated[int | None, typer.Option(min=1, help="Most steps, if they end first.")] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Folder of held-out dialogs, for the record.")
    ] = None,
    layers: Annotated[int, typer.Option(help="Couplings in the stack.")] = _DEFAULT.config.layers,
    hidden: Annotated[int, typer.Option(help="Channels of a stream.")] = _DEFAULT.config.hidden,
    batch_tokens: Annotated[int, typer.Option(help="Positions per step.")] = _DEFAULT.batch_tokens,
    source_mb: Annotated[
        float, typer.Option(help="Most MB of text from one file.")
    ] = _DEFAULT.source_mb,
    start_from: Annotated[
        str | None,
        typer.Option(help="Checkpoint whose tokenizer and weights to start with, as they fit."),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a Hugging Face Transformer whose layers, sizes too, to adapt."
        ),
    ] = None,
    adapter_rank: Annotated[int, typer.Option(help="Rank of the adapters put on --base.")] = 16,
    taught: Annotated[
        Path | None,
        typer.Option(help="File of texts with vectors of a sentence encoder, for the gist."),
    ] = None,
    most_words: Annotated[
        int, typer.Option("--words", help="Words with a topic of their own, with --taught.")
    ] = 32_000,
    gist_from: Annotated[
        float | None,
        typer.Option(
            help="Share of the time after which the gist is trained.",
            show_default=f"{_DEFAULT.gist_from}; 0 with --start-from",
        ),
    ] = None,
    rates: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Factor on the learning rates.",
            show_default=f"1; {GOING_ON} with --start-from",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights and batches.")] = _DEFAULT.seed,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for all.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
) -> None:
    """Train a checkpoint; run the same command again to go on after an interruption.

    Example: r3mem train data/train --out runs/mine --minutes 120 --held-out data/eval
    """
    if base is not None and start_from is not None:
        raise typer.BadParameter("--start-from and --base exclude each other")
    console = Console()
    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    recipe = Recipe(
        config=replace(
            _DEFAULT.config,
            layers=layers,
            hidden=hidden,
            feedforward=4 * hidden,
            words=most_words if taught is not None else 0,
        ),
        minutes=minutes,
        steps=steps,
        batch_tokens=batch_tokens,
        source_mb=source_mb,
        seed=seed,
    )
    start = checkpoint.find(start_from) if start_from is not None else None
    tokens = Tokenizer.load(start / "tokenizer.json") if start is not None else None
    listed = Words.load(start / "words.txt") if start is not None and taught is None else None
    out.mkdir(parents=True, exist_ok=True)
    with console.status("preparing") as status:
        tokenizer, words, corpus, hashes = prepare(
            data, out, recipe, lambda text: status.update(f"preparing: {text}"), tokens, listed
        )
        teacher = load_taught(taught, recipe.config.gist_bits) if taught is not None else None
    console.print(
        f"{len(corpus.segments.tokens):,} tokens in {len(corpus.segments):,} segments, "
        f"{len(corpus.groups):,} pairs"
    )
    with console.status("making the network"):
        network = _begin(recipe, tokenizer, words, corpus, start, base, adapter_rank)
    if rates is None:
        rates = 1.0 if start is None else GOING_ON
    if gist_from is None:
        gist_from = recipe.gist_from if start is None else 0.0
    recipe = replace(recipe.with_rates(rates), gist_from=gist_from, config=network.config)
    with console.status("cutting what is taught"):
        batches = Batches(corpus, recipe, tokenizer, words, teacher)
    # Words were fitted to a teacher: what they made of the gist is kept, unless one is there again.
    keep = checkpoint.load(start).network if start and teacher is None and len(words) else None
    trainer = Trainer(network, recipe, batches, out, torch.device(where), keep)
    if trainer.resume():
        console.print(f"going on from step {trainer.step:,}, {trainer.elapsed_s / 60:.0f} minutes")
    elif teacher is not None:
        topics = Topics(words, teacher, batches.pair_words(), recipe.temperature, seed)
        network.teach_topics(fit(topics, recipe.topic_steps, console))
    follow(trainer, console)
    trainer.network.to("cpu")
    with console.status("writing the checkpoint"):
        trained = merge_adapters(trainer.network)
        model = ReversibleModel.from_network(trained, tokenizer, words, corpus.counts, name)
        model.save_pretrained(out / "checkpoint")
    record: dict[str, Any] = {
        "name": name,
        "fingerprint": model.fingerprint,
        "started_from": checkpoint.fingerprint(start) if start is not None else None,
        "base": base.name if base is not None else None,
        "adapter_rank": adapter_rank if base is not None else None,
        "data_sha256": hashes,
        "taught_sha256": hash_files([taught])[taught.name] if taught is not None else None,
        "taught_texts": len(teacher.texts) if teacher is not None else 0,
        **describe_run(trainer, corpus),
    }
    if held_out is not None:
        with console.status("measuring on held-out dialogs"):
            record["held_out"] = measure(model, held_out)
        console.print_json(data=record["held_out"])
    (out / "checkpoint" / "training.json").write_text(json.dumps(record, indent=1) + "\n")
    draw(trainer.curve, out / "training.png")
    console.print(f"checkpoint in {out / 'checkpoint'}, picture in {out / 'training.png'}")


def _begin(
    recipe: Recipe,
    tokenizer: Tokenizer,
    words: Words,
    corpus: Corpus,
    start: Path | None,
    base: Path | None,
    adapter_rank: int,
) -> R3MemNetwork:
    # A network before its first step: random, of a checkpoint, or of another Transformer's layers.
    if base is not None:
        adapted = from_transformers(base, tokenizer, words=len(words))
        network = add_adapters(adapted, adapter_rank)
    else:  # little text has few tokens and words
        sizes = replace(recipe.config, vocabulary=tokenizer.vocabulary, words=len(words))
        network = R3MemNetwork(sizes)
    network.set_unigram(torch.from_numpy(corpus.counts).float())
    if start is not None:
        checkpoint.adopt(network, start)
    return network


def follow(trainer: Trainer, console: Console) -> None:
    """Run a trainer to its end under a progress bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=1.0, figures="compiling")
        for report in trainer.run():
            bar.update(task, completed=trainer.progress, figures=figures(report))
            if report.held_out_bits is not None:
                console.print(f"step {report.step:,}: held out {report.held_out_bits:.3f} bits")


def fit(topics: Topics, steps: int, console: Console) -> Tensor:
    """Train the topics of words under a progress bar; ``(words + 1, gist_bits)``."""
    figure = TextColumn("likeness {task.fields[like]}")
    columns = (TextColumn("topics of words"), BarColumn(), figure, TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("topics", total=steps, like="")
        for likeness in topics.fit(steps):
            bar.update(task, advance=1, like=f"{likeness:.3f}")
    return topics.matrix()


def figures(report: Report) -> str:
    """One line of a report."""
    return (
        f"step {report.step:,}  {report.bits_per_token:.3f} bits/token  "
        f"{report.accuracy:.1%} inferred  gist {report.gist_accuracy:.1%} {report.likeness:.3f}  "
        f"{report.tokens_per_s:,.0f} tokens/s"
    )
