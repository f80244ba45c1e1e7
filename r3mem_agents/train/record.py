"""The record of a training: ``training.json`` beside the checkpoint, and a plot of it.

The record has the stages of ``STAGES``. A command copies the other stages from the record of the
checkpoint that it started from; a stage that continued from trained weights holds their stage as
``before``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from r3mem_agents.errors import MissingExtraError
from r3mem_agents.model import ReversibleModel
from r3mem_agents.provenance import describe, versions
from r3mem_agents.train.corpus import data_files, read_texts
from r3mem_agents.train.recipe import Recipe
from r3mem_agents.train.run import Run

HELD_OUT_TURNS = 2000
"""Turns per file of held-out dialogues that figures are measured on."""

FILE = "training.json"

STAGES = ("encoder", "tuning", "expander", "superseder")
"""The stages that make a checkpoint: two for the encoder, one for the expander, one for the
superseder."""

Record = dict[str, Any]


def measure(model: ReversibleModel, folder: Path) -> Record:
    """Return held-out figures: cost and inferred share by round, bytes per byte of text."""
    rounds = model.config.rounds
    bits, hits, tokens = np.zeros(rounds), np.zeros(rounds), np.zeros(rounds, np.int64)
    text_bytes = code_bytes = gist_bytes = 0
    for path in data_files(folder):
        texts: list[str] = []
        for _, some in read_texts(path, np.inf):
            texts += some
            if len(texts) >= HELD_OUT_TURNS:
                break
        for start in range(0, min(len(texts), HELD_OUT_TURNS), 256):
            part = texts[start : start + 256]
            segments = model.compress(part)
            text_bytes += sum(segment.text_bytes for segment in segments)
            code_bytes += sum(len(segment.code) for segment in segments)
            gist_bytes += sum(len(segment.gists) for segment in segments)
            for found in model.explain(part):
                bits += np.bincount(found.rounds, found.bits, rounds)
                hits += np.bincount(found.rounds, found.inferred, rounds)
                tokens += np.bincount(found.rounds, minlength=rounds)
    return {
        "tokens": int(tokens.sum()),
        "bits_per_token": round(float(bits.sum() / tokens.sum()), 4),
        "inferred_share": round(float(hits.sum() / tokens.sum()), 4),
        "bits_per_token_by_round": np.round(bits / np.maximum(tokens, 1), 3).tolist(),
        "inferred_share_by_round": np.round(hits / np.maximum(tokens, 1), 3).tolist(),
        "code_bytes_per_text_byte": round(code_bytes / text_bytes, 4),
        "gist_bytes_per_text_byte": round(gist_bytes / text_bytes, 4),
    }


def describe_run(run: Run, recipe: Recipe, started_from: str | None) -> Record:
    """Return the record of a run: one stage of a network.

    Args:
        run: The run.
        recipe: Its hyperparameters.
        started_from: Fingerprint of the checkpoint whose weights it continued from.
    """
    return {
        "started_from": started_from,
        "recipe": recipe.to_dict(),
        "steps": run.step,
        "tokens_seen": run.tokens,
        "minutes": round(run.elapsed_s / 60, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": describe(),
        "curve": run.curve,
    }


def read_record(folder: Path) -> Record:
    """Return the record beside a checkpoint; empty if there is none."""
    path = folder / FILE
    record: Record = json.loads(path.read_text()) if path.is_file() else {}
    return record


def write_record(folder: Path, model: ReversibleModel, before: Record, **stages: Record) -> Record:
    """Write the record of a checkpoint.

    Args:
        folder: Folder of the checkpoint.
        model: The model in it.
        before: Record of the checkpoint that it started from.
        stages: Stages that were trained now, by name (``STAGES``).
    """
    kept = {name: before.get(name) for name in STAGES}
    for name, stage in stages.items():
        gone_on = stage.get("started_from") is not None and kept[name] is not None
        kept[name] = stage | {"before": kept[name]} if gone_on else stage
    record = {"name": model.name, "fingerprint": model.fingerprint, **kept}
    (folder / FILE).write_text(json.dumps(record, indent=1) + "\n")
    return record


def draw(record: Record, path: Path) -> None:
    """Plot the curves of encoder and expander, as far as there are any, as a PNG.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = {
        "encoder": ("similarity to the teacher", "cosine", ("english", "others", "parallel")),
        "expander": ("rate", "bits_per_token", ("en", "others")),
    }
    axes = figure.subplots(1, len(panels))
    for place, (stage, (title, name, kinds)) in zip(axes, panels.items(), strict=True):
        curve = _whole_curve(record.get(stage))
        _curve(place, curve, name, kinds)
        unit = name.replace("_", " ")
        place.set(xlabel="million tokens", ylabel=unit, title=f"{stage.capitalize()}: {title}")
        if curve:
            place.legend(frameon=False)
        place.grid(alpha=0.3)
        place.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _whole_curve(stage: Record | None) -> list[Record]:
    """Points of a stage and of those that it continued from, in sequence."""
    if not stage:
        return []
    earlier = _whole_curve(stage.get("before"))
    seen = earlier[-1]["tokens"] if earlier else 0
    return [*earlier, *(point | {"tokens": point["tokens"] + seen} for point in stage["curve"])]


def _curve(axes: Any, curve: Sequence[Record], name: str, kinds: Sequence[str]) -> None:
    """Plot a training curve, and held-out figures of these kinds beside it."""
    seen = [point for point in curve if name in point]
    axes.plot(
        [point["tokens"] / 1e6 for point in seen],
        [point[name] for point in seen],
        color="#9db4c8", label="training batches",
    )  # fmt: skip
    for kind, colour in zip(kinds, ("#1f4e79", "#c8553d", "#5b8c5a"), strict=False):
        points = [point for point in curve if kind in point.get("held_out", {})]
        axes.plot(
            [point["tokens"] / 1e6 for point in points],
            [point["held_out"][kind] for point in points],
            color=colour, marker="o", markersize=3, label=f"held out: {kind}",
        )  # fmt: skip
