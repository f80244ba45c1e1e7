"""The texts that an encoder learns from, by what their targets are.

They are segments of dialogues and texts, and both sides of pairs, cut to what a memory's encoder
would read. The target of an English text is the teacher's vector, that of a translated passage the
vector of the English query with the same meaning, and that of any other text in another language
the second teacher's vector.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.corpus import ENGLISH, MB, language_of, read_texts, records

LONGEST_SIDE = 600
"""Maximum number of characters read of a side of a pair."""

MIN_TOKENS = 3
"""Shorter segments carry too little meaning."""

AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to learn from.

    Attributes:
        english: English texts.
        others: Texts in other languages, by language.
        parallel: Translations of English texts into other languages, with the index of the original
            in ``english`` and their language.
    """

    english: list[str] = field(default_factory=list)
    others: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    parallel: list[tuple[str, int, str]] = field(default_factory=list)

    def by_language(self) -> dict[str, list[str]]:
        """All of them, by language."""
        found = {ENGLISH: list(self.english)} | {
            language: list(some) for language, some in self.others.items()
        }
        for text, _, language in self.parallel:
            found.setdefault(language, []).append(text)
        return found


def gather(
    files: list[Path],
    tokenizer: Tokenizer,
    segment_tokens: int,
    source_mb: float,
    pair_mb: float,
    note: Callable[[str], None],
) -> Texts:
    """Read the texts of files.

    Args:
        files: JSONL(.zst) files.
        tokenizer: Splits texts into segments.
        segment_tokens: Maximum length of a segment, in tokens.
        source_mb: Maximum megabytes of dialogues and texts from one file.
        pair_mb: Maximum megabytes of pairs from one file.
        note: Called with what is being read.

    Raises:
        InvalidInputError: If there is no English text.
    """
    found = Texts()
    for path in files:
        note(f"reading {path.name}")
        waiting: dict[str, list[str]] = defaultdict(list)
        for language, texts in read_texts(path, source_mb):
            waiting[language] += texts
        for language, texts in waiting.items():
            into = found.english if language == ENGLISH else found.others[language]
            for start in range(0, len(texts), AT_ONCE):
                for ids in tokenizer.encode_batch(texts[start : start + AT_ONCE]):
                    into += [
                        tokenizer.text_of(ids[place : place + segment_tokens])
                        for place in range(0, len(ids), segment_tokens)
                        if len(ids) - place >= MIN_TOKENS
                    ]
        _add_pairs(found, path, pair_mb)
    if not found.english:
        raise InvalidInputError("the data holds no English text: the teacher has nothing to say")
    return found


def _add_pairs(found: Texts, path: Path, pair_mb: float) -> None:
    taken = 0
    for record in records(path):
        if record["type"] != "pair" or not record["query"] or not record["passage"]:
            continue
        query, passage = (record[side][:LONGEST_SIDE] for side in ("query", "passage"))
        language = language_of(record)
        if language == ENGLISH:
            found.english.extend([query, passage])
        elif record.get("cross") == ENGLISH:
            found.parallel.append((passage, len(found.english), language))
            found.english.append(query)
        else:
            found.others[language] += [query, passage]
        taken += len(query) + len(passage)
        if taken > pair_mb * MB:
            return
