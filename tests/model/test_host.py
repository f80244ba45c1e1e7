"""Whatever a host sets in PyTorch, numpy, decimal or its environment: the codes are the same."""

from __future__ import annotations

import decimal
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from r3mem_agents.model import MemoryTokens, ReversibleModel, checkpoint
from r3mem_agents.model.networks import Networks
from r3mem_agents.model.reference.exact import attention_table, frequency_table
from r3mem_agents.model.reference.kernels import int8_kernel_is_exact, int8_kernel_pays
from r3mem_agents.model.reference.layout import _layout
from r3mem_agents.testing import tiny_model

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

TEXTS = [
    "The meeting starts at 10:30 in room 4, and Priya brings 1,250 leaflets.",
    "  José brought crème brûlée from Málaga; we met at https://example.org/?q=a%20b#c.",
    "我们明天上午十点在图书馆见面。 🎉👩‍👩‍👧‍👦",
    "def f(x):\n    return {k: v for k, v in x.items() if v is not None}\n" * 4,
    "My grandmother kept bees behind the old mill, and every autumn she sold forty jars of honey. "
    "When the river rose in 1987 she carried the hives up the hill herself, one after another. "
    "Nobody helped her, she said, because nobody else had noticed that it was raining at all.",
    "zxq 0x7fff_ffff ~~ \x00\x1b[2J \u200d\ufeff end",
]


@contextmanager
def switched(read: Callable[[], Any], write: Callable[[Any], Any], value: Any) -> Iterator[None]:
    """A switch of the whole process set to a value."""
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)


@contextmanager
def decimals(**settings: Any) -> Iterator[None]:
    """The host's context of decimal arithmetic, and what new ones start from."""
    default = {name: getattr(decimal.DefaultContext, name) for name in settings}
    with decimal.localcontext() as context:
        for name, value in settings.items():
            setattr(context, name, value)
            setattr(decimal.DefaultContext, name, value)
        try:
            yield
        finally:
            for name, value in default.items():
                setattr(decimal.DefaultContext, name, value)


@contextmanager
def module_hook() -> Iterator[None]:
    """A profiler that looks at every module's outcome."""
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def all_warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def filled_memory() -> Iterator[None]:
    """Uninitialized memory is filled with NaN."""
    with switched(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, True
    ):
        yield


@contextmanager
def without_mkldnn() -> Iterator[None]:
    flags: Any = torch.backends.mkldnn.flags
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TF32")  # it sets every flag anew, that one too
        with flags(enabled=False):
            yield


Switch = Callable[[], AbstractContextManager[Any]]

SWITCHES: dict[str, Switch] = {
    "autocast bfloat16": partial(torch.autocast, "cpu", torch.bfloat16),
    "autocast float16": partial(torch.autocast, "cpu", torch.float16),
    **{
        f"default dtype {dtype}": partial(
            switched, torch.get_default_dtype, torch.set_default_dtype, dtype
        )
        for dtype in (torch.float64, torch.bfloat16, torch.float16)
    },
    "device meta": partial(torch.device, "meta"),
    "default device meta": partial(
        switched, torch.get_default_device, torch.set_default_device, "meta"
    ),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "gradients": torch.enable_grad,
    "anomaly": partial(torch.autograd.set_detect_anomaly, mode=True),
    "deterministic": filled_memory,
    "matmul medium": partial(
        switched,
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
        "medium",
    ),
    "no mkldnn": without_mkldnn,
    "flush denormal": partial(switched, lambda: False, torch.set_flush_denormal, True),
    "one thread": partial(switched, torch.get_num_threads, torch.set_num_threads, 1),
    "three threads": partial(switched, torch.get_num_threads, torch.set_num_threads, 3),
    "swapped parameters": partial(
        switched,
        torch.__future__.get_swap_module_params_on_conversion,
        torch.__future__.set_swap_module_params_on_conversion,
        True,
    ),
    "module hook": module_hook,
    "numpy raises": partial(np.errstate, all="raise"),
    **{
        f"decimal {rounding}": partial(decimals, rounding=rounding)
        for rounding in (
            decimal.ROUND_DOWN,
            decimal.ROUND_UP,
            decimal.ROUND_CEILING,
            decimal.ROUND_FLOOR,
            decimal.ROUND_HALF_UP,
            decimal.ROUND_HALF_DOWN,
            decimal.ROUND_05UP,
        )
    },
    "decimal of 6 digits": partial(decimals, prec=6),
    "decimal of few exponents": partial(decimals, Emin=-9, Emax=9, clamp=1),
    "decimal traps": partial(
        decimals,
        traps={signal: True for signal in decimal.getcontext().traps},
    ),
    "warnings": all_warnings_are_errors,
}

