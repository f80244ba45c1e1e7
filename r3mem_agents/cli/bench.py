"""``r3mem bench``: codec, speed, and recall, which has a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from r3mem_agents.cli.bench_recall import recall
from r3mem_agents.cli.bench_scale import scale
from r3mem_agents.cli.console import bytes_text, err, examples, out, progress
from r3mem_agents.cli.options import JsonOption, ModelOption, require_model
from r3mem_agents.cli.results import DEFAULT_OUT, OutOption, SeedOption, publish
from r3mem_agents.errors import InvalidInputError

app = typer.Typer(
    help="Measure, print the figures beside the peers', and write them as JSON.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

DICTIONARY_SAMPLE_BYTES = 8_000_000
"""Training text for the 64 KB zstd dictionary: about a hundred times its size, as zstd advises."""


@app.command(
    "codec",
    epilog=examples(
        "r3mem bench codec --data dialogues/ --dictionary-from train/",
        "r3mem bench codec --data chats.jsonl --limit 500 --json",
    ),
)
def codec(
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Held-out dialogues: *.jsonl(.zst) or folders; repeatable."),
    ],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Turns per data set; all if left out.")
    ] = None,
    dictionary_from: Annotated[
        Path | None,
        typer.Option("--dictionary-from", help="Training dialogues for a zstd dictionary."),
    ] = None,
    seed: SeedOption = 0,
    out_dir: OutOption = DEFAULT_OUT,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Weigh turns as memory tokens, and under static coders, zstd and brotli."""
    from r3mem_agents.bench import codec as measuring
    from r3mem_agents.bench import codec_report, peers
    from r3mem_agents.bench import data as reading

    files = reading.find_files(data)
    turns = [said for path in files for said in reading.read_turns(path, limit)]
    if not turns:
        raise InvalidInputError("the data holds no dialogue turns")
    reversible = require_model(model)
    samples: list[bytes] | None = None
    with err().status("preparing the peers"):
        if dictionary_from is not None:
            training = reading.dialogue_files(reading.find_files([dictionary_from]))
            samples = reading.sample_bytes(training, DICTIONARY_SAMPLE_BYTES, seed)
        coders = dict(peers.byte_coders(samples))
    with progress() as bar:
        task = bar.add_task("compressing and expanding", total=len(turns))
        result = measuring.measure(reversible, turns, coders, lambda n: bar.advance(task, n))
    figures = measuring.summarize(result)
    config = {
        "model": reversible.name,
        "fingerprint": str(reversible.fingerprint),
        "data": {item.name: reading.digest(item) for item in files},
        "limit": limit,
        "dictionary_from": dictionary_from.name if dictionary_from else None,
        "dictionary_samples": len(samples) if samples else 0,
        "seed": seed,
    }
    publish(
        out_dir / "codec.json",
        config,
        figures,
        show=lambda: codec_report.show(out(), figures),
        plot=lambda picture: codec_report.plot(picture, result, len(turns)),
        as_json=as_json,
    )
    if figures["turns_byte_exact"] != figures["turns"]:
        raise typer.Exit(1)


@app.command(
    "speed",
    epilog=examples(
        "r3mem bench speed --quick",
        "r3mem bench speed --turns 100000 --data dialogues/ --json",
    ),
)
def speed(
    turns: Annotated[int, typer.Option(min=100, help="Turns in the memory.")] = 10_000,
    quick: Annotated[bool, typer.Option("--quick", help="500 turns, a tenth of the rest.")] = False,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Draw turns from these dialogues instead of the demo's."),
    ] = None,
    seed: SeedOption = 0,
    out_dir: OutOption = DEFAULT_OUT,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time writes, lookups and expansion, and weigh the file.

    Turns are drawn from --data as they are; by default one to three sentences of the demo's
    meetings are put together and numbered.
    """
    from r3mem_agents.bench import data as reading
    from r3mem_agents.bench import speed as measuring
    from r3mem_agents.model.exact import int8_kernel_pays

    plan = measuring.Plan.of(turns, quick, seed)
    files = reading.find_files(data) if data else []
    stock = (
        [said.text for path in files for said in reading.read_turns(path)]
        if files
        else measuring.demo_texts()
    )
    if not stock:
        raise InvalidInputError("the data holds no dialogue turns")
    made = measuring.make_turns(stock, plan.turns, seed, combine=not files)
    reversible = require_model(model)
    with progress(by_itself=False) as bar:
        tasks = {name: bar.add_task(name, total=total) for name, total in plan.steps.items()}

        def advance(stage: str, steps: int) -> None:
            bar.update(tasks[stage], advance=steps, refresh=True)

        figures = measuring.measure(reversible, made, plan, advance)
    figures["wheel_bytes"] = measuring.wheel_bytes(Path("dist"))
    config: dict[str, object] = {
        "model": reversible.name,
        "fingerprint": reversible.fingerprint,
        "products": "int8" if int8_kernel_pays() else "float32",
        "turns": plan.turns,
        "single_writes": plan.single_writes,
        "lookups": plan.lookups,
        "source": [path.name for path in files] or "sentences of the demo's meetings, recombined",
        "seed": seed,
    }
    publish(
        out_dir / "speed.json",
        config,
        figures,
        show=lambda: _show_speed(figures, config),
        as_json=as_json,
    )


app.command(
    "recall",
    epilog=examples(
        "r3mem bench recall --data locomo10.json",
        "r3mem bench recall --data chats.jsonl --systems r3mem,bm25 --ablate",
    ),
)(recall)

app.command(
    "scale",
    epilog=examples(
        "r3mem bench scale --sizes 1000,10000",
        "r3mem bench scale --sizes 1000,10000,100000,1000000 --users 10000x100",
    ),
)(scale)


def _show_speed(figures: dict[str, object], config: dict[str, object]) -> None:
    table = Table(title=f"Speed and size, {config['turns']:,} turns", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    one = figures["write_one_ms"]
    assert isinstance(one, dict)
    table.add_row("write one turn, p50 / p95", f"{one['p50']:.1f} / {one['p95']:.1f} ms")
    table.add_row("write in batches", f"{figures['write_batch_turns_per_s'] or 0:,.0f} turns/s")
    lookups = figures["recall_ms"]
    assert isinstance(lookups, dict)
    for count, times in lookups.items():
        label = f"recall of 5 at {int(count):,} turns, p50 / p95"
        table.add_row(label, f"{times['p50']:.1f} / {times['p95']:.1f} ms")
    again = figures["recall_again_ms"]
    assert isinstance(again, dict)
    for count, times in again.items():
        label = f"the same once more at {int(count):,} turns"
        table.add_row(label, f"{times['p50']:.1f} / {times['p95']:.1f} ms")
    table.add_row("expand", f"{figures['expand_tokens_per_s'] or 0:,.0f} tokens/s")
    table.add_row("file to text", f"{figures['file_to_text']}")
    table.add_row("memory tokens to text", f"{figures['code_to_text']}")
    table.add_row("import r3mem_agents", f"{figures['import_s_median']} s")
    wheel = figures["wheel_bytes"]
    table.add_row("wheel", bytes_text(wheel) if isinstance(wheel, int) else "not built")
    out().print(table)
