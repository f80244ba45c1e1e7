"""Laws of the expander: round by round equals all at once, and rounds see no later ones."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.expander import Condition, Expander
from r3mem_agents.model.rounds import Rounds


def make_network(rounds: int) -> Expander:
    torch.manual_seed(rounds)
    config = ModelConfig(
        vocabulary=300, classes=10, hidden=64, layers=3, heads=4, feedforward=128, rounds=rounds
    )
    network = Expander(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.freeze()


def make_batch(network: Expander, positions: int) -> tuple[torch.Tensor, Condition]:
    tokens = torch.randint(0, 300, (5, positions))
    count = torch.randint(1, positions + 1, (5,))
    gist = torch.where(torch.rand(5, network.config.gist_bits) > 0.5, 1.0, -1.0)
    return tokens, Condition(count, torch.rand(5) > 0.5, gist)


@pytest.mark.parametrize(("rounds", "positions"), [(16, 16), (8, 20), (8, 64), (3, 32)])
@torch.inference_mode()
def test_round_by_round_equals_all_at_once(rounds: int, positions: int) -> None:
    network = make_network(rounds)
    tokens, condition = make_batch(network, positions)
    together = network.predict(tokens, condition, condition.count)
    passes, seen = Rounds(network, condition), 0
    for round_ in range(passes.rounds):
        place, real = passes.positions(round_)
        beside = tokens.gather(1, passes.held(round_)) if round_ else None
        states = passes.predict(round_, beside)
        expected = together.gather(1, place[..., None].expand_as(states))
        assert torch.equal(states[real], expected[real])
        seen += int(real.sum())
    assert seen == int(condition.count.sum())


@torch.inference_mode()
def test_one_layout_serves_segments_of_one_length() -> None:
    network = make_network(8)
    tokens, condition = make_batch(network, 32)
    count = torch.full_like(condition.count, 23)
    alike = Condition(count, condition.continued, condition.gist)
    assert torch.equal(
        network.predict(tokens, alike, count[:1])[:, :23],
        network.predict(tokens, alike, count)[:, :23],
    )


@pytest.mark.parametrize("changed_round", [0, 3, 5])
@torch.inference_mode()
def test_a_round_sees_the_rounds_before_it_and_no_others(changed_round: int) -> None:
    network = make_network(8)
    tokens, condition = make_batch(network, 64)
    count = torch.full_like(condition.count, 64)
    whole = Condition(count, condition.continued, condition.gist)
    turns = network.round[64]
    before = network.predict(tokens, whole, count)
    changed = torch.where(turns == changed_round, (tokens + 1) % 300, tokens)
    after = network.predict(changed, whole, count)
    assert torch.equal(before[:, turns <= changed_round], after[:, turns <= changed_round])
    assert not torch.equal(before[:, turns > changed_round], after[:, turns > changed_round])


@torch.inference_mode()
def test_padding_changes_nothing() -> None:
    network = make_network(8)
    tokens, condition = make_batch(network, 64)
    inside = torch.arange(64) < condition.count[:, None]
    other = torch.where(inside, tokens, torch.randint(0, 300, tokens.shape))
    before = network.predict(tokens, condition, condition.count)
    assert torch.equal(network.predict(other, condition, condition.count)[inside], before[inside])


@torch.inference_mode()
def test_the_gist_conditions_every_round() -> None:
    network = make_network(16)
    tokens, condition = make_batch(network, 16)
    other = Condition(condition.count, condition.continued, -condition.gist)
    before = network.predict(tokens, condition, condition.count)
    after = network.predict(tokens, other, condition.count)
    inside = torch.arange(16) < condition.count[:, None]
    assert (before != after).any(-1)[inside].all()


def test_training_arithmetic_is_close_to_the_exact_one() -> None:
    network = make_network(16)
    tokens, condition = make_batch(network, 32)
    trained = network.predict(tokens, condition, condition.count)
    with torch.no_grad():
        exact = network.predict(tokens, condition, condition.count)
    assert trained.requires_grad
    assert (trained.detach() - exact).abs().mean() < 1.0


@torch.inference_mode()
def test_tokens_of_a_class_are_predicted_by_the_tied_embedding() -> None:
    network, size = make_network(8), 30
    tokens, condition = make_batch(network, 16)
    states = network.predict(tokens, condition, condition.count).flatten(0, 1)
    classes = torch.randint(0, 10, (len(states),))
    weight = network.embedding.levels * network.embedding.scale[:, None]
    everything = F.linear(states, weight.float()) + network.unigram
    wanted = torch.stack(
        [row[one * size :][:size] for row, one in zip(everything, classes.tolist(), strict=True)]
    )
    assert torch.allclose(network.token_logits(states, classes), wanted, atol=1e-4)


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
