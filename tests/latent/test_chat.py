"""A conversation whose older messages are memory tokens."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError, TextTooLongError
from r3mem_agents.latent import LatentChat, LatentMemory
from r3mem_agents.latent.chat import leaving
from tests.latent.families import POSITIONS, SEGMENT, memory_on, tokenizer

RECENT = 60
TEMPLATE = (
    "{% for message in messages %}<{{ message.role[0] }}>{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<a>{% endif %}"
)


def talk(count: int) -> list[dict[str, str]]:
    system = {"role": "system", "content": "Be brief."}
    said = [
        {"role": ("user", "assistant")[i % 2], "content": f"{i}: it rained{' again' * (i % 3)}"}
        for i in range(count)
    ]
    return [system, *said]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60),
    st.integers(1, 80),
    st.integers(1, 40),
)
def test_messages_leave_a_segment_at_a_time_and_for_good(
    messages: list[tuple[int, bool]], recent: int, segment: int
) -> None:
    sizes, opens = [size for size, _ in messages], [able for _, able in messages]
    ends = leaving(sizes, opens, recent, segment)
    for grown in range(len(messages)):
        before = leaving(sizes[:grown], opens[:grown], recent, segment)
        assert ends[: len(before)] == before
    assert all(opens[end] for end in ends)
    assert all(start < end for start, end in pairwise([0, *ends]))
    start = ends[-1] if ends else 0
    if sum(sizes[start:]) > recent + segment:  # then no prompt may begin any later
        assert not any(opens[start + 1 :])


def line(message: Mapping[str, str]) -> str:
    return f"{message['role']}: {message['content']}\n"


def test_every_message_is_compressed_or_in_the_prompt(llama: LatentMemory) -> None:
    chat = LatentChat(llama, recent=RECENT)
    messages = talk(30)
    older, prompt = chat.split(messages)
    assert prompt[0] == messages[0]
    assert older
    assert "".join([*older, *map(line, prompt[1:])]) == "".join(map(line, messages[1:]))
    assert prompt[1]["role"] == "user"
    assert all(llama.count_tokens(text) >= SEGMENT for text in older)


def test_a_chat_that_went_on_answers_as_a_new_one(llama: LatentMemory) -> None:
    def new() -> LatentChat:
        return LatentChat(llama, recent=RECENT, max_new_tokens=4)

    going = new()
    for count in range(1, 16, 2):
        assert going.answer(talk(count)) == new().answer(talk(count))
    assert going.answer(talk(5)) == new().answer(talk(5))  # another conversation


def test_an_answer_is_what_the_base_writes_after_memory_tokens_and_prompt(
    llama: LatentMemory,
) -> None:
    chat = LatentChat(llama, recent=RECENT, max_new_tokens=5)
    older, prompt = chat.split(talk(29))
    state = None
    for text in older:
        state = llama.compress(text, state)
    written = "".join([*map(line, prompt), "assistant:"])
    assert chat.answer(talk(29)) == llama.generate(state, written, max_new_tokens=5)
    assert state is not None
    assert (
        chat.compressed.source_tokens == state.source_tokens == llama.count_tokens("".join(older))
    )


def test_a_chat_template_writes_the_prompt(llama: LatentMemory) -> None:
    with_template = tokenizer()
    with_template.chat_template = TEMPLATE
    templated = LatentMemory(llama.adapter, with_template)
    told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hm?"}]
    answer = LatentChat(templated, max_new_tokens=5).answer(told)
    assert answer == llama.generate(None, "<s>Be brief.<u>Hm?<a>", max_new_tokens=5)
    plain = LatentChat(llama, max_new_tokens=5).answer(told)
    wanted = llama.generate(None, "system: Be brief.\nuser: Hm?\nassistant:", max_new_tokens=5)
    assert plain == wanted


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "no message to answer"),
        ([{"role": "system", "content": "Be brief."}], "no message to answer"),
        (["It rained."], r"messages\[0\] must have a role and content, not be a str"),
        ([{"role": "user"}], r"messages\[0\]\['content'\] must be a str"),
        ([{"role": 3, "content": "It"}], r"messages\[0\]\['role'\] must be a str"),
    ],
)
def test_what_is_no_conversation(llama: LatentMemory, messages: Any, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        LatentChat(llama).answer(messages)
    with pytest.raises(InvalidInputError, match="recent is 0"):
        LatentChat(llama, recent=0)


def test_messages_that_a_chat_template_does_not_take(llama: LatentMemory) -> None:
    strict = tokenizer()
    strict.chat_template = "{{ raise_exception('no system message') }}"
    chat = LatentChat(LatentMemory(llama.adapter, strict))
    with pytest.raises(InvalidInputError, match="chat template .* no system message; some take"):
        chat.answer([{"role": "user", "content": "It rained."}])


def test_a_message_longer_than_the_base(llama: LatentMemory) -> None:
    with pytest.raises(TextTooLongError):
        LatentChat(llama).answer([{"role": "user", "content": "a" * POSITIONS}])


def test_what_was_compressed_before_an_adapter_learned_more_is_compressed_again() -> None:
    chat = LatentChat(memory_on("llama"), recent=RECENT, max_new_tokens=4)
    chat.answer(talk(29))
    before = chat.compressed
    with torch.no_grad():
        chat.memory.adapter.start.add_(1)
    chat.answer(talk(29))
    assert chat.compressed.source_tokens == before.source_tokens
    assert chat.compressed.adapter == chat.memory.fingerprint != before.adapter
