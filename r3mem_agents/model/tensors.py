"""Tensors of a safetensors file, mapped: what is not touched is not read, and takes no memory.

The library ``safetensors`` copies what it reads; the format is a header of JSON and, after it, the
bytes of the tensors (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError

Arrays = dict[str, NDArray[Any]]

_DTYPES: dict[str, np.dtype[Any]] = {
    "U8": np.dtype("<u1"),
    "I8": np.dtype("<i1"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_LENGTH_BYTES = 8


def mapped(path: Path) -> Arrays:
    """Tensors of a file by name, which cannot be written to.

    The file may be replaced meanwhile, but not be written over.

    Raises:
        CheckpointError: The file is damaged, or holds tensors of another dtype.
    """
    header, begin = header_of(path)
    header.pop("__metadata__", None)
    data = mapping(path)
    return {name: _tensor(name, fields, data, begin) for name, fields in header.items()}


def header_of(path: Path) -> tuple[dict[str, Any], int]:
    """What a file says of its tensors and of itself, and where the tensors begin.

    Raises:
        CheckpointError: The file is damaged.
    """
    data = mapping(path)
    begin = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    if begin > len(data):
        raise CheckpointError(f"it is damaged: {path.name} ends in its header")
    return json.loads(data[_LENGTH_BYTES:begin]), begin


def mapping(path: Path) -> mmap.mmap:
    """The bytes of a file, mapped; they stay what they are if the file is replaced."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def let_go(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Free the memory that mapped tensors took when they were read; they are read again if need be.

    Where the system cannot, and for tensors that are not mapped, nothing is done.
    """
    files = {id(file): file for file in map(_file_of, tensors.values()) if file is not None}
    for file in files.values():
        if hasattr(mmap, "MADV_DONTNEED"):
            file.madvise(mmap.MADV_DONTNEED)


def _file_of(tensor: NDArray[Any]) -> mmap.mmap | None:
    """The file that a tensor is mapped from, if any."""
    base: Any = tensor
    while isinstance(base, np.ndarray):
        base = base.base
    file = base.obj if isinstance(base, memoryview) else base
    return file if isinstance(file, mmap.mmap) else None


def _tensor(name: str, fields: Any, data: mmap.mmap, begin: int) -> NDArray[Any]:
    if fields["dtype"] not in _DTYPES:
        raise CheckpointError(f"it is damaged: {name} is of dtype {fields['dtype']}")
    dtype, shape = _DTYPES[fields["dtype"]], [int(size) for size in fields["shape"]]
    start, end = (int(offset) for offset in fields["data_offsets"])
    if not 0 <= start <= end <= len(data) - begin or end - start != prod(shape) * dtype.itemsize:
        raise CheckpointError(f"it is damaged: {name} lies outside of its file or its bytes")
    return np.frombuffer(data, dtype, prod(shape), begin + start).reshape(shape)
