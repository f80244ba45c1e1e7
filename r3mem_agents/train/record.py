"""What a training run leaves behind: a JSON record and a picture of its curve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from r3mem_agents.errors import MissingExtraError
from r3mem_agents.model import ReversibleModel
from r3mem_agents.provenance import describe, versions
from r3mem_agents.train.corpus import Corpus, data_files, records, texts_of
from r3mem_agents.train.loop import Trainer

HELD_OUT_TURNS = 2000
"""Turns per file of held-out dialogues that the record is measured on."""

Point = dict[str, float]


def measure(model: ReversibleModel, folder: Path) -> dict[str, Any]:
    """Held-out figures on dialogues: cost and inferred share per round, bytes per byte of text."""
    rounds = model.config.rounds
    bits, hits, tokens = np.zeros(rounds), np.zeros(rounds), np.zeros(rounds, np.int64)
    text_bytes = code_bytes = gist_bytes = 0
    for path in data_files(folder):
        texts: list[str] = []
        for record in records(path):
            texts += texts_of(record)
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


def describe_run(trainer: Trainer, corpus: Corpus) -> dict[str, Any]:
    """What a run did, on what, and where it got to."""
    return {
        "recipe": trainer.recipe.to_dict(),
        "segments": len(corpus.segments),
        "pairs": len(corpus.groups),
        "steps": trainer.step,
        "tokens_seen": trainer.tokens,
        "minutes": round(trainer.elapsed_s / 60, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": describe(),
        "curve": trainer.curve,
    }


def draw(curve: Sequence[Point], path: Path) -> None:
    """Plot loss and accuracy over tokens seen, and the gist's accuracy, into a PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    figure = Figure(figsize=(9, 4), layout="constrained")
    rate, share = figure.subplots(1, 2)
    seen = [point["tokens"] / 1e6 for point in curve]
    held_out = [point for point in curve if "held_out_bits" in point]
    rate.plot(seen, [point["bits_per_token"] for point in curve], color="#9db4c8", label="training")
    rate.plot(
        [point["tokens"] / 1e6 for point in held_out],
        [point["held_out_bits"] for point in held_out],
        color="#1f4e79", marker="o", markersize=3, label="held out, exact arithmetic",
    )  # fmt: skip
    rate.set(xlabel="million tokens", ylabel="bits per token", ylim=(None, 10), title="Rate")
    share.plot(seen, [p["accuracy"] for p in curve], color="#1f4e79", label="tokens inferred")
    with_gist = [point for point in curve if point["gist_accuracy"] > 0]
    share.plot(
        [point["tokens"] / 1e6 for point in with_gist],
        [point["gist_accuracy"] for point in with_gist],
        color="#c8553d", label="questions whose gist finds its passage",
    )  # fmt: skip
    share.set(xlabel="million tokens", ylim=(0, 1), title="Accuracy")
    for axes in (rate, share):
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
