"""The texts that r3mem-base-1 was made of, drawn from a folder of training data.

    python examples/recipes/r3mem_base_data.py DATA OUT

DATA holds ``<source>.jsonl.zst`` and ``multi/<language>.jsonl.zst`` (docs/training.md); what was in
them is named, with hashes, in the checkpoint's ``training.json``.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard

from r3mem_agents.train.corpus import MB, records, texts_of

ALL = 1000

ENGLISH = {
    "changelog": 18, "self_dialogue": ALL, "bitcoin_transcripts": 6, "sgd": 9, "irc": 8,
    "assistant_replies": ALL, "ethereum_calls": 3, "qmsum_train": ALL, "star": 3,
    "topical_chat": ALL, "taskmaster": 1, "synthetic_persona_chat": ALL, "multiwoz": ALL,
    "casino": ALL, "chatterbot_en": ALL, "standard_ebooks": 12, "wikipedia": 16, "openstax": 8,
    "docs_public": 8, "squality_stories": 2,
}  # fmt: skip
"""Megabytes of dialogues and prose from each source: most from people's chats."""

PAIRS = {
    "medquad_pairs": 4000, "nqg_squad_sentence_pairs": 6000, "t0_qa_pairs": 2000,
    "strategyqa_pairs": 2300, "skeptics_se_pairs": 1064, "irc_reply_pairs": 5500,
    "changelog_qa_pairs": 8000, "qmsum_train_pairs": 2300, "persona_fact_pairs": 1470,
    "sgd_slot_pairs": 4000, "paraphrase_pairs": 15000, "wikipedia_title_pairs": 25000,
    "openstax_pairs": 6000, "docs_heading_pairs": 4000, "tldr_pairs": 3000,
    "wow_plus_plus_pairs": 2400, "covidqa_pairs": 1000, "squality_pairs": 800,
    "factbook_pairs": 2000, "dstc_faq_pairs": 1500, "ethereum_qa_pairs": 800,
    "bitcoin_qa_pairs": 2500,
}  # fmt: skip
"""Pairs from each source."""

SELDOM = {"ethereum", "bitcoin", "gnome", "libreoffice"}
"""Sources of other languages whose pages are much alike: three in ten of their records."""

KEPT = 0.3


def main(data: Path, out: Path) -> None:
    """Write the mix, a file for each source."""
    random.seed(0)
    (out / "multi").mkdir(parents=True, exist_ok=True)
    for source, megabytes in ENGLISH.items():
        documents = list(records(data / f"{source}.jsonl.zst"))
        random.shuffle(documents)
        write(out / f"{source}.jsonl.zst", up_to(documents, megabytes))
    for source, number in PAIRS.items():
        pairs = list(records(data / f"{source}.jsonl.zst"))
        random.shuffle(pairs)
        write(out / f"{source}.jsonl.zst", pairs[:number])
    for path in sorted((data / "multi").glob("*.jsonl.zst")):
        write(out / "multi" / path.name, (r for r in records(path) if wanted(r)))


def up_to(documents: Iterable[dict[str, Any]], megabytes: int) -> Iterable[dict[str, Any]]:
    """Records until so many megabytes of text are reached."""
    taken = 0
    for record in documents:
        yield record
        taken += sum(map(len, texts_of(record)))
        if taken > megabytes * MB:
            return


def wanted(record: dict[str, Any]) -> bool:
    """Whether a record of another language is drawn."""
    source = record.get("src", "").lower()
    return not any(name in source for name in SELDOM) or random.random() < KEPT


def write(path: Path, items: Iterable[dict[str, Any]]) -> None:
    """Write records, one a line."""
    with zstandard.open(path, "wt", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
