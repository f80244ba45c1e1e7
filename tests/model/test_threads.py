"""The number of threads follows what else runs, and the host's number comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from r3mem_agents.model.reference.threads import CORES


@pytest.fixture
def wanted() -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield 2
    torch.set_num_threads(before)


@pytest.fixture
def busy() -> Iterator[None]:
    """As many processes as cores that want them all the time."""
    spin = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    processes = [subprocess.Popen(spin, stdout=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    yield
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads wait in other ways")
@pytest.mark.usefixtures("busy")
def test_one_thread_computes_where_other_work_has_the_cores(wanted: int) -> None:
    seen = set()
    with CORES.shared():
        end = time.monotonic() + 1
        while time.monotonic() < end:
            CORES.fit()
            seen.add(torch.get_num_threads())
            time.sleep(0.02)
    assert seen == {1}
    assert torch.get_num_threads() == wanted


def test_the_hosts_number_comes_back_after_calls_in_many_threads(wanted: int) -> None:
    def call(number: int) -> int:
        with CORES.shared():
            torch.ones(64, 64) @ torch.ones(64, 64)
            time.sleep(0.001 * (number % 5))
        return torch.get_num_threads()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(200))) == {wanted}
    assert torch.get_num_threads() == wanted


def test_an_error_brings_the_number_back(wanted: int) -> None:
    with pytest.raises(ZeroDivisionError), CORES.shared():
        torch.set_num_threads(1)
        raise ZeroDivisionError
    assert torch.get_num_threads() == wanted
