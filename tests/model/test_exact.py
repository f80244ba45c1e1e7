"""Laws of the arithmetic: nothing depends on order, kernel or shape."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import pytest
import torch
from torch.nn import functional as F

from r3mem_agents.model import scales
from r3mem_agents.model.reference import exact, kernels, matrix
from r3mem_agents.model.reference.matrix import Matrix
from r3mem_agents.model.trainable import rounding
from r3mem_agents.model.trainable.matrix import RoundedLinear


@pytest.mark.parametrize("width", [32, 256, scales.EXACT_WIDTH, 1536])
@pytest.mark.parametrize("rows", [1, 3, 64])
def test_every_kernel_counts_the_same(
    width: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(width * rows)
    x = torch.randint(-127, 128, (rows, width), generator=generator).float()
    weight = torch.randint(-127, 128, (48, width), generator=generator, dtype=torch.int8)
    truth = x.long() @ weight.long().t()
    counting = Matrix({"m.levels": weight, "m.scale": torch.ones(48)}, "m")
    for narrow in (kernels.int8_kernel_is_exact(), False):
        monkeypatch.setattr(matrix, "int8_kernel_pays", lambda narrow=narrow: narrow)
        assert torch.equal(counting.count(x).long(), truth)


def test_the_largest_sum_still_counts_exactly_in_float32() -> None:
    most = torch.full((1, scales.EXACT_WIDTH), 127.0)
    assert F.linear(most, most).item() == 127 * 127 * scales.EXACT_WIDTH < 2**24


def test_the_norm_does_not_depend_on_the_order_of_channels() -> None:
    x = torch.round(torch.randn(200, 256) * 400)
    order = torch.randperm(256)
    assert torch.equal(exact.normalize(x)[:, order], exact.normalize(x[:, order]))


def test_training_rounds_as_the_exact_arithmetic_does() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 256) * 90
    assert torch.equal(rounding.levels(x), exact.levels_(x.clone()))
    assert torch.equal(rounding.snap(x), exact.snap_(x.clone()))
    stream = exact.snap_(x * 5)
    assert (rounding.normalize(stream) - exact.normalize(stream)).abs().max() <= 1


@pytest.mark.parametrize("squared_steps", [1, 1000, scales.PREDICTION_STEPS**2, 32 * 16**4])
def test_tables_are_the_exponential(squared_steps: int) -> None:
    table = scales.exponential(2**24, 1, squared_steps)
    with localcontext(Context(prec=50)):
        steps = Decimal(squared_steps).sqrt()
        for distance in (0, 1, len(table) // 50, len(table) // 7, len(table) - 1):
            expected = 2**24 * (-distance / steps).exp()
            assert abs(table[distance] - 1 - expected) <= Decimal("0.5")
    assert table[0] == 2**24 + 1
    assert table[-1] == 1


def test_attention_weights_are_close_to_softmax_and_mask_exactly() -> None:
    scores, blocked = torch.randn(50, 20) * 3, torch.rand(50, 20) < 0.4
    blocked[:, 0] = False
    steps = (scores * scales.score_steps(32)).round().masked_fill(blocked, -1e9)
    weights = exact.attention_weights_(steps, 32)
    assert torch.equal(weights, weights.round())
    assert (weights[blocked] == 0).all()
    soft = scores.masked_fill(blocked, -torch.inf).softmax(-1)
    assert (weights / weights.sum(-1, keepdim=True) - soft).abs().max() < 0.01


def test_frequencies_are_close_to_softmax_and_never_zero() -> None:
    logits = torch.randn(20, 1000) * 4
    frequency = exact.frequencies_(logits * scales.PREDICTION_STEPS)
    assert frequency.min() >= 1
    share = frequency / frequency.sum(-1, keepdim=True)
    assert ((share / logits.softmax(-1)).log().abs()[logits.softmax(-1) > 1e-5] < 0.04).all()


def _frozen(linear: RoundedLinear) -> Matrix:
    return Matrix({f"m.{name}": tensor for name, tensor in linear.rounded().items()}, "m")


@pytest.mark.parametrize("biased", [False, True])
def test_frozen_weights_give_what_training_sees(biased: bool) -> None:
    torch.manual_seed(0)
    linear = RoundedLinear(64, 32, biased=biased)
    frozen = _frozen(linear)
    x, index = torch.randint(-127, 128, (10, 64)).float(), torch.tensor([[3, 0], [31, 3]])
    for trained, exactly in ((linear(x), frozen(x)), (linear.rows(index), frozen.rows(index))):
        assert trained.requires_grad and not exactly.requires_grad
        torch.testing.assert_close(exactly, trained.detach(), rtol=1e-6, atol=1e-6)


def test_a_thawed_matrix_freezes_to_what_it_was() -> None:
    linear, thawed = (RoundedLinear(64, 32, gain=16.0, biased=True) for _ in range(2))
    stored = linear.rounded()
    thawed.set_rounded(stored)
    assert all(torch.equal(tensor, stored[name]) for name, tensor in thawed.rounded().items())


def test_a_thawed_matrix_learns() -> None:
    linear = RoundedLinear(64, 32, biased=True)
    linear.set_rounded(RoundedLinear(64, 32, biased=True).rounded())
    linear(torch.randint(-127, 128, (10, 64)).float()).sum().backward()
    assert linear.weight.grad is not None
