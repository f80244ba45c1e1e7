"""Tensors of a safetensors file, mapped: what is not touched is not read, and takes no memory.

The library ``safetensors`` copies what it reads; the format is a header of JSON and, after it, the
bytes of the tensors (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
import mmap
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError

Arrays = dict[str, NDArray[Any]]

_DTYPES: dict[str, np.dtype[Any]] = {
    "I8": np.dtype("<i1"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
}
_LENGTH_BYTES = 8


def mapped(path: Path) -> Arrays:
    """Tensors of a file by name, which cannot be written to.

    The file may be replaced meanwhile, but not be written over.

    Raises:
        CheckpointError: The file is damaged, or holds tensors of another dtype.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    begin = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    if begin > len(data):
        raise CheckpointError(f"it is damaged: {path.name} ends in its header")
    header = json.loads(data[_LENGTH_BYTES:begin])
    header.pop("__metadata__", None)
    return {name: _tensor(name, fields, data, begin) for name, fields in header.items()}


def _tensor(name: str, fields: Any, data: mmap.mmap, begin: int) -> NDArray[Any]:
    if fields["dtype"] not in _DTYPES:
        raise CheckpointError(f"it is damaged: {name} is of dtype {fields['dtype']}")
    dtype, shape = _DTYPES[fields["dtype"]], [int(size) for size in fields["shape"]]
    start, end = (int(offset) for offset in fields["data_offsets"])
    if not 0 <= start <= end <= len(data) - begin or end - start != prod(shape) * dtype.itemsize:
        raise CheckpointError(f"it is damaged: {name} lies outside of its file or its bytes")
    return np.frombuffer(data, dtype, prod(shape), begin + start).reshape(shape)
