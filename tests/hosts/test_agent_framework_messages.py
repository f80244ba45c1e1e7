"""Messages of Microsoft Agent Framework come back equal, whatever is in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("agent_framework")

from agent_framework import Content, Message

from r3mem_agent_framework import R3HistoryProvider
from r3mem_agent_framework._messages import to_message, to_turn
from r3mem_agents import CompressiveMemory
from tests.hosts.agent_framework_client import dicts

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
TEXT = Content.from_text
CONTENTS = [
    TEXT("Grüße 🐕\n", annotations=[{"type": "citation", "title": "a", "url": "https://b"}]),
    TEXT("", additional_properties={"lang": "de", "deep": {"n": [1, None, 2.5]}}),
    Content.from_text_reasoning(id="r", text="It thinks.", protected_data="c2VjcmV0"),
    Content.from_data(PNG, "image/png", name="dog.png"),
    Content.from_uri("https://example.com/a.mp3", media_type="audio/mp3"),
    Content.from_error(message="It broke.", error_code="500", error_details="There."),
    Content.from_function_call("c", "find", arguments='{"q": "dog"}'),
    Content.from_function_call("c", "find", arguments={"q": ["dog", 1, None, {"a": True}]}),
    Content.from_function_call("c", "find", arguments='{"q": "broken off'),
    Content.from_function_call("c", "find"),
    Content.from_function_result("c", result="A dog."),
    Content.from_function_result("c", result=""),
    Content.from_function_result("c", result=[TEXT("One."), TEXT(""), TEXT("Two.")]),
    Content.from_function_result("c", result=[Content.from_data(PNG, "image/png"), TEXT("It.")]),
    Content("function_result", call_id="c", result={"a": [1]}),
    Content("function_result", call_id="c", result="Not its parts.", items=[TEXT("Parts.")]),
    Content("function_result", call_id="c"),
    Content.from_usage({"input_token_count": 3, "output_token_count": 4}),
    Content.from_hosted_file("file-1"),
    Content.from_hosted_vector_store("store-1"),
    Content.from_code_interpreter_tool_call(call_id="c", inputs=[TEXT("print(1)")]),
    Content.from_code_interpreter_tool_result(call_id="c", outputs=[TEXT("1")]),
    Content.from_image_generation_tool_call(image_id="i"),
    Content.from_image_generation_tool_result(
        image_id="i", outputs=Content.from_data(PNG, "image/png")
    ),
    Content.from_mcp_server_tool_call("c", "find", server_name="s", arguments={"q": "dog"}),
    Content.from_mcp_server_tool_result("c", output=[TEXT("A dog.")]),
    Content.from_mcp_server_tool_result("c", output={"type": "text", "rows": [1, 2]}),
    Content.from_search_tool_call("c", tool_name="web", arguments={"q": "dog"}),
    Content.from_search_tool_result("c", tool_name="web", result={"hits": 2}),
    Content.from_shell_tool_call(call_id="c", commands=["ls -l"], timeout_ms=10),
    Content.from_shell_tool_result(
        call_id="c", outputs=[Content.from_shell_command_output(stdout="a\n", exit_code=0)]
    ),
    Content("computer_tool_call", id="k", call_id="c", actions=[{"type": "click", "x": 1}]),
    Content("computer_tool_result", call_id="c", screenshot=Content.from_data(PNG, "image/png")),
    Content.from_function_approval_request(
        "a", Content.from_function_call("c", "pay", arguments={"sum": 3})
    ),
    Content.from_function_approval_response(
        True, "a", Content.from_function_call("c", "pay", arguments={"sum": 3})
    ),
    Content.from_oauth_consent_request("https://example.com/consent"),
]
MESSAGES = [
    Message("user", ["My dog is called Biscuit."]),
    Message("user", ["Look:", CONTENTS[3], "A dog."], author_name="Ann", message_id="m1"),
    Message("assistant", [], additional_properties={"n": 1}),
    Message("assistant", CONTENTS, author_name=" ", message_id="x" * 500),
    Message("system", ["Be brief."]),
    Message("critic", ["A role of its own."]),
    *(Message("tool", [content]) for content in CONTENTS),
]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ANY_CONTENT = st.builds(
    lambda kind, fields: Content(kind, **fields),
    st.sampled_from(sorted({content.type for content in CONTENTS})),
    st.fixed_dictionaries(
        {},
        optional={
            "text": WORDS,
            "message": WORDS,
            "name": WORDS,
            "arguments": WORDS | st.dictionaries(WORDS, JSON, max_size=3),
            "result": JSON,
            "items": st.lists(st.sampled_from(CONTENTS) | WORDS, max_size=3),
            "stdout": WORDS,
            "additional_properties": st.dictionaries(WORDS, JSON, max_size=2),
        },
    ),
)


@given(contents=st.lists(ANY_CONTENT, max_size=3), words=WORDS)
def test_whatever_is_in_a_message_it_comes_back_equal(contents: list[Content], words: str) -> None:
    message = Message("assistant", contents, author_name=words)
    turn = to_turn(message)
    as_host = Message.from_dict(message.to_dict())  # which sets what an approval lacks
    assert to_message(turn).to_dict() == as_host.to_dict()
    to_message(replace(turn, text=words))  # an edit of any kind can be read


async def test_every_message_comes_back_equal(memory: CompressiveMemory) -> None:
    await R3HistoryProvider(memory).save_messages("s", MESSAGES)
    with CompressiveMemory("memory.db", user="alice") as again:
        found = await R3HistoryProvider(again).get_messages("s")
    assert dicts(found) == dicts(MESSAGES)
    for before, after in zip(MESSAGES, found, strict=True):
        assert [*after.contents] == [*before.contents]


async def test_what_was_said_can_be_found(memory: CompressiveMemory) -> None:
    history = R3HistoryProvider(memory)
    call = Content.from_function_call("c", "find", arguments={"city": "Lisbon"})
    result = Content.from_function_result("c", result="The Tagus flows there.")
    await history.save_messages("s", [Message("assistant", [call]), Message("tool", [result])])
    assert [(turn.role, turn.text) for turn in memory.history("s")] == [
        ("assistant", '[calls find] {"city": "Lisbon"}'),
        ("tool", "The Tagus flows there."),
    ]


async def test_a_tools_exception_is_kept_as_the_host_keeps_it(memory: CompressiveMemory) -> None:
    failed = Content.from_function_result("c", result="It failed.", exception="password=1234")
    history = R3HistoryProvider(memory)
    await history.save_messages("s", [Message("tool", [failed])])
    [found] = await history.get_messages("s")
    assert found.to_dict() == Message("tool", [failed]).to_dict()
    assert "1234" not in str(found.contents[0].exception)
    assert b"1234" not in Path("memory.db").read_bytes()
