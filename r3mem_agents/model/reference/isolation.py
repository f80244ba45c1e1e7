"""Nothing that a host set for itself reaches the codec, and nothing of the codec reaches the host.

PyTorch has switches that belong to a thread or to the whole process: autocast, the default dtype
and device, inference mode, the state of the random generator, the number of threads. A host sets
them for models of its own; memory tokens written under one of them would not expand under another.
What can be switched off for a block is switched off here. The default dtype cannot, since other
threads would see it, so every tensor of this package is made with a dtype of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from r3mem_agents.forking import unforked
from r3mem_agents.model.reference.threads import CORES


@contextmanager
def computing(device: torch.device) -> Iterator[None]:
    """Run the frozen network on a device within this block."""
    with (
        unforked(),
        CORES.shared(),
        torch.inference_mode(),
        torch.autocast("cpu", enabled=False),
        torch.autocast(device.type, enabled=False),
    ):
        yield


@contextmanager
def loading() -> Iterator[None]:
    """Make the tensors of a network on the CPU within this block, to compute with or to train."""
    with (
        torch.inference_mode(mode=False),
        torch.autocast("cpu", enabled=False),
        torch.device("cpu"),
        torch.random.fork_rng(devices=[]),
    ):
        yield
