"""Compile the engine: one shared library for each kind of processor.

    python engine/build.py FOLDER [TARGET ...]

writes them into FOLDER, for this machine or for targets of ``TARGETS``, of each into a folder of
its own. The system's compiler is taken, or the one named by CC; where there is none, and for other
targets, the C compiler that the package ``ziglang`` carries.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
FLAGS = [
    "-std=gnu11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden",
    "-ffp-contract=off",  # no fused multiply-add: every operation is rounded by itself
    "-fno-math-errno",
]  # fmt: skip

AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512cd", "-mavx512vnni"]
KERNELS = {
    "x86_64": {
        "avx512vnni": ["-mavx2", *AVX512],
        "avxvnni": ["-mavx2", "-mavxvnni"],
        "avx2": ["-mavx2"],
        "portable": [],
    },
    "aarch64": {"neon": ["-march=armv8.2-a+dotprod"], "portable": []},
}
"""Kernels of an architecture, and what the compiler may use for them."""


@dataclass(frozen=True)
class Target:
    """A platform to build for.

    Attributes:
        machine: Its architecture, a key of ``KERNELS``.
        suffix: Of its shared libraries.
        triple: Its name for zig.
        tag: Its name in wheels.
    """

    machine: str
    suffix: str
    triple: str
    tag: str


TARGETS = {
    "linux-x86_64": Target("x86_64", ".so", "x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64"),
    "linux-aarch64": Target("aarch64", ".so", "aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64"),
    "macos-arm64": Target("aarch64", ".dylib", "aarch64-macos.11.0", "macosx_11_0_arm64"),
    "macos-x86_64": Target("x86_64", ".dylib", "x86_64-macos.10.15", "macosx_10_15_x86_64"),
    "windows-x86_64": Target("x86_64", ".dll", "x86_64-windows-gnu", "win_amd64"),
}


def build(folder: Path, target: Target | None = None) -> list[Path]:
    """Compile the libraries of a target, or of this machine, into a folder; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = target.machine if target else _machine()
    suffix = target.suffix if target else _suffix()
    command = _compiler(target)
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    link = [] if suffix == ".dll" else ["-lm"]

    def compile_with(kernel: str, flags: list[str]) -> Path:
        path = folder / f"{kernel}{suffix}"
        subprocess.run([*command, *FLAGS, *flags, *sources, *link, "-o", str(path)], check=True)
        return path

    kernels = KERNELS.get(machine, {"portable": []})
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_with, kernels.keys(), kernels.values()))


def compiler() -> list[str] | None:
    """The C compiler of this machine; ``None`` if there is none."""
    names = [os.environ["CC"]] if os.environ.get("CC") else ["cc", "gcc", "clang"]
    return next(([name] for name in names if shutil.which(name.split()[0])), None)


def _compiler(target: Target | None) -> list[str]:
    own = compiler()
    if target is None and own is not None:
        return own
    if importlib.util.find_spec("ziglang") is None:
        raise SystemExit("there is no C compiler: install one, or `pip install ziglang`")
    return [sys.executable, "-m", "ziglang", "cc", *(["-target", target.triple] if target else [])]


def _machine() -> str:
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name := platform.machine().lower(), name)


def _suffix() -> str:
    return {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


if __name__ == "__main__":
    where, *names = sys.argv[1:]
    for name in names:
        build(Path(where) / name, TARGETS[name])
    if not names:
        build(Path(where))
