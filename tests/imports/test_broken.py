"""Files that are broken somewhere: what cannot be read is named, or counted; nothing else fails."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find
from r3mem_agents.validation import MAX_KEY_BYTES
from tests.imports.chatgpt_export import conversation, export
from tests.imports.test_chats import CHANNEL, CHAT, slack, slack_export
from tests.imports.test_claude import FLAT
from tests.imports.test_claude import conversation as claude
from tests.imports.test_logs import CLAUDE_CODE, codex
from tests.imports.test_memories import MEM0
from tests.imports.test_messages import CHAT as MESSAGES
from tests.imports.test_whatsapp import ANDROID, IOS

ITEM = {"namespace": ["a"], "key": "k", "value": {"content": "x"}, "created_at": "2025-01-01"}
DOCUMENTS: list[Any] = [
    json.loads(export(conversation(1))),
    [claude(*FLAT)],
    CHAT,
    {"chats": {"list": [CHAT]}},
    CHANNEL,
    [slack("1714557600.000100", "<@U1> x", thread_ts="1714557600.000100", subtype="me_message")],
    [slack("1714557600.000100", "", attachments=[{"text": "x"}], user_profile={"real_name": "x"})],
    MEM0,
    MESSAGES,
    [{"messages": MESSAGES}],
    [ITEM],
]
LOGS = [CLAUDE_CODE, codex(), b'{"role": "user", "text": "x"}\n']
FILES = [*LOGS, IOS.encode(), ANDROID.encode(), b"text,name\na,b\n", slack_export()]
WRONG: list[Any] = [
    None,
    5,
    -1,
    1e400,
    True,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    {"a": 1},
    "9" * 400,
    10**30,
]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    keys = value if isinstance(value, dict) else []
    for key in range(len(value)) if isinstance(value, list) else keys:
        yield from _paths(value[key], (*path, key))


def _broken(value: Any, draw: st.DrawFn) -> Any:
    """A value of which something is gone, or is something else."""
    value = copy.deepcopy(value)
    *way, last = draw(st.sampled_from([*_paths(value)]))
    inner = value
    for key in way:
        inner = inner[key]
    if draw(st.booleans()):
        del inner[last]
    else:
        inner[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return value


@st.composite
def broken_documents(draw: st.DrawFn) -> bytes:
    return json.dumps(_broken(draw(st.sampled_from(DOCUMENTS)), draw)).encode()


@st.composite
def broken_logs(draw: st.DrawFn) -> bytes:
    records = [json.loads(line) for line in draw(st.sampled_from(LOGS)).splitlines()]
    return b"\n".join(json.dumps(record).encode() for record in _broken(records, draw))


@st.composite
def broken_bytes(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(FILES))
    start = draw(st.integers(0, len(data)))
    return data[:start] + draw(st.binary(max_size=3)) + data[start + draw(st.integers(0, 6)) :]


@given(broken_documents() | broken_logs() | broken_bytes(), st.booleans())
def test_what_is_broken_is_named_or_counted(data: bytes, branches: bool) -> None:
    with contextlib.suppress(InvalidInputError):
        for entry in find("file", data, branches=branches).entries:
            assert entry.turn.text.strip() or entry.turn.key is None
            assert entry.turn.key is None or len(entry.turn.key.encode()) <= MAX_KEY_BYTES
