"""ChatGPT's export in its true shape: trees with branches, hidden nodes and thoughts."""

from __future__ import annotations

import json
from typing import Any

START = 1_700_000_000.25


def message(role: str, *parts: Any, at: float | None = START, **more: Any) -> dict[str, Any]:
    """A message; what is given by name takes the place of a field."""
    content = {"content_type": "text", "parts": list(parts)}
    return {
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": at,
        "content": content,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
    } | more


def conversation(number: int, extra: int = 0) -> dict[str, Any]:
    """A conversation: a question that was edited, an answer that was regenerated, and hidden nodes.

    Args:
        number: Which one.
        extra: How many more questions follow.
    """
    hidden = {"is_visually_hidden_from_conversation": True}
    context = {"content_type": "user_editable_context", "user_profile": "I am a baker."}
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Hm", "content": "Hm."}]}
    code = {"content_type": "code", "language": "python", "text": "print(2)"}
    result = {"content_type": "execution_output", "text": "2"}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://1"}
    chain: list[tuple[str, dict[str, Any] | None, str | None]] = [
        ("root", None, None),
        ("system", message("system", "", at=None, metadata=hidden), "root"),
        ("context", message("user", content=context, at=None, metadata=hidden), "system"),
        ("old-question", message("user", f"Frist question {number}?"), "context"),
        ("old-answer", message("assistant", "Did you mean first?"), "old-question"),
        ("question", message("user", f"First question {number}?", at=START + number), "context"),
        ("thoughts", message("assistant", content=thoughts), "question"),
        ("call", message("assistant", content=code, recipient="python"), "thoughts"),
        ("result", message("tool", content=result), "call"),
        ("worse", message("assistant", "A worse answer."), "result"),
        ("answer", message("assistant", f"Answer {number}.", at=None), "result"),
        ("photo", message("user", picture, "And this?"), "answer"),
    ]
    for one in range(extra):
        chain.append((f"more-{one}", message("user", f"More {one}."), chain[-1][0]))
    nodes: dict[str, Any] = {}
    for name, said, parent in chain:
        id_ = f"{number}-{name}"
        nodes[id_] = {
            "id": id_,
            "message": said and said | {"id": id_},
            "parent": parent and f"{number}-{parent}",
            "children": [f"{number}-{one}" for one, _, above in chain if above == name],
        }
    return {
        "title": f"Chat {number}",
        "create_time": START,
        "update_time": START + 9,
        "mapping": nodes,
        "current_node": f"{number}-{chain[-1][0]}",
        "conversation_id": f"conversation-{number}",
        "id": f"conversation-{number}",
    }


SHOWN = ("First question {}?", "Answer {}.", "And this?")


def export(*conversations: dict[str, Any]) -> bytes:
    """The file."""
    return json.dumps(conversations).encode()
