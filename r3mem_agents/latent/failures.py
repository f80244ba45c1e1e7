"""The failures of PyTorch's allocators, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from r3mem_agents.errors import OutOfMemoryError


@contextmanager
def memory_named() -> Iterator[None]:
    """Say what to do where memory is short.

    Raises:
        OutOfMemoryError: One of them found no memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(error) from error
    except RuntimeError as error:
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise _out_of_memory(error) from error


def _out_of_memory(error: BaseException) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"too little memory: {str(error).splitlines()[0]}; take dtype=torch.bfloat16, a smaller "
        "segment, or a shorter text"
    )
