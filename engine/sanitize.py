"""Run tests of the engine with every access to memory and every overflow looked at.

    python engine/sanitize.py [TEST ...]

compiles the engine with gcc's address and undefined-behaviour sanitizers into a copy of the
package, ``build/sanitize``, and runs tests there: those of the engine, if none is named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from build import FLAGS, KERNELS, SOURCES

ROOT = SOURCES.parent
COPY = ROOT / "build" / "sanitize"
TESTS = [f"tests/model/test_{name}.py" for name in ("bounds", "frozen", "rangecoder")]
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def main(tests: list[str]) -> int:
    """Compile and run; gives the exit status of pytest."""
    shutil.rmtree(COPY, ignore_errors=True)
    for folder in ("r3mem_agents", "tests"):
        shutil.copytree(ROOT / folder, COPY / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", COPY)
    libraries = COPY / "r3mem_agents" / "model" / "native" / "libraries"
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    for kernel, flags in KERNELS["x86_64"].items():
        command = ["gcc", "-shared", *FLAGS, *SANITIZE, *flags, *sources, "-lm", "-pthread"]
        subprocess.run([*command, "-o", str(libraries / f"{kernel}.so")], check=True)
    preloaded = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = os.environ | {
        "PYTHONPATH": str(COPY),
        "LD_PRELOAD": ":".join(preloaded),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python frees little of what it has when it ends
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:faulthandler", *tests]
    return subprocess.run(command, cwd=COPY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or TESTS))
