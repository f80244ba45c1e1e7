"""Word pieces, targets and start of an encoder, made once and reused when a run is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import nn

from r3mem_agents.model.checkpoint import Checkpoint
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.model.trainable.pretrained import from_bert, word_pieces
from r3mem_agents.train.corpus import Ragged, data_files, hash_files
from r3mem_agents.train.distil.mapping import SpaceMap, Vectors
from r3mem_agents.train.distil.pool import KINDS, Pool
from r3mem_agents.train.distil.teacher import Teacher
from r3mem_agents.train.distil.texts import Texts, gather
from r3mem_agents.train.distil.vocabulary import start_rows, unigram_of, unite
from r3mem_agents.train.recipe import EncoderRecipe

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """The data and the teachers of a distillation.

    Attributes:
        data: Folder of JSONL(.zst) files.
        teacher: Folder of the encoder to start from and to resemble.
        others: Folder of a teacher for other languages; its tokenizer is a unigram model.
        others_prefix: Prefix that the other teacher expects before each text.
    """

    data: Path
    teacher: Path
    others: Path | None
    others_prefix: str


@dataclass(frozen=True, slots=True)
class Taught:
    """The training data of an encoder.

    Attributes:
        pieces: Word pieces that it reads.
        pool: Texts with their targets.
        hashes: SHA-256 of the data files.
        map_cosine: Mean cosine of the second teacher's mapped vectors to the first one's, held out.
    """

    pieces: Pieces
    pool: Pool
    hashes: dict[str, str]
    map_cosine: float | None


def prepare(
    sources: Sources,
    out: Path,
    recipe: EncoderRecipe,
    reader: Checkpoint,
    device: torch.device,
    note: Note,
) -> Taught:
    """Read or make the training data of an encoder.

    Writes ``pieces.json``, ``pool.npz`` and ``rows.npy`` (where embeddings start) into ``out``.

    Args:
        sources: The data and the teachers.
        out: Folder of the run.
        recipe: How much to read.
        reader: The model whose tokenizer splits texts into segments.
        device: Device of the teachers.
        note: Called with a description of each stage.
    """
    files = data_files(sources.data)
    wanted = [
        [str(part) for part in (sources.teacher, sources.others, sources.others_prefix)],
        [recipe.source_mb, recipe.pair_mb, recipe.vocabulary, recipe.positions],
        [recipe.map_texts, recipe.map_steps, recipe.seed],
        reader.tokenizer.fingerprint,
        [[path.relative_to(sources.data).as_posix(), path.stat().st_size] for path in files],
    ]
    done = out / "pool.json"
    if done.exists():
        made = json.loads(done.read_text())
        if made["wanted"] == wanted:
            note("texts found")
            return Taught(
                Pieces.load(out / "pieces.json"), Pool.load(out / "pool.npz"), **made["found"]
            )
    texts = gather(
        files,
        reader.tokenizer,
        reader.expander.config.segment_tokens,
        recipe.source_mb,
        recipe.pair_mb,
        note,
    )
    teacher = Teacher(sources.teacher, device)
    others = (
        Teacher(sources.others, device, sources.others_prefix)
        if sources.others is not None
        else None
    )
    note("choosing pieces")
    said = texts.by_language()
    unigram = (
        unigram_of(sources.others)
        if sources.others is not None
        else dict(Pieces.train(chain.from_iterable(said.values()), recipe.vocabulary).scores)
    )
    scores = unite(unigram, word_pieces(teacher.tokenizer), said, recipe.vocabulary)
    pieces = Pieces.of(list(scores.items()))
    known = (others.table, others.places) if others is not None else None
    rows = start_rows(list(scores), teacher.table, teacher.tokenizer, known)
    pool, cosine = _pool(texts, pieces, teacher, others, recipe, device, note)
    hashes = hash_files(sources.data, files)
    pieces.save(out / "pieces.json")
    np.save(out / "rows.npy", rows)
    pool.save(out / "pool.npz")
    found = {"hashes": hashes, "map_cosine": cosine}
    done.write_text(json.dumps({"wanted": wanted, "found": found}))
    return Taught(pieces, pool, hashes, cosine)


def begin(
    sources: Sources, out: Path, recipe: EncoderRecipe, gist_bits: int
) -> tuple[Encoder, nn.Linear]:
    """Return the initial encoder, and the map from its embedding to the teacher's space."""
    teacher = Teacher(sources.teacher, torch.device("cpu"))
    rows = torch.from_numpy(np.load(out / "rows.npy"))
    return from_bert(teacher.base, rows, positions=recipe.positions, gist_bits=gist_bits)


def _pool(
    texts: Texts,
    pieces: Pieces,
    teacher: Teacher,
    others: Teacher | None,
    recipe: EncoderRecipe,
    device: torch.device,
    note: Note,
) -> tuple[Pool, float | None]:
    """Return texts with their targets, and how well the second teacher's were mapped.

    Texts without a target are left out.
    """

    def vectors(of: Teacher, some: list[str], whose: str) -> Vectors:
        return of.vectors(some, lambda done: note(f"{whose}: {done:,} of {len(some):,} vectors"))

    english = vectors(teacher, texts.english, "teacher")
    same = np.array([place for _, place, _ in texts.parallel], np.int64)
    parallel = [text for text, _, _ in texts.parallel]
    parts = [(texts.english, english), ([], english[:0]), (parallel, english[same])]
    cosine = None
    if others is not None:
        random = np.random.default_rng(recipe.seed)
        some = random.permutation(len(english))[: recipe.map_texts]
        beside = vectors(others, [texts.english[row] for row in some], "second teacher, English")
        across = vectors(others, parallel, "second teacher, parallel texts")
        space = SpaceMap(
            np.concatenate([beside, across]),
            np.concatenate([english[some], english[same]]),
            recipe.map_steps,
            device,
            recipe.seed,
        )
        more = [text for own in texts.others.values() for text in own]
        parts[1] = (more, space(vectors(others, more, "second teacher")))
        cosine = space.cosine
    cut = [ids for some, _ in parts for ids in pieces.encode(some, recipe.positions)]
    pool = Pool(
        Ragged.of(cut, np.int32),
        np.concatenate([targets for _, targets in parts]),
        np.repeat(np.arange(len(KINDS)), [len(some) for some, _ in parts]).astype(np.uint8),
    )
    return pool, cosine
