"""Laws of the reversible stack."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from r3mem_agents.model.config import StackConfig
from r3mem_agents.model.reference.exact import snap_
from r3mem_agents.model.reference.stack import Stack
from r3mem_agents.model.scales import NOWHERE, score_steps
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.network import rounded_tensors
from r3mem_agents.model.trainable.stack import Coupling, ReversibleStack


def sizes(layers: int) -> StackConfig:
    return StackConfig(hidden=32, layers=layers, heads=4, feedforward=64)


def make_stack(layers: int, dtype: torch.dtype = torch.float32) -> Stack:
    tensors = rounded_tensors(make_trainable(layers, dtype))
    return Stack(sizes(layers), {f"stack.{name}": tensor for name, tensor in tensors.items()})


def make_trainable(layers: int, dtype: torch.dtype = torch.float32) -> ReversibleStack:
    torch.manual_seed(layers)
    stack = ReversibleStack(sizes(layers)).to(dtype)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return stack


def make_streams(
    layers: int, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a, b = torch.randn(2, 3, 7, 32, dtype=dtype) * 400
    bias = snap_(torch.randn(layers, 4, 1, 7, 7, dtype=dtype) * score_steps(8))
    blocked = torch.rand(3, 7, 7) < 0.3
    blocked &= ~torch.eye(7, dtype=torch.bool)
    return a, b, bias, blocked


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layers", [1, 4, 8, 16, 32])
def test_inverse_undoes_forward_bit_for_bit_on_the_grid(layers: int, dtype: torch.dtype) -> None:
    stack = make_stack(layers, dtype)
    a, b, bias, blocked = make_streams(layers, dtype)
    a, b = snap_(a), snap_(b)
    forth = stack.forward(a, b, bias, blocked)
    assert (forth[0] - a).abs().max() > 10
    back = stack.inverse(forth[0], forth[1], bias, blocked)
    assert torch.equal(back[0], a)
    assert torch.equal(back[1], b)


@pytest.mark.parametrize("layers", [1, 4, 8, 16, 32])
def test_forward_undoes_inverse_bit_for_bit_on_the_grid(layers: int) -> None:
    stack = make_stack(layers)
    a, b, bias, blocked = make_streams(layers)
    a, b = snap_(a), snap_(b)
    before = stack.inverse(a, b, bias, blocked)
    after = stack.forward(before[0], before[1], bias, blocked)
    assert torch.equal(after[0], a)
    assert torch.equal(after[1], b)


@pytest.mark.parametrize("layers", [1, 4])
def test_an_expansion_is_the_first_stream_of_the_inverse(layers: int) -> None:
    stack = make_stack(layers)
    a, b, bias, blocked = make_streams(layers)
    a, b = snap_(a), snap_(b)
    hidden = bias[1:].masked_fill(blocked, NOWHERE)
    expanded = stack.expand(a, b, hidden)
    assert torch.equal(expanded, stack.inverse(a, b, bias, blocked)[0])


@pytest.mark.parametrize(
    ("dtype", "bound"), [(torch.float32, 2e-3), (torch.float64, 1e-11)], ids=["float32", "float64"]
)
@pytest.mark.parametrize("layers", [1, 4, 8, 16])
def test_off_the_grid_the_error_is_that_of_one_sum_per_coupling(
    layers: int, dtype: torch.dtype, bound: float
) -> None:
    stack = make_stack(layers, dtype)
    a, b, bias, blocked = make_streams(layers, dtype)
    forth = stack.forward(a, b, bias, blocked)
    back = stack.inverse(forth[0], forth[1], bias, blocked)
    errors = [(x - y).abs().max().item() for x, y in zip(back, (a, b), strict=True)]
    assert max(errors) < bound * layers


def plain_forward(
    stack: ReversibleStack, a: Tensor, b: Tensor, bias: Tensor, blocked: Tensor
) -> tuple[Tensor, Tensor]:
    """The formulas of docs/model.md, spelled out without modules, rounding left to autograd."""

    def through(x: Tensor, y: Tensor) -> Tensor:
        return x + (y - x).detach()

    def level(x: Tensor) -> Tensor:
        clipped = x.clamp(-127, 127)
        return through(clipped, clipped.round())

    def norm(x: Tensor) -> Tensor:
        return level(x * 16 / (x.square().mean(-1, keepdim=True) + 1).sqrt())

    def matrix(linear: RoundedLinear, x: Tensor) -> Tensor:
        scale = (linear.weight.detach().abs().amax(1) / 127)[:, None]
        return x @ (level(linear.weight / scale) * scale).t() / 16

    def grid(x: Tensor) -> Tensor:
        return through(x * 128, (x * 128).round())

    for layer, coupling in enumerate(stack.couplings):
        assert isinstance(coupling, Coupling)
        attention, feed = coupling.attention, coupling.feedforward
        mixed = level(matrix(attention.mix, norm(a)) * 16)
        query, key, value = (
            part.reshape(3, 7, 4, 8).transpose(1, 2) for part in mixed.chunk(3, -1)
        )
        scores = (query @ key.transpose(-1, -2) + bias[layer, :, 0]) / (8**0.5 * 256)
        weights = scores.masked_fill(blocked[:, None], -torch.inf).softmax(-1)
        merged = level(weights @ value).transpose(1, 2).flatten(2)
        b = b + grid(matrix(attention.out, merged))
        h = matrix(feed.widen, norm(b))
        a = a + grid(matrix(feed.narrow, level(h * (h + 3).clamp(0, 6) / 6 * 16)))
    return a, b


def test_gradients_are_those_of_the_plain_formulation() -> None:
    stack = make_trainable(3, torch.float64)
    a, b, bias, blocked = make_streams(3, torch.float64)
    parameters = list(stack.parameters())
    results = []
    for run in (stack, lambda *args: plain_forward(stack, *args)):
        out = run(a, b, bias, blocked)
        loss = (out[0] * torch.arange(32)).sum() + out[1].square().sum()
        results.append(torch.autograd.grad(loss, parameters))
    for ours, plain in zip(*results, strict=True):
        assert ours.abs().max() > 0
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9)


def test_training_runs_the_frozen_stack_within_rounding() -> None:
    stack, frozen = make_trainable(4), make_stack(4)
    a, b, bias, blocked = make_streams(4)
    a, b = snap_(a), snap_(b)
    for trained, exactly in zip(
        stack(a, b, bias, blocked), frozen.forward(a, b, bias, blocked), strict=True
    ):
        error = (trained.detach() - exactly).abs().mean()
        assert error < 0.05 * (exactly - a).abs().mean()
    expanded = stack.expand(a, b, bias[1:]).detach()
    exact_expanded = frozen.expand(a, b, bias[1:])
    assert (expanded - exact_expanded).abs().mean() < 0.05 * (exact_expanded - a).abs().mean()
