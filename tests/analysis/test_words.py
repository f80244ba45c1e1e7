"""Words are cut and spelled as the documentation says."""

from __future__ import annotations

import re
from pathlib import Path

from r3mem_agents.analysis.words import words

DOCS = Path(__file__).parents[2] / "docs" / "lookup.md"


def test_the_documented_table_is_true() -> None:
    english = DOCS.read_text("utf-8").partition("## Words of other")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| .+ \|$", english, re.MULTILINE)
    assert len(rows) > 12
    for text, told in rows:
        spellings = [
            [" ".join(spelling) for spelling in word] for word in words(text.replace("\\|", "|"))
        ]
        assert [one.split(" = ") for one in re.findall(r"`(.+?)`", told)] == spellings, text
