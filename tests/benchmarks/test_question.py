"""The worked question of docs/recall.md has the figures of its committed result."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.question import question

ROOT = Path(__file__).parents[2]
RESULT = Path("results") / "question.json"


def figures(docs: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((docs / RESULT).read_text())["figures"]
    return found


def numbers(row: str) -> list[str]:
    return re.findall(r"(?<=[ *])[+-]?\d+\.\d\d(?=[ *])", row)


def test_the_tables_are_those_of_the_result() -> None:
    text = (ROOT / "docs" / "recall.md").read_text()
    told = text.split("### One question")[1].split("**The newest of it.**")[0]
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    found = figures(ROOT / "docs")
    record = json.loads((ROOT / "docs" / RESULT).read_text())
    assert f"> {record['config']['question']}\n" in told
    assert f"Of the {found['turns']} turns of a made-up talk" in told
    assert f"{', '.join(found['lookup']['words'])}. {found['lookup']['outcome']}\n" in told
    levels = [cell.strip() for cell in rows[0].split("|")[2:-3]]
    for place, hit in enumerate(found["hits"], 1):
        evidence = hit["explanation"]["evidence"]
        assert all(evidence[level]["log_odds"] == 0 for level in evidence.keys() - set(levels))
        row = rows[place]
        assert row.startswith(f"| {hit['text']} |")
        worth = [evidence[level]["log_odds"] for level in levels]
        shown = [f"{one:+.2f}" for one in [*worth, hit["log_odds"]]]
        assert numbers(row) == [*shown, f"{hit['score']:.2f}"]
    for hit in found["hits"][:2]:
        part = told.split(f'Why, for "{hit["text"]}":')[1]
        for level in levels:
            one = hit["explanation"]["evidence"][level]
            row = next(line for line in part.splitlines() if line.startswith(f"| {level} |"))
            assert row == f"| {level} | {one['log_odds']:+.2f} | {'; '.join(one['reasons'])} |"


def test_the_result_is_what_the_page_says_of_it() -> None:
    record = json.loads((ROOT / "docs" / RESULT).read_text())
    assert record["config"].keys() >= {"model", "fingerprint", "data", "conversation", "question"}
    first, *others = record["figures"]["hits"]
    assert first["answers"], "the turn that answers is first"
    assert not first["explanation"]["said"], "and shares no word with the question"
    assert any(hit["explanation"]["said"] for hit in others), "others do"
    gist = [hit["explanation"]["evidence"]["gist"]["log_odds"] for hit in record["figures"]["hits"]]
    assert gist[0] == max(gist), "the gist decides"


@pytest.mark.slow
def test_the_result_is_what_is_found(tmp_path: Path) -> None:
    """Otherwise ``make question`` is due."""
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs)
    page = (docs / "recall.md").read_text()
    question(docs)
    assert (docs / "recall.md").read_text() == page
    kept, made = figures(ROOT / "docs"), figures(docs)
    assert [hit["turn"] for hit in made["hits"]] == [hit["turn"] for hit in kept["hits"]]
    assert [hit["log_odds"] for hit in made["hits"]] == pytest.approx(
        [hit["log_odds"] for hit in kept["hits"]], abs=1e-4
    )
