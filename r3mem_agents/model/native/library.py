"""The engine's shared libraries: one for each kind of processor, loaded by ctypes.

All of them give the same bits (``engine/engine.h``); the fastest that this processor runs is taken.
``R3MEM_KERNEL`` names another one, to compare.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, Structure, c_int32, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import EngineError

VERSION = 3
"""Of the interface in ``engine/engine.h``."""

KERNELS = {"avx512vnni": 4, "avxvnni": 2, "avx2": 1, "neon": 8, "portable": 0}
"""The kernels, the fastest first, and the bit of ``r3_processor`` that each of them needs."""

_FOLDER = Path(__file__).parent / "libraries"
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


class Sizes(Structure):
    """``r3_sizes``."""

    _fields_: ClassVar = [(name, c_int32) for name in ("hidden", "layers", "heads", "feedforward")]


class Embedding(Structure):
    """``r3_embedding``."""

    _fields_: ClassVar = [("levels", c_void_p), ("scale", c_void_p)]


class SegmentsOf(Structure):
    """``r3_segments``."""

    _fields_: ClassVar = [
        ("segments", c_int32),
        *((name, c_void_p) for name in ("count", "continued", "gists")),
    ]


class ReaderState(Structure):
    """``r3_reader``."""

    _fields_: ClassVar = [
        ("code", c_void_p),
        *((name, c_uint64) for name in ("size", "place", "value", "range")),
    ]


class ExpanderOf(Structure):
    """``r3_expander``."""

    _fields_: ClassVar = [
        *(
            (name, c_int32)
            for name in ("segment_tokens", "rounds", "classes", "class_size", "gist_bits")
        ),
        *((name, c_void_p) for name in ("stack", "classes_of", "tokens_of", "from_gist")),
        ("embedding", Embedding),
        *(
            (name, c_void_p)
            for name in (
                "blank", "role", "edge", "after_start", "before_end", "length",
                "bias", "round_of", "role_of", "frequency",
            )
        ),
        ("frequency_count", c_int32),
    ]  # fmt: skip


class Library:
    """A loaded library, with the types of its functions.

    Attributes:
        kernel: Name of its kernel.
        calls: Its functions, by the names of ``engine/engine.h``.

    Args:
        kernel: One of ``KERNELS``.

    Raises:
        EngineError: There is no such library, or it is of another version.
    """

    def __init__(self, kernel: str) -> None:
        path = _FOLDER / f"{kernel}{_SUFFIX}"
        try:
            calls = ctypes.CDLL(str(path))
            version = calls.r3_version()
        except (OSError, AttributeError) as error:
            raise EngineError(
                f"the engine of r3mem-agents cannot be loaded ({error}): install r3mem-agents "
                "anew, from a wheel for this platform, or from its source, which compiles the "
                "engine (in a checkout: pip install -e .)"
            ) from error
        if version != VERSION:
            raise EngineError(
                f"{path} is of version {version} of the engine, this package needs {VERSION}: "
                "install r3mem-agents again"
            )
        self.kernel, self.calls = kernel, calls
        calls.r3_checksum.argtypes = [c_uint64, c_void_p, c_uint64]
        calls.r3_checksum.restype = c_uint64
        calls.r3_matrix_new.restype = calls.r3_stack_new.restype = c_void_p
        calls.r3_matrix_new.argtypes = [c_int32, c_int32, *[c_void_p] * 4]
        calls.r3_matrix_bytes.argtypes = [c_int32, c_int32]
        calls.r3_matrix_bytes.restype = c_uint64
        calls.r3_stack_new.argtypes = [POINTER(Sizes), c_void_p, c_void_p, c_int32]
        calls.r3_matrix_free.argtypes = calls.r3_stack_free.argtypes = [c_void_p]
        calls.r3_matrix_free.restype = calls.r3_stack_free.restype = None
        calls.r3_team_new.argtypes, calls.r3_team_new.restype = [c_int32], c_void_p
        for call in (calls.r3_team_help, calls.r3_team_dismiss, calls.r3_team_free):
            call.argtypes, call.restype = [c_void_p], None
        calls.r3_encode.argtypes = [
            c_void_p, c_void_p, Embedding, c_void_p, c_void_p, c_int32,
            c_void_p, c_void_p, c_void_p,
        ]  # fmt: skip
        calls.r3_compare.argtypes = [
            c_void_p, c_void_p, Embedding, c_void_p, c_void_p, c_void_p, c_int32,
            c_void_p, c_void_p, c_void_p,
        ]  # fmt: skip
        expander, segments, reader = POINTER(ExpanderOf), POINTER(SegmentsOf), POINTER(ReaderState)
        calls.r3_measure.argtypes = [expander, c_void_p, segments, c_void_p, c_void_p]
        calls.r3_expand.argtypes = [expander, c_void_p, segments, c_void_p, reader, c_void_p]
        calls.r3_read_begin.argtypes = [reader, c_void_p, c_uint64]
        calls.r3_read_begin.restype = None
        calls.r3_read_symbol.argtypes = [reader, c_void_p, c_int32]
        calls.r3_read_uniform.argtypes = [reader, c_uint64]
        calls.r3_read_uniform.restype = c_uint64
        calls.r3_write.argtypes = [c_uint64, c_void_p, c_void_p, c_void_p, c_void_p]
        calls.r3_write.restype = c_uint64


@cache
def library(kernel: str = "") -> Library:
    """The library with a kernel, or the fastest one that this processor runs.

    Raises:
        EngineError: There is none, or none of the name that is asked for, perhaps by
            ``R3MEM_KERNEL``.
    """
    kernel = kernel or os.environ.get("R3MEM_KERNEL", "")
    if kernel and kernel not in runnable():  # a processor stops at instructions that it lacks
        raise EngineError(
            f"there is no kernel {kernel!r} that this processor runs: set R3MEM_KERNEL to one of "
            f"{', '.join(runnable())}, or not at all"
        )
    return Library(kernel or runnable()[0])


@cache
def runnable() -> list[str]:
    """Kernels that are installed and that this processor runs, the fastest first.

    Raises:
        EngineError: There is no library at all.
    """
    has = int(Library("portable").calls.r3_processor())
    return [
        name
        for name, bit in KERNELS.items()
        if has & bit == bit and (_FOLDER / f"{name}{_SUFFIX}").is_file()
    ]


def pointer(array: NDArray[np.generic] | None) -> int | None:
    """Where an array lies, which has to be C-contiguous and to outlive the call."""
    if array is None:
        return None
    assert array.flags.c_contiguous
    return array.ctypes.data


def checked(status: int) -> None:
    """Raise what a call of the engine could not do.

    Raises:
        MemoryError: There was no memory for it.
    """
    if status:
        raise MemoryError("there is no memory for a pass of the model")
