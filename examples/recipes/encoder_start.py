"""Measure what the start of an encoder brings: the layers of a pretrained one, or random weights.

    python examples/recipes/encoder_start.py DATA TEACHER RUN OUT.json [STEPS]

``TEACHER`` is an uncased BERT with word pieces, as ``r3mem distil`` takes it; what is prepared is
kept in the folder ``RUN``. Each start is
distilled on the same batches, and measured on the same texts, which are held out:

- ``base``: embeddings and layers of the teacher, as ``r3mem distil`` begins;
- ``embeddings``: its embeddings, and random layers;
- ``random``: nothing of it.

Each is run at the usual rate and at a third of it, since what suits one start need not suit
another.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from r3mem_agents.model import checkpoint
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.provenance import write_result
from r3mem_agents.train.distil.loop import EncoderRun
from r3mem_agents.train.distil.pool import Lessons
from r3mem_agents.train.distil.prepare import Sources, begin, prepare
from r3mem_agents.train.progress import follow
from r3mem_agents.train.recipe import EncoderRecipe
from r3mem_agents.train.run import prepare_process
from r3mem_agents.types import DEFAULT_MODEL

STARTS, RATES = ("base", "embeddings", "random"), (1.0, 1 / 3)


def main(data: str, teacher: str, run: str, out: str, steps: str = "60") -> None:
    """Distil from each start at each rate, and write the figures."""
    recipe = replace(
        EncoderRecipe(), steps=int(steps), batch_tokens=2048, source_mb=0.5, pair_mb=0.5
    )
    prepare_process(threads=0, seed=recipe.seed)
    sources, console, device = (
        Sources(Path(data), Path(teacher), None, ""),
        Console(),
        torch.device("cpu"),
    )
    made = Path(run)
    made.mkdir(parents=True, exist_ok=True)
    start = checkpoint.load(DEFAULT_MODEL)
    taught = prepare(sources, made, recipe, start, device, console.print)
    bits = start.expander.config.gist_bits
    found = {}
    for name in STARTS:
        for rate in RATES:
            torch.manual_seed(recipe.seed)
            encoder, vector = _cut(*begin(sources, made, recipe, bits), name)
            own = replace(recipe, learning_rate=recipe.learning_rate * rate)
            lessons, title = Lessons(taught.pool, own, device), f"{name}, {own.learning_rate:.1e}"
            folder = made / title.replace(", ", "-")
            folder.mkdir(exist_ok=True)
            console.print(title)
            found[title] = _distil(
                EncoderRun(encoder, vector, own, lessons, folder, device, torch.float32), console
            )
    write_result(
        Path(out),
        benchmark="encoder_start",
        config={
            "steps": recipe.steps,
            "batch_tokens": recipe.batch_tokens,
            "seed": recipe.seed,
            "teacher": Path(teacher).name,
            "texts": len(taught.pool.pieces),
            "data_sha256": taught.hashes,
        },
        figures=found,
    )


def _cut(encoder: Encoder, vector: nn.Linear, name: str) -> tuple[Encoder, nn.Linear]:
    """Take from a start what it is not to have of its base."""
    if name == "base":
        return encoder, vector
    other = Encoder(encoder.config)
    if name == "embeddings":
        other.embedding.load_state_dict(encoder.embedding.state_dict())
        other.position.data.copy_(encoder.position)
    return other, nn.Linear(vector.in_features, vector.out_features)


def _distil(run: EncoderRun, console: Console) -> dict[str, Any]:
    """Return what is held out before and after a run, and the loss along it."""
    with torch.no_grad():
        before = run.measure()
    follow(run, console)
    return {
        "before": before,
        "after": run.curve[-1]["held_out"],
        "tokens": run.tokens,
        "cosine": [(point["step"], point["cosine"]) for point in run.curve],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
