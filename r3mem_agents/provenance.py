"""The machine and versions behind a figure, and the file that records them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from r3mem_agents.model.cores import allowed
from r3mem_agents.model.native.library import library

PARTS = (
    "r3mem-agents", "torch", "numpy", "tokenizers", "zstandard", "transformers",
    "peft",
)  # fmt: skip
"""Packages that every figure of the project may depend on."""


def describe() -> dict[str, Any]:
    """Return the processor, the engine's kernel on it, cores, memory, system and GPU."""
    return {
        "cpu": _cpu_model(),
        "instructions": library().kernel,
        "cores": allowed(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": [round(load, 2) for load in os.getloadavg()]
        if hasattr(os, "getloadavg")
        else None,
        "gpu": _gpu(),
    }


def versions(others: Iterable[str] = ()) -> dict[str, str | None]:
    """Return the versions of Python, ``PARTS`` and others; ``None`` if not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for part in (*PARTS, *others):
        try:
            found[part] = metadata.version(part)
        except metadata.PackageNotFoundError:
            found[part] = None
    return found


def write_result(
    path: Path,
    *,
    benchmark: str,
    config: Mapping[str, Any],
    figures: Mapping[str, Any],
    others: Iterable[str] = (),
) -> None:
    """Write one result with everything needed to judge it.

    Args:
        path: File to write; its folder is made.
        benchmark: Name of the benchmark.
        config: The data, limits, seed and model asked for.
        figures: The figures.
        others: Further packages whose versions are recorded.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "benchmark": benchmark,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": dict(config),
        "versions": versions(others),
        "machine": describe(),
        "figures": dict(figures),
    }
    text = json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _gpu() -> str | None:
    if find_spec("torch") is None:
        return None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None
