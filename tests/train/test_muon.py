"""Laws of the optimizer of the matrices."""

from __future__ import annotations

import pytest
import torch

from r3mem_agents.train.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(64, 32), (32, 64), (48, 48)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalized(torch.randn(shape)))
    assert values.max() < 1.3
    assert values.min() > 0.3


def test_steps_are_those_of_pytorch_up_to_its_rounding() -> None:
    torch.manual_seed(0)
    ours, theirs = (torch.nn.Parameter(torch.ones(64, 32)) for _ in range(2))
    mine = Muon([ours], lr=0.01)
    other = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        ours.grad = torch.randn(64, 32)
        theirs.grad = ours.grad.clone()
        mine.step()
        other.step()  # type: ignore[no-untyped-call]
    assert (ours - 1).norm() > 0.1
    assert (ours - theirs).norm() < 0.02 * (theirs - 1).norm()
