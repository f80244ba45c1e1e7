"""The processes that measure: one for each build and one for the peers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("build.py")

WITHOUT_VNNI = {
    "R3MEM_KERNEL": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
"""Variables that keep the engine, PyTorch and numpy from using more than AVX2."""


class Worker:
    """A process that answers requests, one at a time."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process, self._name = process, name

    def ask(self, stage: str, **arguments: Any) -> Any:
        """Request a measurement, and wait for it.

        Raises:
            BenchmarkError: The process ended.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        try:
            requests.write(json.dumps({"stage": stage, **arguments}) + "\n")
            requests.flush()
            return json.loads(answers.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise BenchmarkError(
                f"the process that measured {self._name} ended at {stage!r}; it says why above"
            ) from error


@dataclass(frozen=True, slots=True)
class Build:
    """An environment in which a build is installed.

    Attributes:
        name: What the figures call it.
        python: Its Python.
    """

    name: str
    python: Path

    @contextmanager
    def worker(self, withheld: Mapping[str, str]) -> Iterator[Worker]:
        """A process that has the build.

        Args:
            withheld: Variables of its environment beside those of this process.
        """
        with started([self.python, "-I", SCRIPT], withheld, self.name) as worker:
            yield worker

    def alone(self, withheld: Mapping[str, str], stage: str, **arguments: Any) -> Any:
        """Request a measurement from a process of its own."""
        with self.worker(withheld) as worker:
            return worker.ask(stage, **arguments)

    def shell(self, withheld: Mapping[str, str], *arguments: str) -> float:
        """Return the processor time in seconds of a command of ``r3mem``, the system's included.

        Raises:
            BenchmarkError: The command failed.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [self.python, "-I", "-m", "r3mem_agents", *arguments],
            env={**os.environ, **withheld},
            capture_output=True,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise BenchmarkError(f"r3mem of the {self.name} build failed: {done.stderr.strip()}")
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@contextmanager
def peers(withheld: Mapping[str, str]) -> Iterator[Worker]:
    """A process that has the peers."""
    command = [sys.executable, "-m", "benchmarks.compare.peers"]
    with started(command, {**withheld, "PYTHONPATH": str(ROOT)}, "the peers") as worker:
        yield worker


@contextmanager
def started(command: list[Any], variables: Mapping[str, str], name: str) -> Iterator[Worker]:
    """A worker, which ends with the block."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Worker(process, name)
        finally:
            process.kill()
