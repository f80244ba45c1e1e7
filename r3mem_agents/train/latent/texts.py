"""Documents and questions in the tokens of a base, made once and reused when a run is resumed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import MB, Ids, Ragged, data_files, hash_files, records
from r3mem_agents.train.recipe import LatentRecipe

HELD_OUT = 25
"""One document, or passage, in so many is held out."""

LONGEST_PASSAGE = 1000
"""Characters of a passage that are read: a segment."""

LONGEST_QUERY, LONGEST_ANSWER = 240, 240

AT_ONCE = 256
"""Number of texts that are tokenized together."""

DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile)
"""What reading texts that were not written to their end may end with."""

WORD = re.compile(r"\w{4,}")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Texts:
    """Training data in tokens.

    Attributes:
        documents: Texts and dialogues.
        passages: What answers questions.
        prompts: A question for each passage, as ``prompt`` writes it.
        answers: What the passage answers.
        counts: Number of occurrences of each token in the documents.
        held_documents: Whether each is held out.
        held_pairs: The same of passages with their questions.
    """

    documents: Ragged
    passages: Ragged
    prompts: Ragged
    answers: Ragged
    counts: NDArray[np.int64]
    held_documents: NDArray[np.bool_]
    held_pairs: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write the arrays to one ``.npz`` file."""
        arrays: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Ragged):
                arrays |= {f"{field.name}.ids": value.ids, f"{field.name}.counts": value.counts}
            else:
                arrays[field.name] = value
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Texts:
        """Read what ``save`` wrote."""
        with path.open("rb") as file, np.load(file) as arrays:  # NumPy leaves a bad one open
            held: dict[str, Any] = {
                field.name: arrays[field.name]
                if field.name in arrays
                else Ragged(arrays[f"{field.name}.ids"], arrays[f"{field.name}.counts"])
                for field in fields(cls)
            }
        return cls(**held)


def is_held_out(text: str) -> bool:
    """Whether a document, or a pair's passage, is never trained on: one in ``HELD_OUT``."""
    return hashlib.sha256(text.encode()).digest()[0] * HELD_OUT < 256


def prompt(query: str) -> str:
    """A question as it is read after what a passage left."""
    return f"\nQuestion: {query}\nAnswer:"


def document(record: dict[str, Any]) -> str:
    """The text of a record that can be read on: of a dialogue, who said what; else nothing."""
    if record["type"] == "text" and not record.get("independent_lines"):
        return str(record["text"])
    if record["type"] not in {"dialog", "memory"}:
        return ""
    said = ((turn.get("speaker") or turn.get("role"), turn["text"]) for turn in record["turns"])
    return "\n".join(f"{name}: {text}" if name else text for name, text in said)


def pair(record: dict[str, Any]) -> tuple[str, str, str] | None:
    """A passage, a question about it, and its answer: a given one, or a sentence of the passage.

    Pairs across languages give none, nor do those without a word in common.
    """
    if record["type"] != "pair" or "cross" in record or not record["query"]:
        return None
    passage = record["passage"][:LONGEST_PASSAGE]
    answer = record.get("answer") or answering(record["query"], passage)
    if not answer:
        return None
    return passage, record["query"][:LONGEST_QUERY], answer[:LONGEST_ANSWER]


def answering(query: str, passage: str) -> str:
    """The sentence of a passage that has most words of a question; nothing where none has any."""
    asked = {*WORD.findall(query.lower())}
    sentences = [one.strip() for one in SENTENCE.split(passage) if one.strip()]
    shared = [len(asked & {*WORD.findall(one.lower())}) for one in sentences]
    return sentences[int(np.argmax(shared))] if any(shared) else ""


