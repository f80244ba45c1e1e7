"""Laws of the expander: round by round equals all at once, and rounds see no later ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.frozen.interface import Segments
from r3mem_agents.model.predictions import Intervals, Predictions
from r3mem_agents.model.reference.expansion import TorchExpansion
from r3mem_agents.model.reference.layout import Condition
from r3mem_agents.model.schedule import Schedule
from r3mem_agents.model.trainable import Expander


def make_network(rounds: int) -> Expander:
    torch.manual_seed(rounds)
    config = ModelConfig(
        vocabulary=300, classes=10, hidden=64, layers=3, heads=4, feedforward=128, rounds=rounds
    )
    network = Expander(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


def make_batch(network: Expander, positions: int) -> tuple[torch.Tensor, Condition]:
    tokens = torch.randint(0, 300, (5, positions))
    count = torch.randint(1, positions + 1, (5,))
    gist = torch.where(torch.rand(5, network.config.gist_bits) > 0.5, 1.0, -1.0)
    return tokens, Condition(count, torch.rand(5) > 0.5, gist)


@pytest.mark.parametrize(("rounds", "positions"), [(16, 16), (8, 20), (8, 64), (3, 32)])
def test_round_by_round_equals_all_at_once(rounds: int, positions: int) -> None:
    """Told the true tokens, an expansion predicts them under the very frequencies of a measure."""
    network = make_network(rounds).freeze()
    random = np.random.default_rng(rounds * positions)
    count, size = random.integers(1, positions + 1, 5), network.config.class_size
    gists = random.integers(0, 256, (5, network.config.gist_bits // 8)).astype(np.uint8)
    segments = Segments(count, random.random(5) > 0.5, gists)
    tokens = random.integers(0, 300, (5, positions))
    together = network.measure(segments, tokens[np.arange(positions) < count[:, None]])
    column = np.zeros((5, positions), np.int64)
    inside = np.arange(positions) < count[:, None]
    column[inside] = np.arange(count.sum())
    expansion = TorchExpansion(network, network.condition(segments))
    seen = np.where(inside, 0, tokens)
    for rows, places in Schedule.of(64, rounds).rounds(count):
        true = tokens[rows, places]
        classes = Predictions(expansion.classes(seen))
        found = Intervals.of(classes, Predictions(expansion.tokens(true // size)), true, size)
        for name in ("start", "size", "total"):
            wanted = getattr(together, name)[:, column[rows, places]]
            assert np.array_equal(getattr(found, name), wanted)
        seen[rows, places] = true
    assert np.array_equal(seen, tokens)


def test_one_layout_serves_segments_of_one_length() -> None:
    trainable = make_network(8)
    network = trainable.freeze()
    tokens, condition = make_batch(trainable, 32)
    count = torch.full_like(condition.count, 23)
    alike = Condition(count, condition.continued, condition.gist)
    assert torch.equal(
        network.states(tokens, alike, count[:1])[:, :23],
        network.states(tokens, alike, count)[:, :23],
    )


@pytest.mark.parametrize("changed_round", [0, 3, 5])
def test_a_round_sees_the_rounds_before_it_and_no_others(changed_round: int) -> None:
    trainable = make_network(8)
    network = trainable.freeze()
    tokens, condition = make_batch(trainable, 64)
    count = torch.full_like(condition.count, 64)
    whole = Condition(count, condition.continued, condition.gist)
    filled = torch.tensor(Schedule.of(64, 8).round[64])
    before = network.states(tokens, whole, count)
    changed = torch.where(filled == changed_round, (tokens + 1) % 300, tokens)
    after = network.states(changed, whole, count)
    assert torch.equal(before[:, filled <= changed_round], after[:, filled <= changed_round])
    assert not torch.equal(before[:, filled > changed_round], after[:, filled > changed_round])


def test_padding_changes_nothing() -> None:
    trainable = make_network(8)
    network = trainable.freeze()
    tokens, condition = make_batch(trainable, 64)
    inside = torch.arange(64) < condition.count[:, None]
    other = torch.where(inside, tokens, torch.randint(0, 300, tokens.shape))
    before = network.states(tokens, condition, condition.count)
    assert torch.equal(network.states(other, condition, condition.count)[inside], before[inside])


def test_the_gist_conditions_every_round() -> None:
    trainable = make_network(16)
    network = trainable.freeze()
    tokens, condition = make_batch(trainable, 16)
    other = Condition(condition.count, condition.continued, -condition.gist)
    before = network.states(tokens, condition, condition.count)
    after = network.states(tokens, other, condition.count)
    inside = torch.arange(16) < condition.count[:, None]
    assert (before != after).any(-1)[inside].all()


def test_training_arithmetic_is_close_to_the_exact_one() -> None:
    network = make_network(16)
    tokens, condition = make_batch(network, 32)
    trained = network.states(tokens, condition, condition.count)
    exact = network.freeze().states(tokens, condition, condition.count)
    assert trained.requires_grad
    assert (trained.detach() - exact).abs().mean() < 1.0


def test_tokens_of_a_class_are_predicted_by_the_tied_embedding() -> None:
    trainable, size = make_network(8), 30
    network = trainable.freeze()
    tokens, condition = make_batch(trainable, 16)
    states = network.states(tokens, condition, condition.count).flatten(0, 1)
    classes = torch.randint(0, 10, (len(states),))
    held = network.tensors
    weight = held["embedding.levels"] * held["embedding.scale"][:, None]
    everything = F.linear(states, weight) + held["unigram"]
    wanted = torch.stack(
        [row[one * size :][:size] for row, one in zip(everything, classes.tolist(), strict=True)]
    )
    for one in (network, trainable):
        assert torch.allclose(one.token_logits(states, classes), wanted, atol=1e-4)


def test_predictions_start_from_how_often_tokens_occur() -> None:
    network = make_network(8)
    counts = torch.arange(300)
    network.set_unigram(counts)
    assert network.classes.bias is not None
    shares = network.classes.bias.detach().softmax(0).repeat_interleave(30)
    shares = shares * network.unigram.detach().view(10, 30).softmax(1).flatten()
    assert torch.allclose(shares, (counts + 1) / (counts + 1).sum(), rtol=1e-4)


@pytest.mark.parametrize(
    "sizes",
    [
        {"heads": 7},
        {"rounds": 1},
        {"gist_bits": 12},
        {"classes": 7},
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_their_values(sizes: dict[str, int]) -> None:
    with pytest.raises(CheckpointError, match=str(next(iter(sizes.values())))):
        ModelConfig(**sizes)  # type: ignore[arg-type]
