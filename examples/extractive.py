"""A stand-in for a language model: it quotes what memory recalled, and says that it does."""

from __future__ import annotations

import re

LINE = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d\] (?P<speaker>[^:]+): (?P<text>.+)$", re.MULTILINE)
"""How a memory writes a turn for a prompt."""


def quote(question: str, prompt: str) -> str:
    """Answer with the recalled line that shares most words with the question.

    Args:
        question: What the user says.
        prompt: All that a language model would see.
    """
    asked = _words(question)
    lines = [line for line in LINE.finditer(prompt) if line["speaker"] != "assistant"]
    lines = [line for line in lines if not line["text"].endswith("?")]
    best = max(lines, key=lambda line: len(asked & _words(line["text"])), default=None)
    if best is None or not question.endswith("?"):
        return "(No language model here, and nothing to quote: I only take note.)"
    return f'(No language model here, I quote my memory.) {best["speaker"]}: "{best["text"]}"'


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 2}
