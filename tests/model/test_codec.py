"""Laws of compress and expand."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import ExpansionError, FormatError, InvalidInputError
from r3mem_agents.model import MemoryTokens, ReversibleModel
from r3mem_agents.model.checkpoint import Stored
from r3mem_agents.model.codec import Codec
from r3mem_agents.model.native import threads
from r3mem_agents.model.networks import Networks
from r3mem_agents.model.reference.kernels import int8_kernel_is_exact
from r3mem_agents.testing import tiny_model

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
_random = random.Random(7)
HARD_TEXTS = [
    "",
    " ",
    "  two leading spaces and a trailing one ",
    "\x00\x01\x02\x7f\r\n\t\x0b",
    "😀👩‍👩‍👧‍👦🇵🇹 emoji",
    "我们明天上午十点在图书馆见面。" * 9,
    "def f(x):\n    return {k: v for k, v in x.items() if v is not None}\n" * 6,
    base64.b64encode(_random.randbytes(600)).decode(),
    "".join(chr(_random.randrange(0x10000, 0x10FFFF)) for _ in range(90)),
    "a" * 3000,
    "ß\u0301\u200d\ufeff\ufffe\uffff",
    "word " * 5000,
]


@pytest.fixture(scope="module")
def model() -> ReversibleModel:
    return tiny_model()


@pytest.fixture(scope="module")
def in_torch(model: ReversibleModel) -> ReversibleModel:
    return ReversibleModel(model.checkpoint, Networks.in_torch(model.checkpoint, "cpu"))


@given(UNICODE)
def test_any_unicode_text_comes_back(text: str) -> None:
    model = _shared()
    assert model.expand(model.compress([text])) == [text]


@given(st.lists(UNICODE, max_size=6))
def test_a_batch_gives_what_each_text_gives_alone(texts: list[str]) -> None:
    model = _shared()
    together = model.compress(texts)
    assert together == [model.compress([text])[0] for text in texts]
    assert model.expand(together) == texts


def test_few_texts_are_worked_on_at_once(
    model: ReversibleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"Turn {number}." for number in range(600)]
    at_once: list[int] = []

    def watched(method: Any) -> Any:
        def counted(codec: Codec, items: Any, *more: Any) -> Any:
            at_once.append(len(items))
            return method(codec, items, *more)

        return counted

    with monkeypatch.context() as patch:
        for name in ("encode", "decode"):
            patch.setattr(Codec, name, watched(getattr(Codec, name)))
        assert model.expand(model.compress(texts)) == texts
    assert at_once == [256, 256, 88] * 2, "Ctrl-C is heard between two of them"


def test_hard_texts_come_back_together_and_alone(model: ReversibleModel) -> None:
    segments = model.compress(HARD_TEXTS)
    assert model.expand(segments) == HARD_TEXTS
    assert [model.expand([segment])[0] for segment in segments] == HARD_TEXTS


def test_a_megabyte_comes_back(model: ReversibleModel) -> None:
    words = ["alpha", "beta", "gamma", "delta", "7", "é", "\n"]
    text = " ".join(_random.choice(words) for _ in range(240_000))
    assert len(text.encode()) > 1_000_000
    (segment,) = model.compress([text])
    assert model.expand([segment]) == [text]
    assert len(segment.code) < 0.3 * len(text)


@given(
    st.lists(
        st.sampled_from(["word", " ", "\n", "  ", "\t", "don't", "7", "...", "é", "明天", "🎉 "]),
        min_size=1,
        max_size=400,
    ),
    st.integers(0, 50),
)
def test_a_long_text_is_cut_into_the_tokens_of_the_whole(words: list[str], most: int) -> None:
    tokenizer, text = _shared().tokenizer, "".join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("r3mem_agents.model.tokenizer._PIECE", 200)
        ids = tokenizer.encode(text)
        first, count = tokenizer.beginning(text, most)
        if all(len(part) < 100 for part in text.split(" ")):
            assert (first, count) == (ids[:most], len(ids))
        assert len(ids) <= count <= len(ids) + len(text) // 200


def test_a_documents_gists_and_counts_are_those_of_its_tokens(model: ReversibleModel) -> None:
    text = "The meeting starts at 10:30, room 4, with Alice.\n" * 9_000
    (segment,) = model.compress([text])
    ids = model.tokenizer.encode(text)
    assert segment.tokens == model.count_tokens(text) == len(ids)
    assert segment.literal == -(-len(ids) // 64)
    beginning = model.tokenizer.bytes_of(ids[: 64 * 64])[1:].decode()
    assert segment.gists == model.compress([beginning])[0].gists


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are Linux's")
def test_a_document_takes_no_more_memory_the_longer_it_is() -> None:
    """Beyond its own bytes: peaks of two processes, one of which reads four times as much.

    LZMA's encoder holds about twelve bytes for each byte of its window, so that one is made shorter
    than both documents. `getrusage` would count what the process held before it was replaced.
    """
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from r3mem_agents.model import memory_tokens\n"
        "from r3mem_agents.testing import tiny_model\n"
        "memory_tokens._LZMA['dict_size'] = 2**20\n"
        "text = 'The meeting starts at 10:30, room 4. ' * int(sys.argv[1])\n"
        "tiny_model().compress([text])\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(int(peak) * 1024, len(text))\n"
    )
    peaks = []
    for times in ("50000", "200000"):
        done = subprocess.run(
            [sys.executable, "-c", program, times], capture_output=True, text=True, check=True
        )
        peaks.append([int(number) for number in done.stdout.split()])
    (small, short), (large, long) = peaks
    assert large - small < 6 * (long - short)


@pytest.mark.parametrize("batch", [1, 64])
def test_codes_do_not_depend_on_threads_or_batch(
    model: ReversibleModel, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"Turn {n}: I saw {n * 37 % 101} gulls at {n % 24}:00, she said." for n in range(64)]
    found: dict[int, list[MemoryTokens]] = {}
    for number in (1, 2, 5):
        monkeypatch.setattr(threads, "allowed", lambda number=number: number)
        threads._pool.cache_clear()
        found[number] = []
        for start in range(0, 64, batch):
            segments = model.compress(texts[start : start + batch])
            assert model.expand(segments) == texts[start : start + batch]
            found[number] += segments
    assert found[1] == found[2] == found[5]


def test_codes_do_not_depend_on_what_computes(
    model: ReversibleModel, in_torch: ReversibleModel
) -> None:
    texts = [text for text in HARD_TEXTS if len(text) < 2000]
    segments = in_torch.compress(texts)
    assert segments == model.compress(texts)
    assert in_torch.expand(segments) == texts


def test_codes_do_not_depend_on_the_kernel(
    in_torch: ReversibleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text for text in HARD_TEXTS if len(text) < 400]
    found = []
    for narrow in (int8_kernel_is_exact(), False):
        monkeypatch.setattr(
            "r3mem_agents.model.reference.matrix.int8_kernel_pays", lambda narrow=narrow: narrow
        )
        found.append(in_torch.compress(texts))
        assert in_torch.expand(found[-1]) == texts
    assert found[0] == found[1]


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_codes_do_not_depend_on_matmul_precision(
    model: ReversibleModel, in_torch: ReversibleModel, precision: str
) -> None:
    texts = [text for text in HARD_TEXTS if len(text) < 400]
    segments = model.compress(texts)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        assert in_torch.compress(texts) == segments
        assert in_torch.expand(segments) == texts
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.gpu
def test_codes_do_not_depend_on_the_device() -> None:
    texts = HARD_TEXTS[:10]
    here, there = tiny_model(), tiny_model().to("cuda")
    segments = here.compress(texts)
    assert [segment.code for segment in there.compress(texts)] == [s.code for s in segments]
    assert there.expand(segments) == texts


def test_every_fallback_is_reached_and_the_smallest_wins(model: ReversibleModel) -> None:
    noise = "".join(chr(_random.randrange(0x4E00, 0x9FFF)) for _ in range(60))
    (segment,) = model.compress([noise])
    assert segment.literal == 3
    assert len(segment.code) <= len(noise.encode()) + 3 * 3 + 6
    held = model.checkpoint
    tensors = dict(held.expander.tensors)
    for name in ("unigram", "classes.bias"):
        tensors[name] = np.zeros_like(tensors[name])
    network = Stored(model.config, tensors)
    counts, pieces = model.static_counts, model.pieces
    ignorant = ReversibleModel.from_networks(
        held.encoder, network, pieces, model.tokenizer, counts, "x"
    )
    (packed,) = ignorant.compress(["My dog is called Alice and he loves Bob."])
    assert packed.packed == 1
    assert ignorant.expand([packed]) == ["My dog is called Alice and he loves Bob."]
    (english,) = model.compress(["My dog is called Alice and he loves Bob."])
    assert english.packed == english.literal == 0
    assert len(english.code) < 40


def test_counts_are_those_of_the_text(model: ReversibleModel) -> None:
    text = (
        "My dog is called Biscuit and he loves the beach. The meeting starts at 10:30, room 4, "
        "with Alice. What did you do on Saturday?"
    )
    (segment,) = model.compress([text])
    assert segment.tokens == model.count_tokens(text)
    assert segment.text_bytes == len(text)
    assert len(segment.gists) == -(-segment.tokens // 64) * model.gist_bytes
    (explained,) = model.explain([text])
    assert b"".join(explained.tokens) == b" " + text.encode()
    assert 0 < len(segment.code) * 8 - explained.bits.sum() < 8 * 7
    assert explained.inferred.sum() == segment.inferred


@pytest.mark.parametrize("verb", ["compress", "gists", "questions", "explain"])
@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["fine", "ab\ud800"], r"texts\[1\] has a lone surrogate at position 2"),
        ([b"bytes"], r"texts\[0\] must be a str, not bytes"),
        ("text", "texts must be a list of str, not str"),
        (b"text", "texts must be a list of str, not bytes"),
        (None, "texts must be a list of str, not NoneType"),
    ],
)
def test_what_is_no_text_is_refused_by_place(
    model: ReversibleModel, verb: str, texts: object, named: str
) -> None:
    with pytest.raises(InvalidInputError, match=named):
        getattr(model, verb)(texts)


@pytest.mark.parametrize("text", [None, 3, b"a", ["a"], "\ud800"])
def test_of_what_is_no_text_no_tokens_are_counted(model: ReversibleModel, text: Any) -> None:
    with pytest.raises(InvalidInputError, match="text"):
        model.count_tokens(text)


def test_texts_and_memory_tokens_may_come_one_by_one(model: ReversibleModel) -> None:
    texts = ["one", "two"]
    tokens = model.compress(texts)
    assert model.compress(iter(texts)) == tokens  # type: ignore[arg-type]
    assert model.expand(iter(tokens)) == texts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        (None, "tokens must be a list"),
        ([b"code"], r"tokens\[0\] must be MemoryTokens, not bytes"),
        ([MemoryTokens("x", b"")], r"tokens\[0\].code must be bytes, not str"),  # type: ignore[arg-type]
        ([MemoryTokens(b"", None)], r"tokens\[0\].gists must be bytes, not None"),  # type: ignore[arg-type]
    ],
)
def test_what_are_no_memory_tokens_is_refused(
    model: ReversibleModel, tokens: Any, named: str
) -> None:
    with pytest.raises(InvalidInputError, match=named):
        model.expand(tokens)


@pytest.mark.parametrize("device", ["cuda:99", "mps:99", "no such device", "", "meta"])
def test_a_device_that_there_is_not_is_refused(model: ReversibleModel, device: str) -> None:
    with pytest.raises(InvalidInputError, match="device"):
        model.to(device)


@given(st.binary(max_size=80), st.integers(0, 70))
def test_of_any_bytes_comes_a_named_error(code: bytes, segments: int) -> None:
    """A hash of 24 bits lets one in 16 million pass, so none of these."""
    model = _shared()
    with pytest.raises((ExpansionError, FormatError)):
        model.expand([MemoryTokens(code=code, gists=bytes(segments * model.gist_bytes))])


@given(data=st.data())
def test_damage_is_noticed_or_harmless_and_never_returns_another_text(data: st.DataObject) -> None:
    model = _shared()
    text = "The meeting starts at 10:30 in room 4."
    (segment,) = model.compress([text])
    code = bytearray(segment.code)
    place = data.draw(st.integers(0, len(code) - 1))
    code[place] ^= data.draw(st.integers(1, 255))
    try:
        (found,) = model.expand([MemoryTokens(code=bytes(code), gists=segment.gists)])
    except (ExpansionError, FormatError):
        return
    assert found == text


def test_another_model_is_noticed() -> None:
    (segment,) = tiny_model(1).compress(["My dog is called Biscuit and he loves the beach."])
    with pytest.raises(ExpansionError, match="tiny-0"):
        _shared().expand([segment])


def test_gists_that_do_not_fit_are_noticed(model: ReversibleModel) -> None:
    (segment,) = model.compress(["My dog is called Biscuit."])
    with pytest.raises(ExpansionError, match="0 gists for 1 segments"):
        model.expand([MemoryTokens(code=segment.code, gists=b"")])
    with pytest.raises(ExpansionError, match="no multiple of 32"):
        model.expand([MemoryTokens(code=segment.code, gists=segment.gists[:-1])])


_MODELS: list[ReversibleModel] = []


def _shared() -> ReversibleModel:
    """One model for all examples of a property; fixtures of hypothesis tests are per example."""
    if not _MODELS:
        _MODELS.append(tiny_model())
    return _MODELS[0]


def test_a_repr_has_no_word_of_a_text(model: ReversibleModel) -> None:
    text = "Biscuit"
    [tokens] = model.compress([text])
    assert repr(tokens) == f"MemoryTokens({len(tokens.code)} + {len(tokens.gists)} bytes)"
    name = f"ReversibleModel({model.name!r}, {model.fingerprint[:12]}, device='cpu')"
    assert repr(model) == name
