from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.app import app
from benchmarks.documents.overlap import RUN, overlap, runs
from benchmarks.documents.sets import QUESTIONS, read
from r3mem_agents.errors import InvalidInputError, NotFoundError

GARDEN = """# Garden

## Tomatoes

Tomatoes are put out in the middle of May, when the nights are mild.

## Roses

Roses are cut back in March, three buds above the wood of last year.
"""

KITCHEN = """# Kitchen

The oven takes ten minutes to reach two hundred degrees, says the manual.
"""

ASKED = [
    ("When are roses cut?", "garden.md", "Roses are cut back in March, three buds above the wood"),
    ("How long until the oven is hot?", "rooms/kitchen.md", "The oven takes ten minutes to reach"),
    ("Which month is good for tomatoes?", "garden.md", "are put out in the middle of May"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "house"
    (folder / "rooms").mkdir(parents=True)
    (folder / "garden.md").write_text(GARDEN)
    (folder / "rooms" / "kitchen.md").write_text(KITCHEN)
    lines = [
        json.dumps({"question": question, "document": document, "answer": [answer]})
        for question, document, answer in ASKED
    ]
    (folder / QUESTIONS).write_text("\n".join(lines) + "\n")
    return folder


def _run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["documents", *arguments])


def _steady(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures without those that a clock gives, and the size of a database."""
    for row in figures["systems"].values():
        for name in ("lookup_ms", "lookup_times_ours", "write_s", "disk_bytes"):
            del row[name]
    return figures


@pytest.mark.usefixtures("one_process")
def test_the_command_writes_figures(tmp_path: Path, house: Path, checkpoint: str) -> None:
    common = ["--data", str(house), "--model", checkpoint, "--systems", "bm25,r3mem"]
    shown = _run(*common, "--out", str(tmp_path / "one"))
    assert shown.exit_code == 0, shown.stderr
    assert "recall@10" in shown.stdout
    record = json.loads((tmp_path / "one" / "documents.json").read_text())
    assert sorted(record["config"]["data"]) == [
        "house/garden.md",
        "house/questions.jsonl",
        "house/rooms/kitchen.md",
    ]
    figures = record["figures"]
    described = figures["sets"]["house"]
    assert (described["documents"], described["questions"]) == (2, len(ASKED))
    assert described["text_bytes"] == len(GARDEN.encode()) + len(KITCHEN.encode())
    # Every question says a word of its passage that no other passage says.
    assert figures["systems"]["bm25"]["overall"]["recall@1"]["value"] == 1.0
    assert figures["systems"]["r3mem"]["overall"]["recall@5"]["value"] == 1.0
    assert figures["systems"]["r3mem"]["lookup_times_ours"] == 1.0
    assert list(figures["ahead_of"]) == ["bm25"]
    lost = figures["lost_beside_talk"]["overall"]["recall@5"]["value"]
    kept = figures["beside_talk"]["overall"]["recall@5"]["value"]
    assert lost == pytest.approx(1.0 - kept)

    again = _run(*common, "--out", str(tmp_path / "two"), "--json")
    assert _steady(json.loads(again.stdout)["figures"]) == _steady(figures)


def test_two_sets_of_one_name_are_refused(tmp_path: Path, house: Path, checkpoint: str) -> None:
    shown = _run("--data", str(house), "--data", str(house), "--model", checkpoint)
    assert shown.exit_code != 0
    assert "same name" in shown.stderr


def test_gold_is_the_passage_that_says_the_answer(house: Path) -> None:
    found = read(house)
    texts = {passage.id: passage.text for passage in found.passages}
    assert len(texts) == len(found.passages)
    for asked, (question, _, answer) in zip(found.questions, ASKED, strict=True):
        assert asked.question == question
        assert [answer in texts[id_] for id_ in asked.gold] == [True]
    assert not found.problems


def test_passages_are_named_by_their_document_and_headings(house: Path) -> None:
    named = {passage.speaker for passage in read(house).passages}
    assert {"garden > Garden > Roses", "kitchen > Kitchen"} <= named


def test_a_question_that_no_passage_answers_is_told_of(house: Path) -> None:
    with (house / QUESTIONS).open("a") as file:
        line = {"question": "Why?", "document": "garden.md", "answer": ["nobody has said this yet"]}
        file.write(json.dumps(line) + "\n")
    found = read(house)
    assert len(found.questions) == len(ASKED)
    assert found.problems == (
        "house/questions.jsonl, line 4: no passage answers it, so it is left out",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"question": "Why?", "document": "cellar.md", "answer": ["so"]}', "cellar.md"),
        ('{"question": "Why?", "document": "garden.md"}', "line 4 is not a question: answer"),
    ],
)
def test_a_line_that_is_no_question_is_refused(house: Path, line: str, told: str) -> None:
    with (house / QUESTIONS).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InvalidInputError, match=told):
        read(house)


def test_a_folder_without_questions_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotFoundError, match=QUESTIONS):
            read(folder)


words = st.lists(st.integers(0, 10**6).map(str), min_size=1, max_size=80, unique=True)


@given(words, st.data())
def test_a_passage_answers_by_what_it_says_not_by_where_it_is_cut(
    said: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(said) - 1))
    end = data.draw(st.integers(start + 1, len(said)))
    answer = runs([" ".join(said[start:end])])
    whole = end - start >= RUN or end == len(said)
    assert overlap(runs([" ".join(said[start:])]), answer) == whole
    assert not overlap(runs([" ".join(said[end:])]), answer)
    assert not overlap(runs([" ".join(said[:start])]), answer)
