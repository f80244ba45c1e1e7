"""``python -m benchmarks latent``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import rich_click as click

from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model

PAIRS = ("strategyqa_pairs", "squality_pairs", "nqg_squad_sentence_pairs", "sgd_slot_pairs")


@click.command(
    "latent",
    epilog=examples(
        "python -m benchmarks latent --base SmolLM2-135M --adapter runs/latent/adapter "
        "--wikitext wikitext2/test.txt --dialogues eval/dialogues --pairs data/train "
        "--conversations locomo10.json"
    ),
)
@click.option("--base", required=True, help="Causal language model: a folder or a name.")
@click.option("--adapter", type=click.Path(path_type=Path), required=True, help="Its adapter.")
@click.option("--wikitext", type=click.Path(path_type=Path), help="A text to read on.")
@click.option(
    "--dialogues", type=click.Path(path_type=Path), help="Folder of dialogues to read on."
)
@click.option("--pairs", type=click.Path(path_type=Path), help="Folder of questions and passages.")
@click.option(
    "--sets",
    default=",".join(PAIRS),
    help="Files of that folder, without endings, with commas between.",
)
@click.option(
    "--conversations",
    type=click.Path(path_type=Path),
    help="LoCoMo's file, or as in docs/recall.md.",
)
@click.option("--windows", type=click.IntRange(min=1), default=20, help="Texts read of a source.")
@click.option(
    "--questions", type=click.IntRange(min=1), default=12, help="Of a set, and of a conversation."
)
@click.option("--limit", type=click.IntRange(min=1), default=2, help="Conversations asked about.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    default=512,
    help="Tokens before a question about a conversation.",
)
@click.option("--threads", type=int, default=0, help="CPU threads; 0 for all.")
@click.option("--device", default="auto", help="cpu, cuda, or auto.")
@seed_option
@out_option
@model_option
@json_option
def latent(
    base: str,
    adapter: Path,
    wikitext: Path | None,
    dialogues: Path | None,
    pairs: Path | None,
    sets: str,
    conversations: Path | None,
    windows: int,
    questions: int,
    limit: int,
    budget: int,
    threads: int,
    device: str,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Read texts and answer questions after memory tokens, and after what they stand for.

    Questions about passages are those that r3mem latent train holds out.
    """
    from benchmarks.dialogues import digest, find_files
    from benchmarks.latent import asking, reading, report, sources
    from benchmarks.latent.answers import summary
    from benchmarks.recall.readers import files
    from r3mem_agents.latent import LatentMemory
    from r3mem_agents.train.run import device_of, fastest_dtype, prepare_process

    prepare_process(threads, seed)
    where = device_of(device)
    dtype = fastest_dtype(where)
    begun = time.monotonic()
    memory = LatentMemory.from_base(base, adapter, device=where, dtype=dtype)
    reversible = require_model(model)
    longest = max(cell.history for cell in reading.CELLS) + reading.READ
    streams = {
        name: sources.windows(text, memory.tokenizer, windows, longest)
        for name, text in sources.streams(wikitext, dialogues).items()
    }
    names = tuple(sets.split(","))
    asked = [] if pairs is None else sources.questions(pairs, names, questions)
    talks = () if conversations is None else files.read([conversations], limit).conversations
    drawn = [(talk, asking.drawn(talk, questions, seed)) for talk in talks]
    figures: dict[str, Any] = {"reading": {}}
    with progress() as bar:
        total = sum(map(len, streams.values())) + len(asked) + sum(len(some) for _, some in drawn)
        task = bar.add_task("reading and asking", total=total)

        def advance(steps: int) -> None:
            bar.advance(task, steps)

        for name, held in streams.items():
            figures["reading"][name] = reading.measure(memory.adapter, held, reading.CELLS, advance)
        figures["costs"] = reading.costs(
            memory.adapter, streams[sources.MEETINGS][0], reading.CELLS[-1].segment
        )
        if asked:
            figures["passages"] = asking.passages(memory, reversible, asked, advance)
        if talks:
            rows = [
                row
                for talk, some in drawn
                for row in asking.conversation(memory, reversible, talk, some, budget, advance)
            ]
            figures["conversations"] = {"budget": budget, "ways": summary(rows)}
    figures["minutes"] = round((time.monotonic() - begun) / 60, 1)
    given = [path for path in (wikitext, conversations) if path is not None]
    given += find_files([dialogues]) if dialogues is not None else []
    given += sources.pair_files(pairs, names) if pairs is not None else []
    config: dict[str, Any] = {
        **identity(reversible),
        "base": Path(base).name,
        "base_fingerprint": memory.adapter.base_fingerprint,
        "adapter_fingerprint": memory.fingerprint,
        "memory_tokens": memory.adapter.tokens,
        "dtype": str(dtype).split(".")[-1],
        "data": {path.name: digest(path) for path in given},
        "seed": seed,
    }
    publish(
        out_dir / "latent.json",
        config,
        figures,
        show=lambda: report.show(out(), figures),
        as_json=as_json,
    )
