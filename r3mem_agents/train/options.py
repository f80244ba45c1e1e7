"""The options and the set-up that the training commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
import torch
from rich.console import Console

from r3mem_agents.model import ReversibleModel, checkpoint
from r3mem_agents.model.checkpoint import Checkpoint
from r3mem_agents.train.run import device_of, prepare_process

F = TypeVar("F", bound=Callable[..., Any])


class Finite(click.FloatRange):
    """A number in a range, which is one: ``nan`` would pass for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no number, or has no end."""
        if not math.isfinite(number := super().convert(value, param, ctx)):
            self.fail(f"{number} is no number to count with.", param, ctx)
        return number


MB = Finite(min=0, min_open=True)
SEED = click.IntRange(min=0)

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the run: state, curve, checkpoint.",
)
name_option = click.option(
    "--name", default="mine", help="Name of the model, as memories record it."
)
lora_option = click.option(
    "--lora",
    type=click.IntRange(min=1),
    help="Train PEFT adapters of this rank instead of all matrices.",
)
steps_option = click.option(
    "--steps", type=click.IntRange(min=1), help="Maximum number of steps, if they end first."
)
rates_option = click.option(
    "--rates", type=Finite(min=0), default=1.0, help="Factor on the learning rate."
)
threads_option = click.option(
    "--threads", type=click.IntRange(min=0), default=0, help="CPU threads; 0 for all."
)
device_option = click.option("--device", default="auto", help="cpu, cuda, or auto.")


def minutes_option(default: float) -> Callable[[F], F]:
    """``--minutes``, with a default."""
    return click.option(
        "--minutes",
        type=Finite(min=0, min_open=True),
        default=default,
        help="Wall time of training.",
    )


@dataclass(frozen=True, slots=True)
class Session:
    """The set-up of a training command.

    Attributes:
        console: Console for its output.
        device: Device to compute on.
        start: The checkpoint that it starts from.
        folder: Folder of that checkpoint.
        out: Folder of the run.
    """

    console: Console
    device: torch.device
    start: Checkpoint
    folder: Path
    out: Path

    @classmethod
    def open(cls, out: Path, start_from: str, device: str, threads: int, seed: int) -> Session:
        """Set the process up for training, and load the checkpoint to start from.

        Args:
            out: Folder of the run; made if need be.
            start_from: Name or folder of the checkpoint.
            device: ``cpu``, ``cuda`` or ``auto``.
            threads: CPU threads; 0 for all.
            seed: Seed of weights.
        """
        prepare_process(threads, seed)
        start = checkpoint.load(start_from)
        out.mkdir(parents=True, exist_ok=True)
        return cls(Console(), device_of(device), start, checkpoint.find(start_from), out)

    @contextmanager
    def preparing(self) -> Iterator[Callable[[str], None]]:
        """Show in a status line what is being prepared; yields the function to report it."""
        with self.console.status("preparing") as status:
            yield lambda text: status.update(f"preparing: {text}")

    def save(self, made: Checkpoint) -> ReversibleModel:
        """Write the checkpoint that a run ends with, and load it as a memory would."""
        checkpoint.save(made, self.checkpoint)
        return ReversibleModel.from_pretrained(self.checkpoint)

    @property
    def checkpoint(self) -> Path:
        """Folder of the checkpoint that the run ends with."""
        return self.out / "checkpoint"
