"""The rules by which terms are made have a number."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from r3mem_agents.analysis import rules as of_rules
from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.stopwords import STOP_WORDS
from r3mem_agents.analysis.words import spelled, words

ROOT = Path(__file__).parents[2]


def test_changed_rules_have_another_number() -> None:
    """If this fails on purpose, count ``TERM_RULES`` up and write all of this into the file."""
    english, _, others = (ROOT / "docs/lookup.md").read_text("utf-8").partition("## Words of other")
    made = [list(words(text)) for text in (*rows(english), of_rules.PROBE)]
    told = [uniform(text) for text in (*rows(others), of_rules.PROBE)]
    cut = [list(spelled(text, told_languages(text))) for text in told]  # stems are a release's
    lists = files("r3mem_agents.analysis").joinpath("function_words.json").read_text("utf-8")
    golden = json.loads((ROOT / "tests/golden/terms.json").read_text("utf-8"))
    assert golden == {
        "rules": of_rules.TERM_RULES,
        "digest": digest(repr((made, sorted(STOP_WORDS)))),
        "other_languages": digest(repr((cut, lists))),
    }


def rows(page: str) -> list[str]:
    """What a page of rules shows the terms of."""
    return re.findall(r"^\| `(.+?)` \|", page.partition("## What decides")[0], re.MULTILINE)


def digest(made: str) -> str:
    return hashlib.blake2b(made.encode(), digest_size=8).hexdigest()
