"""``python -m benchmarks latent`` and ``latent-questions``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from benchmarks.results import identity, out_option, publish, seed_option
from r3mem_agents.cli.console import examples, out, progress
from r3mem_agents.cli.options import json_option, model_option, require_model

if TYPE_CHECKING:
    from r3mem_agents.latent import LatentMemory

PAIRS = ("strategyqa_pairs", "squality_pairs", "nqg_squad_sentence_pairs", "sgd_slot_pairs")


def _base_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--device", default="auto", help="cpu, cuda, or auto."),
        click.option("--threads", type=int, default=0, help="CPU threads; 0 for all."),
        click.option(
            "--adapter", type=click.Path(path_type=Path), required=True, help="Its adapter."
        ),
        click.option("--base", required=True, help="Causal language model: a folder or a name."),
    ):
        command = option(command)
    return command


@click.command(
    "latent",
    epilog=examples(
        "python -m benchmarks latent --base SmolLM2-135M --adapter runs/latent/adapter "
        "--wikitext wikitext2/test.txt --dialogues eval/dialogues"
    ),
)
@_base_options
@click.option("--wikitext", type=click.Path(path_type=Path), help="A text to read on.")
@click.option(
    "--dialogues", type=click.Path(path_type=Path), help="Folder of dialogues to read on."
)
@click.option("--windows", type=click.IntRange(min=1), default=20, help="Texts read of a source.")
@seed_option
@out_option
@json_option
def latent(
    base: str,
    adapter: Path,
    threads: int,
    device: str,
    wikitext: Path | None,
    dialogues: Path | None,
    windows: int,
    seed: int,
    out_dir: Path,
    as_json: bool,
) -> None:
    """Read texts on after memory tokens, and after what these stand for."""
    from benchmarks.dialogues import find_files
    from benchmarks.latent import reading, report, sources

    begun = time.monotonic()
    memory = _opened(base, adapter, threads, device, seed)
    longest = max(cell.history for cell in reading.CELLS) + reading.READ
    streams = {
        name: sources.windows(text, memory.tokenizer, windows, longest)
        for name, text in sources.streams(wikitext, dialogues).items()
    }
    figures: dict[str, Any] = {"reading": {}}
    with progress() as bar:
        task = bar.add_task("reading", total=sum(map(len, streams.values())))
        for name, held in streams.items():
            figures["reading"][name] = reading.measure(
                memory.adapter, held, reading.CELLS, lambda steps: bar.advance(task, steps)
            )
    figures["costs"] = reading.costs(
        memory.adapter, streams[sources.MEETINGS][0], reading.CELLS[-1].segment
    )
    figures["minutes"] = round((time.monotonic() - begun) / 60, 1)
    given = [wikitext] if wikitext is not None else []
    given += find_files([dialogues]) if dialogues is not None else []
    publish(
        out_dir / "latent.json",
        _config(memory, base, given, seed),
        figures,
        show=lambda: report.show_reading(out(), figures),
        as_json=as_json,
    )


@click.command(
    "latent-questions",
    epilog=examples(
        "python -m benchmarks latent-questions --base SmolLM2-135M --adapter runs/latent/adapter "
        "--pairs data/train --conversations locomo10.json"
    ),
)
@_base_options
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of questions and passages.",
)
@click.option(
    "--sets",
    default=",".join(PAIRS),
    help="Files of that folder, without endings, with commas between.",
)
@click.option(
    "--conversations",
    type=click.Path(path_type=Path),
    required=True,
    help="LoCoMo's file, or as in docs/recall.md.",
)
@click.option(
    "--questions", type=click.IntRange(min=1), default=24, help="Of a set, and of a conversation."
)
@click.option("--limit", type=click.IntRange(min=1), default=2, help="Conversations asked about.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    default=512,
    help="Tokens before a question about a conversation.",
)
@seed_option
@out_option
@model_option
@json_option
def latent_questions(
    base: str,
    adapter: Path,
    threads: int,
    device: str,
    pairs: Path,
    sets: str,
    conversations: Path,
    questions: int,
    limit: int,
    budget: int,
    seed: int,
    out_dir: Path,
    model: str | None,
    as_json: bool,
) -> None:
    """Answer questions after memory tokens, and after what these stand for.

    Questions about passages are those that r3mem latent train holds out.
    """
    from benchmarks.latent import asking, report, sources
    from benchmarks.latent.answers import summary
    from benchmarks.recall.readers import files

    begun, names = time.monotonic(), tuple(sets.split(","))
    memory, reversible = _opened(base, adapter, threads, device, seed), require_model(model)
    asked = sources.questions(pairs, names, questions)
    talks = files.read([conversations], limit).conversations
    drawn = [(talk, asking.drawn(talk, questions, seed)) for talk in talks]
    with progress() as bar:
        total = len(asked) + sum(len(some) for _, some in drawn)
        task = bar.add_task("asking", total=total)

        def advance(steps: int) -> None:
            bar.advance(task, steps)

        figures: dict[str, Any] = {
            "passages": asking.passages(memory, reversible, asked, advance),
        }
        rows = [
            row
            for talk, some in drawn
            for row in asking.conversation(memory, reversible, talk, some, budget, advance)
        ]
    figures["conversations"] = {"budget": budget, "ways": summary(rows)}
    figures["minutes"] = round((time.monotonic() - begun) / 60, 1)
    publish(
        out_dir / "latent-questions.json",
        identity(reversible)
        | _config(memory, base, [*sources.pair_files(pairs, names), conversations], seed),
        figures,
        show=lambda: report.show_questions(out(), figures),
        as_json=as_json,
    )


def _opened(base: str, adapter: Path, threads: int, device: str, seed: int) -> LatentMemory:
    from r3mem_agents.latent import LatentMemory
    from r3mem_agents.train.run import device_of, fastest_dtype, prepare_process

    prepare_process(threads, seed)
    where = device_of(device)
    return LatentMemory.from_base(base, adapter, device=where, dtype=fastest_dtype(where))


def _config(memory: LatentMemory, base: str, given: Sequence[Path], seed: int) -> dict[str, Any]:
    from benchmarks.dialogues import digest

    return {
        "base": Path(base).name,
        "base_fingerprint": memory.adapter.base_fingerprint,
        "adapter_fingerprint": memory.fingerprint,
        "memory_tokens": memory.adapter.tokens,
        "dtype": str(memory.adapter.base.dtype).split(".")[-1],
        "data": {path.name: digest(path) for path in given},
        "seed": seed,
    }
