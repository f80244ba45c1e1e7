"""Laws of the network: round by round equals all at once, and rounds see no later ones."""

from __future__ import annotations

import pytest
import torch

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.schedule import positions_in_rounds


def make_network(rounds: int) -> R3MemNetwork:
    torch.manual_seed(rounds)
    config = ModelConfig(
        vocabulary=300, hidden=64, layers=3, heads=4, feedforward=128, rounds=rounds
    )
    network = R3MemNetwork(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.freeze()


def make_batch(network: R3MemNetwork, positions: int) -> tuple[torch.Tensor, ...]:
    tokens = torch.randint(0, 300, (5, positions))
    count = torch.randint(1, positions + 1, (5,))
    continued = torch.rand(5) > 0.5
    gist = torch.where(torch.rand(5, network.config.gist_bits) > 0.5, 1.0, -1.0)
    return tokens, count, continued, gist


@pytest.mark.parametrize(("rounds", "positions"), [(16, 16), (16, 48), (8, 64), (4, 32)])
@torch.inference_mode()
def test_round_by_round_equals_all_at_once(rounds: int, positions: int) -> None:
    network = make_network(rounds)
    tokens, count, continued, gist = make_batch(network, positions)
    lanes = positions // rounds
    passes = network.begin(count, continued, gist, positions)
    states = []
    for turn in range(rounds):
        states.append(passes.predict())
        passes.supply(tokens[:, turn * lanes : (turn + 1) * lanes])
    together = network.predict(tokens, count, continued, gist)
    real = positions_in_rounds(network.config, positions)[None] < count[:, None]
    assert torch.equal(torch.cat(states, 1)[real], together[real])


@torch.inference_mode()
def test_a_round_sees_the_rounds_before_it_and_no_others() -> None:
    network = make_network(16)
    tokens, count, continued, gist = make_batch(network, 64)
    count = torch.full_like(count, 64)
    before = network.predict(tokens, count, continued, gist)
    changed = tokens.clone()
    changed[:, 5 * 4] = (changed[:, 5 * 4] + 1) % 300  # a token of round 5
    after = network.predict(changed, count, continued, gist)
    assert torch.equal(before[:, : 6 * 4], after[:, : 6 * 4])
    assert not torch.equal(before[:, 6 * 4 :], after[:, 6 * 4 :])


@torch.inference_mode()
def test_the_gist_conditions_every_round() -> None:
    network = make_network(16)
    tokens, count, continued, gist = make_batch(network, 16)
    before = network.predict(tokens, count, continued, gist)
    after = network.predict(tokens, count, continued, -gist)
    assert (before != after).any(-1).all(0)[:1].all()


def test_training_arithmetic_is_close_to_the_exact_one() -> None:
    network = make_network(16)
    tokens, count, continued, gist = make_batch(network, 32)
    trained = network.predict(tokens, count, continued, gist)
    with torch.no_grad():
        exact = network.predict(tokens, count, continued, gist)
    assert trained.requires_grad
    assert (trained.detach() - exact).abs().mean() < 1.0


@pytest.mark.parametrize(
    "sizes",
    [
        {"heads": 7},
        {"rounds": 5},
        {"gist_bits": 12},
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_their_values(sizes: dict[str, int]) -> None:
    with pytest.raises(CheckpointError, match=str(next(iter(sizes.values())))):
        ModelConfig(**sizes)
