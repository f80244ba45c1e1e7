"""What is said in a message whose content is a text, or a list of blocks."""

from __future__ import annotations

from typing import Any


def texts(content: Any) -> list[str]:
    """The texts of a content, without calls, their results, thoughts and pictures."""
    if isinstance(content, str):
        return [content] if content else []
    if not isinstance(content, list):
        return []
    return [
        str(block["text"])
        for block in content
        if isinstance(block, dict)
        and block.get("type") in ("text", "input_text", "output_text")
        and block.get("text")
    ]
