"""Compile the engine: one shared library for each kind of processor.

    python engine/build.py FOLDER [TARGET]

writes them into FOLDER, for this machine or for one of ``TARGETS``. The compiler is the one that CC
names, or the system's if it knows the instructions of all kernels; where there is none, and for
targets, it is the one that the package ``ziglang`` carries.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCES = Path(__file__).resolve().parent
FLAGS = [
    "-std=gnu11", "-O3", "-g0", "-fPIC", "-fvisibility=hidden",
    "-ffp-contract=off",  # no fused multiply-add: every operation is rounded by itself
    "-fno-math-errno",
]  # fmt: skip

AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512cd", "-mavx512vnni"]
DOT_PRODUCTS = "-march=armv8.2-a+dotprod"
KERNELS = {
    "x86_64": {
        "avx512vnni": ["-mavx2", *AVX512],
        "avxvnni": ["-mavx2", "-mavxvnni"],
        "avx2": ["-mavx2"],
        "portable": [],
    },
    "aarch64": {"neon": [DOT_PRODUCTS], "portable": []},
}
"""Kernels of an architecture, and what the compiler may use for them."""

IN_ZIG = {DOT_PRODUCTS: "-mcpu=generic+v8_2a+dotprod"}
"""Flags that zig spells otherwise."""


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
    """Compile the libraries of a target, or of this machine, into a folder; gives their paths.

    Raises:
        SystemExit: There is no compiler, or it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = target.suffix if target else _suffix()
    command = _command(target)
    sources = sorted(SOURCES.glob("*.c"))

    def compile_with(kernel: str, flags: list[str]) -> Path:
        name = f"{kernel}{suffix}"
        link = (
            ["-lm", "-pthread", "-s"]
            if suffix != ".dylib"
            else [f"-Wl,-install_name,@rpath/{name}"]
        )
        with TemporaryDirectory(dir=folder) as made:
            for path in sources:
                run([*command, *FLAGS, *flags, "-c", str(path), "-o", f"{path.stem}.o"], made)
            # Without the flags: zig would compile the C library of Windows anew for each kernel.
            objects = [f"{path.stem}.o" for path in sources]
            run([*command, "-shared", *objects, *link, "-o", name], made)
            return Path(made, name).replace(folder / name)

    kernels = kernels_of(target.machine if target else machine(), command)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_with, kernels.keys(), kernels.values()))


def kernels_of(architecture: str, command: list[str]) -> dict[str, list[str]]:
    """Kernels of an architecture, and the flags of each for a compiler."""
    spelled = IN_ZIG if "ziglang" in command else {}
    return {
        kernel: [spelled.get(flag, flag) for flag in flags]
        for kernel, flags in KERNELS.get(architecture, {"portable": []}).items()
    }


def run(command: list[str], folder: str) -> None:
    """Run a compiler in a folder; it says itself what is wrong.

    Raises:
        SystemExit: It failed.
    """
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise SystemExit(
            f"the engine of r3mem-agents was not compiled, for the reason above, by: "
            f"{shlex.join(command)}\nCC names another compiler to take."
        )


def compiler() -> list[str] | None:
    """The C compiler of this machine; ``None`` if it has none that knows all instructions."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    if sys.platform == "win32":  # what is called cc or gcc there may build for something else
        return None
    return next(([name] for name in ("cc", "gcc", "clang") if _knows_all(name)), None)


def zig(target: Target | None = None) -> list[str]:
    """The C compiler of the package ``ziglang``, for a target or for any machine like this one.

    Raises:
        SystemExit: The package is not installed.
    """
    if importlib.util.find_spec("ziglang") is None:
        raise SystemExit("there is no C compiler: install one, or `pip install ziglang`")
    aim = ["-target", target.triple] if target else []
    return [sys.executable, "-m", "ziglang", "cc", *aim, "-mcpu=baseline"]


def machine() -> str:
    """The architecture of this machine."""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name := platform.machine().lower(), name)


def _command(target: Target | None) -> list[str]:
    own = None if target else compiler()
    return own or zig(target)


def _knows_all(name: str) -> bool:
    """Whether a compiler is there, and compiles with the flags of all kernels."""
    if shutil.which(name) is None:
        return False
    flags = [flag for flags in kernels_of(machine(), [name]).values() for flag in flags]
    with TemporaryDirectory() as folder:
        library = str(Path(folder, "library"))
        command = [name, *FLAGS, *flags, "-shared", "-xc", "-", "-o", library]
        tried = subprocess.run(
            command, input=b"#include <math.h>", capture_output=True, check=False
        )
    return not tried.returncode


def _suffix() -> str:
    return {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


if __name__ == "__main__":
    where, *name = sys.argv[1:]
    build(Path(where), TARGETS[name[0]] if name else None)
