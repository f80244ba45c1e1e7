"""Calls of the engine, recorded here, give the same bits in a program for another processor."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine import build
from r3mem_agents.model import checkpoint
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.native.encoder import NativeEncoder
from r3mem_agents.model.native.expander import NativeExpander
from r3mem_agents.model.native.library import library, runnable
from r3mem_agents.model.native.superseder import NativeSuperseder
from r3mem_agents.types import DEFAULT_MODEL
from tests.engine.recorder import Recorder
from tests.model.test_frozen import Three, networks, read, segments_of, written

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "engine"
AARCH64 = build.Target("aarch64", "", "aarch64-linux-musl", "")
"""With a C library that is linked in: an emulator needs no other files."""


def record(path: Path, of: Three, vocabulary: int) -> None:
    """Record each function once, for lengths that fill no vector and some that do."""
    random = np.random.default_rng(11)
    with path.open("ab") as file:
        engine = Recorder(library(), file, shapes.expander(of.expander.config))
        encoder = NativeEncoder(of.encoder.config, of.encoder.tensors, engine)
        comparing = of.superseder.config, of.superseder.tensors
        superseder = NativeSuperseder(*comparing, encoder, engine)
        expander = NativeExpander(of.expander.config, of.expander.tensors, engine)
        count = np.array([1, 3, 11, 24])
        encoder.encode(random.integers(0, vocabulary, count.sum()), count)
        superseder.compare(random.integers(0, vocabulary, 21), np.array([[1, 9], [8, 3]]))
        config = of.expander.config
        segments, stream = segments_of(random, config, 4), np.array([0, 1, 1, 2])
        tokens = random.integers(0, config.vocabulary, segments.count.sum())
        codes = written(config, segments, expander.measure(segments, tokens), stream)
        assert np.array_equal(read(expander, segments, codes, stream), tokens)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Calls on random networks, and on the bundled ones."""
    folder = tmp_path_factory.mktemp("calls")
    held = checkpoint.load(DEFAULT_MODEL)
    assert held.superseder is not None
    bundled = Three(held.encoder, held.superseder, held.expander)
    record(folder / "bundled", bundled, held.encoder.config.vocabulary)
    for seed, heads, width in ((0, 1, 7), (1, 3, 33)):
        sizes = {"hidden": heads * width, "heads": heads, "layers": 2, "feedforward": 1030}
        record(folder / str(seed), networks(seed, sizes, {"classes": 6, "rounds": 5}), 40)
    return sorted(folder.iterdir())


def replays(recorded: list[Path], program: Path, *emulator: str) -> None:
    for path in recorded:
        done = subprocess.run([*emulator, program, path], capture_output=True, text=True)
        assert done.returncode == 0, f"{path.name}: {done.returncode} {done.stderr}"
        found = re.match(r"(\d+) calls give the same bits", done.stdout)
        assert found is not None
        assert int(found.group(1)) >= 4  # one of each kind, or more in parts


def compiled(folder: Path, command: list[str], flags: list[str]) -> Path:
    sources = [str(path) for path in (*ENGINE.glob("*.c"), HERE / "replay.c")]
    program = folder / "replay"
    build.run(
        [
            *command,
            *build.FLAGS,
            *flags,
            f"-I{ENGINE}",
            *sources,
            "-lm",
            "-pthread",
            "-o",
            str(program),
        ],
        str(folder),
    )
    return program


def test_a_program_without_python_gives_the_same_bits(recorded: list[Path], tmp_path: Path) -> None:
    """In the portable kernel, whatever this processor is."""
    command = build.compiler()
    if command is None:
        pytest.skip("there is no C compiler")
    replays(recorded, compiled(tmp_path, command, []))


@pytest.mark.skipif("avx512vnni" not in runnable(), reason="needs AVX-512 VNNI")
def test_the_kernel_for_avx_vnni_gives_the_same_bits(recorded: list[Path], tmp_path: Path) -> None:
    """Its code runs here, where AVX-VNNI itself need not be."""
    command = build.compiler()
    if command is None:
        pytest.skip("there is no C compiler")
    flags = [*build.KERNELS["x86_64"]["avx512vnni"], "-include", str(HERE / "evex.h")]
    replays(recorded, compiled(tmp_path, command, flags))


@pytest.mark.aarch64
@pytest.mark.parametrize("kernel", build.KERNELS["aarch64"])
def test_aarch64_gives_the_same_bits(kernel: str, recorded: list[Path], tmp_path: Path) -> None:
    emulator = shutil.which("qemu-aarch64-static")
    assert emulator, "install qemu-user-static"
    command = build.zig(AARCH64)
    flags = build.kernels_of("aarch64", command)[kernel]
    replays(recorded, compiled(tmp_path, command, ["-static", *flags]), emulator)
