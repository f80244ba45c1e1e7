"""The README is one screen and links, and its first example is no play on words."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT, blocks

README = ROOT / "README.md"


def test_it_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


def test_its_question_is_put_in_other_words() -> None:
    shown = next(block for block in blocks(README) if block.language == "python")
    [question] = re.findall(r'memory\.recall\("(.*?)"', shown.text)
    [answer] = re.findall(r'"([^"]*Miso[^"]*)"', shown.text)
    said, asked = (set(re.findall(r"\w+", text.casefold())) for text in (answer, question))
    assert len(asked) == 5
    assert not said & asked
    assert shown.output == f"{answer}\n"
