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
                run([*command, *FLAGS, *flags, "-c", str(path), "-o", f"{path.stem}.o"], made, own)
            # Without the flags: zig would compile the C library of Windows anew for each kernel.
            objects = [f"{path.stem}.o" for path in sources]
            run([*command, "-shared", *objects, *link, "-o", name], made, own)
            return Path(made, name).replace(folder / name)

    kernels = kernels_of(target.machine if target else machine(), command)
    with TemporaryDirectory() as cache, ThreadPoolExecutor(os.cpu_count()) as pool:
        own = _environment(cache)
        return list(pool.map(compile_with, kernels.keys(), kernels.values()))


def kernels_of(architecture: str, command: list[str]) -> dict[str, list[str]]:
    """Kernels of an architecture, and the flags of each for a compiler."""
    spelled = IN_ZIG if "ziglang" in command else {}
    return {
        kernel: [spelled.get(flag, flag) for flag in flags]
        for kernel, flags in KERNELS.get(architecture, {"portable": []}).items()
    }


def run(command: list[str], folder: str, environment: dict[str, str] | None = None) -> None:
    """Run a compiler in a folder; it says itself what is wrong.

    Args:
        command: The compiler, and what it is to do.
        folder: Where it runs.
        environment: Its environment, if not that of this process.

    Raises:
        SystemExit: It failed, or is not there.
    """
    try:
        failed = subprocess.run(command, cwd=folder, env=environment, check=False).returncode
        reason = "for the reason above"
    except OSError as error:
        failed, reason = 1, f"since {error}"
    if failed:
        raise SystemExit(
            f"the engine of r3mem-agents was not compiled, {reason}, by: "
            f"{shlex.join(command)}\nCC names another compiler to take."
        )


def compiler() -> list[str] | None:
    """The C compiler of this machine; ``None`` if it has none that knows all instructions.

    Raises:
        SystemExit: ``CC`` is no command.
    """
    if named := os.environ.get("CC", "").strip():
        try:
            return shlex.split(named)
        except ValueError as error:
            raise SystemExit(f"CC is {named!r}, which is no command: {error}") from error
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


def target_of(name: str) -> Target:
    """The target of this name.

    Raises:
        SystemExit: There is none.
    """
    if name not in TARGETS:
        raise SystemExit(f"there is no target {name!r}; the targets are {', '.join(TARGETS)}")
    return TARGETS[name]


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


def _environment(cache: str) -> dict[str, str]:
    """That of this process, with a folder for zig's cache where the user has no home for it."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "")
    homeless = sys.platform != "win32" and not os.access(home, os.W_OK)
    return ({"ZIG_GLOBAL_CACHE_DIR": cache} if homeless else {}) | os.environ


def _suffix() -> str:
    return {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


if __name__ == "__main__":
    where, *name = sys.argv[1:]
    build(Path(where), target_of(name[0]) if name else None)
