"""The training loop: by wall time, with checkpoints, and going on where it was killed."""

from __future__ import annotations

import ctypes
import json
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.exact import is_faster
from r3mem_agents.model.network import Condition, R3MemNetwork
from r3mem_agents.train.batches import Batches, SegmentBatch, TaughtBatch
from r3mem_agents.train.muon import Muon
from r3mem_agents.train.objective import (
    contrastive_loss,
    expansion_loss,
    gist_bits,
    likeness_loss,
)
from r3mem_agents.train.recipe import Recipe

NATS_TO_BITS = 1.4426950408889634
SAVE_EVERY_S = 240.0
HELD_OUT_EVERY_S = 240.0
HELD_OUT_SEGMENTS = 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run has to say at a step.

    Attributes:
        step: Steps done.
        elapsed_s: Wall time of training, over all resumes.
        tokens: Tokens seen by the codec.
        bits_per_token: Cross-entropy of the training batches, smoothed.
        accuracy: Share of tokens that were the first prediction, smoothed.
        gist_accuracy: Share of queries whose gist is nearest to their passage's, smoothed.
        likeness: Cosine of the gists of taught texts to what they should be, smoothed.
        tokens_per_s: Since the last report.
        held_out_bits: Cross-entropy on held-out segments, when it was measured now.
    """

    step: int
    elapsed_s: float
    tokens: int
    bits_per_token: float
    accuracy: float
    gist_accuracy: float
    likeness: float
    tokens_per_s: float
    held_out_bits: float | None


class Trainer:
    """One run: a network, its optimizers and where they are.

    Args:
        network: What to train; parameters that ask for no gradient stay as they are.
        recipe: Every choice of the run.
        batches: What it learns from.
        folder: Where it keeps its state.
        device: Where it computes.
        keep: A frozen network whose gists are to stay as they are; the codec alone learns on.
    """

    def __init__(
        self,
        network: R3MemNetwork,
        recipe: Recipe,
        batches: Batches,
        folder: Path,
        device: torch.device,
        keep: R3MemNetwork | None = None,
    ) -> None:
        keep_memory()
        self.recipe, self.folder, self.device = recipe, folder, device
        self.network = network
        self.network.to(device)
        self._keep = keep.to(device) if keep is not None else None
        self._dtype = fastest_dtype(device)
        self.batches = batches
        self.step, self.elapsed_s, self.tokens = 0, 0.0, 0
        self.curve: list[dict[str, float]] = []
        # A gist that is taught serves lookups: what rates would want of it does not move it, and
        # what large batches taught is not for small ones to change.
        self._taught = batches.is_taught or keep is not None
        self.network.topic.requires_grad_(not self._taught)
        trained = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        matrices = [p for name, p in trained.items() if _is_matrix(name, p)]
        others = [p for name, p in trained.items() if not _is_matrix(name, p)]
        self._optimizers: list[torch.optim.Optimizer] = [
            Muon(matrices, recipe.matrix_rate, dtype=self._dtype),
            torch.optim.AdamW(others, lr=recipe.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self._peaks = [recipe.matrix_rate, recipe.other_rate]
        self._codec = torch.compile(self._codec_loss, dynamic=False)
        self._pair = torch.compile(self._pair_loss, dynamic=False)
        self._likeness = torch.compile(self._taught_loss, dynamic=False)

    @property
    def progress(self) -> float:
        """Share of the run that is done."""
        return self.recipe.progress(self.step, self.elapsed_s)

    def run(self) -> Iterator[Progress]:
        """Train until the recipe's time or steps are spent; yields a report every few steps."""
        saved = measured = self.elapsed_s
        smooth = _Smooth()
        last, last_tokens = time.monotonic(), self.tokens
        while self.progress < 1:
            begun = time.monotonic()
            progress = self.progress
            with_gist = progress >= self.recipe.gist_from
            if with_gist:
                self._gist_steps(smooth)
            for _ in range(self.recipe.parts):
                batch = self.batches.segments().to(self.device)
                bits, accuracy = self._codec_part(batch, with_gist)
                smooth.add("bits", bits)
                smooth.add("accuracy", accuracy)
                self.tokens += int(batch.count.sum())
            self._update(progress)
            self.step += 1
            self.elapsed_s += time.monotonic() - begun
            held_out = None
            if self.elapsed_s - measured > HELD_OUT_EVERY_S or self.progress >= 1:
                held_out, measured = self.held_out_bits(with_gist), self.elapsed_s
            if self.step % 10 == 0 or held_out is not None:
                rate = (self.tokens - last_tokens) / (time.monotonic() - last)
                last, last_tokens = time.monotonic(), self.tokens
                report = Progress(
                    self.step,
                    self.elapsed_s,
                    self.tokens,
                    smooth["bits"],
                    smooth["accuracy"],
                    smooth["gist"],
                    smooth["likeness"],
                    rate,
                    held_out,
                )
                self._note(report)
                yield report
            if self.elapsed_s - saved > SAVE_EVERY_S or self.progress >= 1:
                self.save()
                saved = self.elapsed_s

    @torch.no_grad()
    def held_out_bits(self, with_gist: bool) -> float:
        """Bits per token on segments that training never sees, in the rounded arithmetic."""
        self.network.freeze()
        bits = tokens = 0.0
        for batch in self.batches.held_out(HELD_OUT_SEGMENTS):
            moved = batch.to(self.device)
            condition = self._condition(
                moved.tokens, moved.words, moved.count, moved.continued, with_gist
            )
            nats, _ = expansion_loss(self.network, moved.tokens, condition, moved.count)
            count = float(moved.count.sum())
            bits, tokens = bits + float(nats) * NATS_TO_BITS * count, tokens + count
        return bits / tokens

    def save(self) -> None:
        """Write the state of the run; the old one stays until the new one is whole."""
        state = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "tokens": self.tokens,
            "curve": self.curve,
        }
        partial = self.folder / "state.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "state.pt")

    def resume(self) -> bool:
        """Go on from the last save, if there is one; whether there was.

        Raises:
            CheckpointError: The state is damaged, or of a network of other sizes.
        """
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            raise CheckpointError(
                f"{path} is no state of this run: {error}; delete it or choose another folder"
            ) from error
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.tokens, self.curve = state["tokens"], state["curve"]
        self.batches.skip_to(self.step)
        return True

    def _codec_part(self, batch: SegmentBatch, with_gist: bool) -> tuple[float, float]:
        """Add the gradient of a part of a step; its bits per token and accuracy."""
        nats, accuracy = self._codec(
            batch.tokens, batch.words, batch.count, batch.continued, with_gist
        )
        torch.autograd.backward(nats / self.recipe.parts)
        return nats.item() * NATS_TO_BITS, accuracy.item()

    def _gist_steps(self, smooth: _Smooth) -> None:
        """Add what is due for the gist to the step of the codec that follows."""
        if self._keep is not None:
            if self.step % self.recipe.kept_every == 0:
                smooth.add("likeness", self._taught_step(self._as_kept(self._keep)))
            return
        if self.batches.has_pairs and self.step % self.recipe.pair_every == 0:
            smooth.add("gist", self._pair_step())
        if self.batches.is_taught and self.step % self.recipe.taught_every == 0:
            smooth.add("likeness", self._taught_step(self.batches.taught()))

    @torch.no_grad()
    def _as_kept(self, keep: R3MemNetwork) -> TaughtBatch:
        """Segments with the gists that they have by the network to be kept to."""
        batch = self.batches.segments()
        some = batch.to(self.device)
        gists = keep.gist(some.tokens, some.count, some.words)
        return TaughtBatch(batch, F.normalize(gists))

    def _pair_step(self) -> float:
        """Add the gradient of a batch of pairs to the step that follows; accuracy of the gists."""
        pairs = self.batches.pairs()
        queries, passages = pairs.queries.to(self.device), pairs.passages.to(self.device)
        loss, accuracy = self._pair(
            queries.tokens, queries.words, queries.count,
            passages.tokens, passages.words, passages.count,
            pairs.same.to(self.device),
        )  # fmt: skip
        torch.autograd.backward(loss * self.recipe.gist_weight)
        return accuracy.item()

    def _taught_step(self, taught: TaughtBatch) -> float:
        """Add the gradient of a batch of taught texts to the step that follows; their likeness."""
        texts, targets = taught.texts.to(self.device), taught.targets.to(self.device)
        loss = self._likeness(texts.tokens, texts.words, texts.count, targets)
        torch.autograd.backward(loss * self.recipe.taught_weight)
        return 1 - float(loss.item())

    def _update(self, progress: float) -> None:
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        factor = self.recipe.rate(self.step, progress)
        for optimizer, peak in zip(self._optimizers, self._peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def _codec_loss(
        self, tokens: Tensor, words: Tensor, count: Tensor, continued: Tensor, with_gist: bool
    ) -> tuple[Tensor, Tensor]:
        with self._autocast():
            condition = self._condition(tokens, words, count, continued, with_gist)
            return expansion_loss(self.network, tokens, condition, count[:1])

    def _pair_loss(
        self,
        query: Tensor,
        query_words: Tensor,
        query_count: Tensor,
        passage: Tensor,
        words: Tensor,
        count: Tensor,
        same: Tensor,
    ) -> tuple[Tensor, Tensor]:
        with self._autocast():
            asked = gist_bits(self.network.gist(query, query_count, query_words).float())
            answers = gist_bits(self.network.gist(passage, count, words).float())
            loss = contrastive_loss(asked, answers, same, self.recipe.temperature)
            nearest = (asked.float() @ answers.float().t()).argmax(1)
            target = torch.arange(len(query), device=query.device)
            return loss, (nearest == target).float().mean()

    def _taught_loss(self, tokens: Tensor, words: Tensor, count: Tensor, targets: Tensor) -> Tensor:
        with self._autocast():
            return likeness_loss(self.network.gist(tokens, count, words), targets)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self._dtype, self._dtype != torch.float32)

    def _condition(
        self, tokens: Tensor, words: Tensor, count: Tensor, continued: Tensor, with_gist: bool
    ) -> Condition:
        if not with_gist:
            none = torch.zeros(len(tokens), self.recipe.config.gist_bits, device=self.device)
            return Condition(count, continued, none)
        gist = gist_bits(self.network.gist(tokens, count, words).float())
        return Condition(count, continued, gist.detach() if self._taught else gist)

    def _note(self, report: Progress) -> None:
        point = {
            "step": report.step,
            "elapsed_s": round(report.elapsed_s, 1),
            "tokens": report.tokens,
            "bits_per_token": round(report.bits_per_token, 4),
            "accuracy": round(report.accuracy, 4),
            "gist_accuracy": round(report.gist_accuracy, 4),
            "likeness": round(report.likeness, 4),
        }
        if report.held_out_bits is not None:
            point["held_out_bits"] = round(report.held_out_bits, 4)
        self.curve.append(point)
        (self.folder / "curve.json").write_text(json.dumps(self.curve))


