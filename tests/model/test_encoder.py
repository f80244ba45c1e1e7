"""Laws of the encoder: padding and batches change nothing, and questions fit gists."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents.errors import CheckpointError, InvalidInputError
from r3mem_agents.model import ReversibleModel
from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.testing import tiny_model

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
MODEL = tiny_model()


def make_encoder() -> Encoder:
    torch.manual_seed(3)
    sizes = EncoderConfig(vocabulary=50, hidden=64, layers=3, heads=4, feedforward=128)
    encoder = Encoder(sizes)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return encoder


def test_padding_and_the_batch_change_nothing() -> None:
    encoder = make_encoder().freeze()
    pieces, count = torch.randint(0, 50, (5, 20)), torch.tensor([3, 20, 7, 12, 2])
    inside = torch.arange(20) < count[:, None]
    together = encoder.gists(pieces, count)
    other = torch.where(inside, pieces, torch.randint(0, 50, pieces.shape))
    assert torch.equal(encoder.gists(other, count), together)
    for row, number in enumerate(count.tolist()):
        alone = encoder.gists(pieces[row : row + 1, :number], count[row : row + 1])
        assert torch.equal(alone[0], together[row])


def test_training_arithmetic_is_close_to_the_exact_one() -> None:
    encoder = make_encoder()
    pieces, count = torch.randint(0, 50, (5, 20)), torch.tensor([3, 20, 7, 12, 2])
    trained = encoder.meaning(pieces, count)
    exact = encoder.freeze().meaning(pieces, count)
    assert trained.requires_grad
    assert torch.cosine_similarity(trained.detach(), exact).min() > 0.9


@given(texts=st.lists(UNICODE, max_size=5))
@settings(deadline=None)
def test_questions_are_of_length_one_and_their_signs_are_the_gists(texts: list[str]) -> None:
    asked = MODEL.questions(texts)
    assert asked.shape == (len(texts), 256)
    assert asked.dtype == np.float32
    assert np.linalg.norm(asked, axis=1) == pytest.approx(1.0)
    for row, segment in enumerate(MODEL.compress(texts)):
        if segment.gists and segment.tokens <= MODEL.config.segment_tokens:
            assert np.packbits(asked[row] > 0).tobytes() == segment.gists


def test_case_and_compatible_forms_mean_the_same() -> None:
    plain, other = MODEL.questions(["my dog is called biscuit", "My DOG is ｃalled Biscuit"])
    assert np.array_equal(plain, other)


def test_a_long_question_is_read_as_far_as_the_encoder_reads() -> None:
    assert MODEL.questions(["a dog " * 50_000]).shape == (1, 256)
    with pytest.raises(InvalidInputError, match="lone surrogate"):
        MODEL.questions(["\ud800"])


def test_the_bundled_model_knows_what_was_meant() -> None:
    model = ReversibleModel.from_pretrained()
    turns = ["We adopted a cat named Miso.", "I start work at seven.", "I am allergic to peanuts."]
    gists = [np.frombuffer(one.gists, np.uint8) for one in model.compress(turns)]
    signs = 2.0 * np.unpackbits(np.stack(gists), axis=1) - 1
    for place, question in enumerate(
        ["What pet do I have?", "When does my job begin?", "Which food must I avoid?"]
    ):
        assert (signs @ model.questions([question])[0]).argmax() == place


def test_sizes_that_do_not_fit_are_refused_with_their_values() -> None:
    with pytest.raises(CheckpointError, match="heads=5"):
        EncoderConfig(heads=5)
    with pytest.raises(CheckpointError, match="gist_bits=12"):
        EncoderConfig(gist_bits=12)