ENVIRONMENTS = {
    "few features and threads": {
        "ATEN_CPU_CAPABILITY": "default",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "RAYON_NUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
        "NPY_PROMOTION_STATE": "weak",
    },
    "oneDNN and Python": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
        "PYTHONHASHSEED": "7",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
    },
    "MKL and locale": {
        "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
        "TORCH_SHOW_CPP_STACKTRACES": "1",
        "MKL_CBWR": "COMPATIBLE",
        "MKL_DYNAMIC": "FALSE",
        "OMP_DYNAMIC": "TRUE",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "Asia/Kolkata",
    },
}
"""Settings that do not bear upon each other share a process, since a process takes seconds."""


def forget_tables() -> None:
    """Compute tables and choose kernels anew, as a process does that starts under a switch."""
    cached_functions = (
        attention_table, frequency_table, int8_kernel_is_exact, int8_kernel_pays, _layout
    )  # fmt: skip
    for cached in cached_functions:
        cached.cache_clear()


def answers(model: ReversibleModel, codes: list[MemoryTokens]) -> tuple[Any, ...]:
    """All that a model says of the texts, to be compared bit for bit."""
    return model.compress(TEXTS), model.expand(codes), model.questions(TEXTS).tolist()


@dataclass(frozen=True)
class Known:
    """A model and what it says where nobody sets anything."""

    load: Callable[[], ReversibleModel]
    model: ReversibleModel
    codes: list[MemoryTokens]
    answers: tuple[Any, ...]

    @classmethod
    def of(cls, load: Callable[[], ReversibleModel]) -> Known:
        model = load()
        codes = model.compress(TEXTS)
        return cls(load, model, codes, answers(model, codes))


def tiny_in_torch() -> ReversibleModel:
    """A model that is loaded in no time, computed by PyTorch."""
    held = checkpoint.load(GOLDEN / "tiny")
    return ReversibleModel(held, Networks.in_torch(held, "cpu"))


@pytest.fixture(scope="module")
def base() -> Known:
    """The bundled model, in the engine."""
    return Known.of(ReversibleModel.from_pretrained)


@pytest.fixture(scope="module")
def tiny() -> Known:
    """What PyTorch computes by the same arithmetic: training, and whoever has a GPU, use it."""
    forget_tables()
    return Known.of(tiny_in_torch)


@pytest.mark.parametrize("name", SWITCHES)
def test_a_hosts_switch_changes_nothing(name: str, base: Known, tiny: Known) -> None:
    forget_tables()
    with SWITCHES[name]():  # the one was loaded before it was set, the other after
        assert answers(base.model, base.codes) == base.answers
        loaded = tiny.load()
        assert answers(loaded, tiny.codes) == tiny.answers
    assert answers(loaded, tiny.codes) == tiny.answers


@pytest.mark.parametrize("which", ["base", "tiny"])
def test_all_switches_together_change_nothing(which: str, request: pytest.FixtureRequest) -> None:
    known: Known = request.getfixturevalue(which)
    together = ("autocast bfloat16", "default dtype torch.float64", "device meta", "matmul medium")
    forget_tables()
    with ExitStack() as stack:
        for name in (*together, "deterministic", "numpy raises", "decimal ROUND_UP"):
            stack.enter_context(SWITCHES[name]())
        loaded = known.load()
        for model in (known.model, loaded):
            assert answers(model, known.codes) == known.answers
    assert answers(loaded, known.codes) == known.answers


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_hosts_environment_changes_nothing(name: str, base: Known) -> None:
    program = (
        "import sys, json\n"
        "from r3mem_agents import ReversibleModel\n"
        "texts = json.loads(sys.argv[1])\n"
        "model = ReversibleModel.from_pretrained()\n"
        "codes = model.compress(texts)\n"
        "if model.expand(codes) != texts: sys.exit('altered')\n"
        "print(json.dumps([[code.code.hex(), code.gists.hex()] for code in codes]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(TEXTS)],
        cwd=ROOT,
        env=os.environ | ENVIRONMENTS[name],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[one.code.hex(), one.gists.hex()] for one in base.codes]


def test_the_host_finds_its_settings_as_it_left_them() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    context = decimal.getcontext().copy()
    with torch.autocast("cpu", torch.bfloat16):
        model = tiny_in_torch()
        forget_tables()
        model.expand(model.compress(TEXTS))
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_autocast_dtype("cpu") == torch.bfloat16
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.bfloat16
    assert torch.equal(torch.rand(3), expected)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    after = decimal.getcontext()
    assert (after.prec, after.rounding, after.traps) == (
        context.prec,
        context.rounding,
        context.traps,
    )
    assert after.flags == context.flags


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_that_is_made_under_a_switch_is_the_same(dtype: torch.dtype) -> None:
    with SWITCHES[f"default dtype {dtype}"](), SWITCHES["autocast bfloat16"]():
        made = tiny_model()
    held = made.checkpoint
    tensors = (*held.encoder.tensors.values(), *held.expander.tensors.values())
    assert {value.dtype for value in tensors} == {np.dtype(np.float32), np.dtype(np.int8)}
    if dtype == torch.float64:  # randn draws other numbers in fewer bits
        assert made.fingerprint == tiny_model().fingerprint
