"""Tokenizer and corpus of a run, made once and reused when the run is resumed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.train.classes import class_order
from r3mem_agents.train.corpus import (
    Corpus,
    CorpusBuilder,
    data_files,
    hash_files,
    read_texts,
    sample_texts,
)
from r3mem_agents.train.recipe import ExpanderRecipe

AT_ONCE = 4096
"""Number of texts that are tokenized together."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The training data of an expander.

    Attributes:
        tokenizer: Splits texts into tokens.
        classes: Number of classes of its tokens.
        corpus: The segments.
        hashes: SHA-256 of the data files.
        key: Key of all this; a different corpus has a different one.
    """

    tokenizer: Tokenizer
    classes: int
    corpus: Corpus
    hashes: dict[str, str]
    key: str


def prepare(
    data: Path,
    out: Path,
    recipe: ExpanderRecipe,
    note: Callable[[str], None],
    tokenizer: Tokenizer | None = None,
) -> Prepared:
    """Read or make the training data of an expander.

    Args:
        data: Folder of JSONL(.zst) files.
        out: Folder of the run.
        recipe: How much of it to read.
        note: Called with a description of each stage.
        tokenizer: The tokenizer to use, its ids in the order of the recipe's classes; learned from
            the data if not given.
    """
    files = data_files(data)
    wanted = [
        recipe.config.to_dict(),
        recipe.source_mb,
        recipe.tokenizer_mb,
        tokenizer.fingerprint if tokenizer is not None else None,
        [[path.relative_to(data).as_posix(), path.stat().st_size] for path in files],
    ]
    done = out / "corpus.json"
    if done.exists():
        made = json.loads(done.read_text())
        if made["wanted"] == wanted:
            note("corpus found")
            return Prepared(
                Tokenizer.load(out / "tokenizer.json"),
                made["classes"],
                Corpus.load(out / "corpus.npz"),
                made["hashes"],
                made["key"],
            )
    classes = recipe.config.classes
    if tokenizer is None:
        tokenizer, classes = learn_tokenizer(files, recipe, note)
    builder = CorpusBuilder(tokenizer, recipe.config.segment_tokens)
    for path in files:
        note(f"reading {path.name}")
        for language, texts in read_texts(path, recipe.source_mb):
            builder.add(language, texts)
    corpus = builder.build()
    hashes = hash_files(data, files)
    tokenizer.save(out / "tokenizer.json")
    corpus.save(out / "corpus.npz")
    key = f"{tokenizer.fingerprint} {json.dumps(wanted)} {json.dumps(hashes)}"
    done.write_text(
        json.dumps({"wanted": wanted, "classes": classes, "hashes": hashes, "key": key})
    )
    return Prepared(tokenizer, classes, corpus, hashes, key)


def learn_tokenizer(
    files: list[Path], recipe: ExpanderRecipe, note: Callable[[str], None]
) -> tuple[Tokenizer, int]:
    """Return a tokenizer whose ids are ordered by classes, and the number of classes.

    A small corpus has few tokens: then there are fewer classes, and as many tokens as fill them.
    """
    texts = list(sample_texts(files, recipe.tokenizer_mb))
    wanted, classes = recipe.config.vocabulary, recipe.config.classes
    note("learning the tokenizer")
    tokenizer = Tokenizer.train(texts, wanted)
    if tokenizer.vocabulary < wanted:
        classes = min(classes, 2 ** round(math.log2(tokenizer.vocabulary) / 2))
        whole = tokenizer.vocabulary // classes * classes
        tokenizer = Tokenizer.train(texts, whole)
    note("ordering tokens by classes")
    encoded = (
        ids
        for start in range(0, len(texts), AT_ONCE)
        for ids in tokenizer.encode_batch(texts[start : start + AT_ONCE])
    )
    order = class_order(encoded, tokenizer.vocabulary, classes, recipe.seed)
    return tokenizer.reordered(order.tolist()), classes


def fitted(recipe: ExpanderRecipe, prepared: Prepared) -> ExpanderRecipe:
    """Return the recipe with the sizes that follow from the data."""
    vocabulary = prepared.tokenizer.vocabulary
    config = replace(recipe.config, vocabulary=vocabulary, classes=prepared.classes)
    return replace(recipe, config=config)