def prepare(
    data: Path,
    out: Path,
    tokenizer: Any,
    base: str,
    recipe: LatentRecipe,
    note: Callable[[str], None],
) -> tuple[Texts, dict[str, str]]:
    """Read or make the training data; write ``texts.npz`` into ``out``.

    Args:
        data: Folder of JSONL(.zst) files.
        out: Folder of the run.
        tokenizer: Of the base.
        base: The base's fingerprint.
        recipe: How much of the data to read.
        note: Called with a description of each stage.

    Returns:
        The data, and SHA-256 of its files.

    Raises:
        InvalidInputError: There is no document that is long enough.
    """
    files = data_files(data)
    least = min(recipe.segments) * min(recipe.histories) + recipe.read
    wanted = [
        base,
        recipe.source_mb,
        least,
        [[path.relative_to(data).as_posix(), path.stat().st_size] for path in files],
    ]
    made, mark = out / "texts.npz", out / "texts.json"
    with suppress(*DAMAGE):  # then they are made once more
        known = json.loads(mark.read_text())
        if known["wanted"] == wanted:
            note("texts found")
            return Texts.load(made), known["hashes"]
    mark.unlink(missing_ok=True)  # until what it describes is whole
    builder = _Builder(tokenizer, least)
    for path in files:
        note(f"reading {path.name}")
        builder.read(path, recipe.source_mb)
    texts, hashes = builder.build(), hash_files(data, files)
    texts.save(made)
    partial = out / "texts.partial"
    partial.write_text(json.dumps({"wanted": wanted, "hashes": hashes}))
    partial.replace(mark)
    return texts, hashes


class _Builder:
    """Tokenizes records, and keeps what is long enough to be compressed."""

    def __init__(self, tokenizer: Any, least: int) -> None:
        self._tokenizer, self._least = tokenizer, least
        self._dtype = np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32
        self._documents: list[Ids] = []
        self._held_documents: list[bool] = []
        self._pairs: list[list[Ids]] = []
        self._held_pairs: list[bool] = []

    def read(self, path: Path, source_mb: float) -> None:
        """Add the records of a file, up to about a number of megabytes."""
        documents: list[str] = []
        pairs: list[tuple[str, str, str]] = []
        taken = 0
        for record in records(path):
            if taken > source_mb * MB:
                break
            if text := document(record):
                documents.append(text)
                taken += len(text)
            elif found := pair(record):
                pairs.append(found)
                taken += sum(map(len, found))
        for text, ids in zip(documents, self._encode(documents), strict=True):
            if len(ids) >= self._least:
                self._documents.append(ids)
                self._held_documents.append(is_held_out(text))
        passages, queries, answers = zip(*pairs, strict=True) if pairs else ((), (), ())
        sides = [passages, [prompt(one) for one in queries], [f" {one}\n" for one in answers]]
        self._pairs += map(list, zip(*(self._encode(side) for side in sides), strict=True))
        self._held_pairs += map(is_held_out, passages)

    def build(self) -> Texts:
        """Return everything added.

        Raises:
            InvalidInputError: There is too little of it.
        """
        held = np.array(self._held_documents, bool)
        if not held.any() or held.all():
            raise InvalidInputError(
                f"{len(held)} documents of {self._least} tokens or more are too few: one in "
                f"{HELD_OUT} is held out; give more texts or dialogs, or a larger --source-mb"
            )
        documents = Ragged.of(self._documents, self._dtype)
        sides = zip(*self._pairs, strict=True) if self._pairs else ([], [], [])
        passages, prompts, answers = (Ragged.of(side, self._dtype) for side in sides)
        return Texts(
            documents,
            passages,
            prompts,
            answers,
            np.bincount(documents.ids, minlength=len(self._tokenizer)),
            held,
            np.array(self._held_pairs, bool),
        )

    def _encode(self, texts: Sequence[str]) -> Iterator[Ids]:
        for start in range(0, len(texts), AT_ONCE):
            some = list(texts[start : start + AT_ONCE])
            found = self._tokenizer(some, add_special_tokens=False, verbose=False).input_ids
            yield from (np.array(ids, self._dtype) for ids in found)
