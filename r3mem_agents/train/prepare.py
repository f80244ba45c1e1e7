"""Tokenizer and corpus of a run, made once and found again when the run is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.words import Words
from r3mem_agents.train.batches import QUERY_TOKENS
from r3mem_agents.train.corpus import (
    Corpus,
    CorpusBuilder,
    data_files,
    hash_files,
    load_corpus,
    sample_texts,
    save_corpus,
)
from r3mem_agents.train.recipe import Recipe

PAIRS_SUFFIX = "_pairs"
"""Files of pairs end so; ``Recipe.pair_mb`` limits them."""

MB = 1_000_000


def prepare(
    data: Path,
    out: Path,
    recipe: Recipe,
    note: Callable[[str], None],
    tokenizer: Tokenizer | None = None,
    words: Words | None = None,
) -> tuple[Tokenizer, Words, Corpus, dict[str, Any]]:
    """Read or make what a run learns from.

    Args:
        data: Folder of JSONL(.zst) files.
        out: Folder of the run.
        recipe: How much of it to read.
        note: Told what is being done.
        tokenizer: The tokenizer to use; learned from the data if not given.
        words: The words to use; the most frequent ones, as many as the recipe says, if not given.

    Returns:
        The tokenizer, the words, the corpus, and the hashes of the data files.
    """
    files = data_files(data)
    done = out / "corpus.json"
    wanted = [
        recipe.config.to_dict(),
        recipe.source_mb,
        recipe.pair_mb,
        recipe.tokenizer_mb,
        tokenizer.fingerprint if tokenizer is not None else None,
        words.fingerprint if words is not None else None,
    ]
    if done.exists():
        made = json.loads(done.read_text())
        if made["recipe"] == wanted and made["files"] == [path.name for path in files]:
            note("corpus found")
            return (
                Tokenizer.load(out / "tokenizer.json"),
                Words.load(out / "words.txt"),
                load_corpus(out / "corpus.npz"),
                made["hashes"],
            )
    if tokenizer is None:
        note("learning the tokenizer")
        tokenizer = Tokenizer.train(_sample(files, recipe), recipe.config.vocabulary)
    if words is None:
        note("choosing words")
        words = Words.train(_sample(files, recipe), recipe.config.words)
    builder = CorpusBuilder(tokenizer, recipe.config.segment_tokens, QUERY_TOKENS)
    for path in files:
        pairs = path.name.split(".")[0].endswith(PAIRS_SUFFIX)
        note(f"reading {path.name}")
        builder.add_file(path, int((recipe.pair_mb if pairs else recipe.source_mb) * MB))
    corpus = builder.build()
    hashes = hash_files(files)
    tokenizer.save(out / "tokenizer.json")
    words.save(out / "words.txt")
    save_corpus(corpus, out / "corpus.npz")
    done.write_text(
        json.dumps({"recipe": wanted, "files": [path.name for path in files], "hashes": hashes})
    )
    return tokenizer, words, corpus, hashes


def _sample(files: list[Path], recipe: Recipe) -> Iterator[str]:
    return sample_texts(files, int(recipe.tokenizer_mb * MB))
