"""What all training runs share: steps by wall time, saved state, learning curve, resumption."""

from __future__ import annotations

import ctypes
import json
import math
import pickle
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from r3mem_agents.errors import CheckpointError, DivergedError, InvalidInputError
from r3mem_agents.model.reference.kernels import is_faster
from r3mem_agents.train.recipe import Recipe

STATE = "state.pt"
"""The state of a run, in its folder."""

STATE_FIELDS = ("network", "optimizers", "step", "elapsed_s", "tokens", "curve", "smooth", "dtype")

READ_FAILURES = (
    OSError, RuntimeError, ValueError, TypeError, KeyError, EOFError, pickle.UnpicklingError,
)  # fmt: skip
"""What reading a state may end with; chosen by damaging some."""

SAVE_EVERY_S = 240.0
REPORT_EVERY = 10
"""Steps between two reports."""

MEMORY = 0.02
"""Weight of a step in the running means, which span about fifty steps."""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a run at a step.

    Attributes:
        step: Steps done.
        elapsed_s: Wall time of training, over all resumes.
        tokens: Tokens seen.
        tokens_per_s: Tokens per second since the last report.
        figures: Figures of the training batches, smoothed.
        held_out: Held-out figures, if they were measured at this step.
    """

    step: int
    elapsed_s: float
    tokens: int
    tokens_per_s: float
    figures: Figures
    held_out: Figures | None

    @property
    def point(self) -> dict[str, Any]:
        """The report as a point of the curve."""
        point: dict[str, Any] = {
            "step": self.step,
            "elapsed_s": round(self.elapsed_s, 1),
            "tokens": self.tokens,
            **_rounded(self.figures),
        }
        if self.held_out is not None:
            point["held_out"] = _rounded(self.held_out)
        return point


class Run(ABC):
    """One training run: a network, its optimizers and its progress.

    A step seeds its batches with its own number, so a resumed run does what it would have done
    without the interruption.

    Args:
        network: The network to train; parameters that do not require gradients stay fixed.
        optimizers: Optimizers of its parameters, at their peak learning rates.
        recipe: Hyperparameters of the run.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of its matrix products; a resumed run keeps the one that it began with.
    """

    measure_every_s = 240.0

    def __init__(
        self,
        network: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        recipe: Recipe,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._network, self._optimizers = network, optimizers
        self._recipe, self._folder = recipe, folder
        self.device, self._dtype = device, dtype
        self._peaks = [[group["lr"] for group in one.param_groups] for one in optimizers]
        self._smooth: dict[str, Tensor] = {}
        self.step, self.elapsed_s, self.tokens = 0, 0.0, 0
        self.curve: list[dict[str, Any]] = []

    @abstractmethod
    def learn(self) -> None:
        """Add the gradients of step ``self.step``, and count its ``tokens``."""

    @abstractmethod
    def measure(self) -> Figures:
        """Return held-out figures, of the frozen network."""

    def autocast(self) -> torch.autocast:
        """Compute the matrix products of a training step in the run's dtype within the block."""
        return autocast(self.device, self._dtype)

    @property
    def progress(self) -> float:
        """The share of the run that is done."""
        return self._recipe.progress(self.step, self.elapsed_s)

    def run(self) -> Iterator[Report]:
        """Train until the recipe's time or steps are used up; yield a report every few steps.

        Raises:
            DivergedError: A figure of the batches is no number any more.
        """
        saved = measured = self.elapsed_s
        last, last_tokens = time.monotonic(), self.tokens
        while self.progress < 1:
            begun = time.monotonic()
            progress = self.progress
            self.learn()
            self._update(progress)
            self.step += 1
            self.elapsed_s += time.monotonic() - begun
            held_out = None
            if self.elapsed_s - measured > self.measure_every_s or self.progress >= 1:
                held_out, measured = self._measure_apart(), self.elapsed_s
            saving = self.elapsed_s - saved > SAVE_EVERY_S or self.progress >= 1
            reporting = self.step == 1 or self.step % REPORT_EVERY == 0 or held_out is not None
            if saving or reporting:
                figures = {name: mean.item() for name, mean in self._smooth.items()}
                if not all(map(math.isfinite, figures.values())):
                    raise _diverged(self.step)
            if reporting:
                speed = (self.tokens - last_tokens) / (time.monotonic() - last)
                last, last_tokens = time.monotonic(), self.tokens
                report = Report(self.step, self.elapsed_s, self.tokens, speed, figures, held_out)
                self.curve.append(report.point)
                (self._folder / "curve.json").write_text(json.dumps(self.curve))
                yield report
            if saving:
                self.save()
                saved = self.elapsed_s

    def note(self, **figures: Tensor) -> None:
        """Add figures of a batch to the running means, without synchronizing with the device."""
        for name, value in figures.items():
            value = value.detach().float()
            self._smooth[name] = self._smooth.get(name, value).lerp(value, MEMORY)

    def save(self) -> None:
        """Write the state of the run; the old one stays until the new one is complete."""
        state = {
            "network": self._network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "tokens": self.tokens,
            "curve": self.curve,
            "smooth": self._smooth,
            "dtype": self._dtype,
        }
        partial = self._folder / "state.partial"
        torch.save(state, partial)
        partial.replace(self._folder / STATE)

    def resume(self) -> bool:
        """Resume from the last save; return whether there was one.

        Raises:
            CheckpointError: If the state is damaged, or of a network of other sizes.
        """
        path = self._folder / STATE
        if not path.exists():
            return False
        state = _read(path, self.device)
        try:
            self._network.load_state_dict(state["network"])
            for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
        except (RuntimeError, ValueError, KeyError) as error:
            raise _no_state(path, error) from error
        self._dtype = state["dtype"]
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.tokens, self.curve, self._smooth = state["tokens"], state["curve"], state["smooth"]
        return True

    def _measure_apart(self) -> Figures:
        """``measure`` without gradients."""
        with torch.no_grad():
            return self.measure()

    def _update(self, progress: float) -> None:
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.clip)
        factor = self._recipe.rate(self.step, progress)
        for optimizer, peaks in zip(self._optimizers, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def saved_dtype(folder: Path) -> torch.dtype | None:
    """Return the dtype that a saved run began with; ``None`` where there is no saved run.

    Raises:
        CheckpointError: If its state is damaged.
    """
    path = folder / STATE
    if not path.exists():
        return None
    dtype: torch.dtype = _read(path, torch.device("cpu"))["dtype"]
    return dtype


def fastest_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 on a GPU, or on a processor where it is faster; else float32."""
    if device.type != "cpu":
        return torch.bfloat16
    wide = torch.ones((512, 512))
    narrow = wide.bfloat16()
    pays = is_faster(lambda: narrow @ narrow, lambda: wide @ wide)
    return torch.bfloat16 if pays else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Compute matrix products in this dtype within the block."""
    return torch.autocast(device.type, dtype, dtype != torch.float32)


def prepare_process(threads: int, seed: int) -> None:
    """Seed weights and set the process up for fast steps; for a process that only trains.

    Large tensors are freed and allocated again in every step; returning them to the kernel means
    that each page is faulted in again (docs/LOG.md, 2026-11-21), so the C library is told to keep
    them. TF32 represents all integer levels exactly, and sums them in float32.
    """
    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = True
    if sys.platform == "linux":
        trim_threshold, mmap_threshold, large = -1, -3, 1 << 30
        mallopt: Callable[[int, int], int] = ctypes.CDLL("libc.so.6").mallopt
        mallopt(trim_threshold, large)
        mallopt(mmap_threshold, large)


def device_of(name: str) -> torch.device:
    """Return the device of a name; ``auto`` is CUDA where it is available.

    Raises:
        InvalidInputError: This machine, or this PyTorch, has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InvalidInputError(
            f"the device {name!r} cannot be used: {str(error).splitlines()[0]}; take cpu, or auto"
        ) from error
    return device


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 4) for name, value in figures.items()}


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if missing := {*STATE_FIELDS} - {*state}:
            raise KeyError(f"it has no {', '.join(sorted(missing))}")
    except READ_FAILURES as error:
        raise _no_state(path, error) from error
    return state


def _diverged(step: int) -> DivergedError:
    return DivergedError(
        f"the loss is no number any more after step {step:,}; what was saved is from before: run "
        "it again with lower --rates"
    )


def _no_state(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} is no state of this run: {str(error) or 'it is empty'}; delete it or choose "
        "another folder"
    )