def _is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon trains it: matrices between activations, adapters excepted."""
    inner = name.startswith(("stack.", "from_gist.", "to_gist."))
    return parameter.ndim == 2 and inner and "lora_" not in name


class _Smooth:
    """Running means with a memory of about fifty values."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}

    def add(self, name: str, value: float) -> None:
        old = self._means.get(name, value)
        self._means[name] = old + (value - old) * 0.02

    def __getitem__(self, name: str) -> float:
        return self._means.get(name, 0.0)


def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU, and on a processor that multiplies faster in it than in float32."""
    if device.type != "cpu":
        return torch.bfloat16
    wide = torch.ones((512, 512))
    narrow = wide.bfloat16()
    pays = is_faster(lambda: narrow @ narrow, lambda: wide @ wide)
    return torch.bfloat16 if pays else torch.float32


def keep_memory() -> None:
    """Tell the C library to keep freed memory: steps are several times faster on Linux.

    Large tensors are freed and asked for again in every step; handing them back to the kernel
    means that each page is faulted in anew (docs/LOG.md, 2026-11-21).
    """
    if sys.platform == "linux":
        trim_threshold, mmap_threshold, large = -1, -3, 1 << 30
        mallopt: Callable[[int, int], int] = ctypes.CDLL("libc.so.6").mallopt
        mallopt(trim_threshold, large)
        mallopt(mmap_threshold, large)
