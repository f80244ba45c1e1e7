"""Laws of the arithmetic: nothing depends on order, kernel or shape."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from r3mem_agents.errors import FrozenError
from r3mem_agents.model import exact


@pytest.mark.parametrize("width", [32, 256, exact.EXACT_WIDTH, 1536])
@pytest.mark.parametrize("rows", [1, 3, 64])
def test_every_kernel_counts_the_same(
    width: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(width * rows)
    x = torch.randint(-127, 128, (rows, width), generator=generator).float()
    weight = torch.randint(-127, 128, (48, width), generator=generator, dtype=torch.int8)
    truth = x.long() @ weight.long().t()
    linear = exact.ExactLinear(width, 48)
    linear.levels.copy_(weight)
    for narrow in (exact.int8_kernel_is_exact(), False):
        monkeypatch.setattr(exact, "int8_kernel_pays", lambda narrow=narrow: narrow)
        assert torch.equal(linear.count(x).long(), truth)


def test_the_largest_sum_still_counts_exactly_in_float32() -> None:
    most = torch.full((1, exact.EXACT_WIDTH), 127.0)
    assert F.linear(most, most).item() == 127 * 127 * exact.EXACT_WIDTH < 2**24


def test_the_norm_does_not_depend_on_the_order_of_channels() -> None:
    x = torch.round(torch.randn(200, 256) * 400)
    order = torch.randperm(256)
    with torch.no_grad():
        assert torch.equal(exact.normalize(x)[:, order], exact.normalize(x[:, order]))


def test_tables_are_the_exponential() -> None:
    table = exact.exponential_table(2**24, 1, 1000)
    for distance in (0, 1, 32, 100, 500):
        expected = 2**24 * math.exp(-distance / math.sqrt(1000))
        assert abs(int(table[distance]) - 1 - expected) <= 0.5 + 1e-6
    assert table[0] == 2**24 + 1
    assert table[-1] == 1


def test_attention_weights_are_close_to_softmax_and_mask_exactly() -> None:
    scores, blocked = torch.randn(50, 20) * 3, torch.rand(50, 20) < 0.4
    blocked[:, 0] = False
    steps = (scores * exact.score_steps(32)).round().masked_fill(blocked, -1e9)
    weights = exact.attention_weights(steps, 32)
    assert torch.equal(weights, weights.round())
    assert (weights[blocked] == 0).all()
    soft = scores.masked_fill(blocked, -torch.inf).softmax(-1)
    assert (weights / weights.sum(-1, keepdim=True) - soft).abs().max() < 0.01


def test_frequencies_are_close_to_softmax_and_never_zero() -> None:
    logits = torch.randn(20, 1000) * 4
    frequency = exact.frequencies(logits * exact.PREDICTION_STEPS)
    assert frequency.min() >= 1
    share = frequency / frequency.sum(-1, keepdim=True)
    assert ((share / logits.softmax(-1)).log().abs()[logits.softmax(-1) > 1e-5] < 0.04).all()


def test_frozen_weights_give_what_training_sees() -> None:
    torch.manual_seed(0)
    linear = exact.ExactLinear(64, 32)
    linear.freeze()
    x = torch.randint(-127, 128, (10, 64)).float()
    trained = linear(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(linear(x), trained, rtol=1e-6, atol=1e-6)
        before = linear.levels.clone()
        linear.thaw()
        linear.freeze()
        assert torch.equal(linear.levels, before)


def _loaded() -> tuple[exact.ExactLinear, dict[str, torch.Tensor]]:
    """A matrix as a checkpoint gives it, and what the checkpoint holds."""
    made = exact.ExactLinear(64, 32, biased=True)
    made.freeze()
    stored = {name: held for name, held in made.state_dict().items() if name != "weight"}
    loaded = exact.ExactLinear(64, 32, biased=True)
    loaded.load_state_dict(stored)
    return loaded, stored


def test_a_loaded_matrix_stays_as_it_is_when_it_is_frozen() -> None:
    loaded, stored = _loaded()
    loaded.freeze()
    assert loaded.state_dict().keys() == stored.keys()
    for name, held in loaded.state_dict().items():
        assert torch.equal(held, stored[name])


def test_a_loaded_matrix_is_trained_only_once_it_is_thawed() -> None:
    loaded, _ = _loaded()
    x = torch.randint(-127, 128, (10, 64)).float()
    for train in (loaded, lambda _: loaded.rows(torch.arange(3))):
        with pytest.raises(FrozenError, match="thaw"):
            train(x)
    with torch.no_grad():
        exactly = loaded(x)
    loaded.thaw()
    torch.testing.assert_close(loaded(x).detach(), exactly, rtol=1e-6, atol=1e-6)
    loaded(x).sum().backward()
    assert loaded.master.grad is not None


def test_a_loaded_matrix_takes_the_state_of_a_training() -> None:
    loaded, _ = _loaded()
    trained = exact.ExactLinear(64, 32, biased=True)
    loaded.load_state_dict(trained.state_dict())
    assert torch.equal(loaded.master, trained.master)
