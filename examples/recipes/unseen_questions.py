"""Leave out the questions whose answers, or themselves, a model was trained on.

    python examples/recipes/unseen_questions.py TRAIN SET ...

TRAIN holds ``*.jsonl`` and ``*.jsonl.zst``, in folders too (docs/training.md); SET is a folder as
``faq_documents.py`` writes it. A question goes if its answer has 13 words in a row that stand in
TRAIN, or if a text of TRAIN is the question itself. What is left out is printed.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.dialogues import SUFFIXES, open_lines

WORD = re.compile(r"\w+")
RUN = 13
"""Words in a row that two texts do not share by chance; the length that GPT-3's authors chose."""

Question = tuple[Path, int]
"""A file of questions, and the number of a line."""


def main(train: Path, sets: list[Path]) -> None:
    """Write the files of questions anew."""
    lines: dict[Path, list[dict[str, Any]]] = {}
    asked: dict[str, set[Question]] = defaultdict(set)
    for file in (file for folder in sets for file in folder.rglob("questions.jsonl")):
        lines[file] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for number, line in enumerate(lines[file]):
            asked[_whole(line["question"])].add((file, number))
            for text in line["answer"]:
                for run in _runs(text):
                    asked[run].add((file, number))
    seen: set[Question] = set()
    for text in _texts(train):
        for found in (_whole(text), *_runs(text)):
            seen |= asked.get(found, set())
    for file, records in lines.items():
        with file.open("w", encoding="utf-8") as out:
            for number, record in enumerate(records):
                if (file, number) in seen:
                    print(f"{file}: left out: {record['question']}")
                else:
                    out.write(json.dumps(record, ensure_ascii=False) + "\n")


def _whole(text: str) -> str:
    return "= " + " ".join(WORD.findall(text.casefold()))


def _runs(text: str) -> Iterator[str]:
    words = WORD.findall(text.casefold())
    for at in range(len(words) - RUN + 1):
        yield " ".join(words[at : at + RUN])


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.name.endswith(SUFFIXES)):
        with open_lines(path) as lines:
            for line in lines:
                yield from _strings(json.loads(line))


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
