"""Sizes of turns as memory tokens, and under other coders."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.codec import peers
from benchmarks.dialogues import Said
from r3mem_agents.cli.demo.costs import static_costs

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel
    from r3mem_agents.model import MemoryTokens

BATCH_TURNS = 64
"""Turns per call of the model; chosen."""

EXPLAINED_TOKENS = 4096
"""Longer texts are stored as documents and have no rounds; they count in everything else."""

OURS = "r3mem"
OURS_WITH_GIST = "r3mem + gist"
PACKED = "token ids packed"
STATIC = "static entropy coder"
STATIC_WORDS = "static coder, 32-bit words"

TARGET_RANGE = (50, 250)
"""Sizes in bytes of the turns that the target is about, both inclusive."""

Advance = Callable[[int], None]


@dataclass
class Measurement:
    """Everything measured, per turn; ``summarize`` aggregates it.

    Attributes:
        sources: Data set of each turn.
        text_bytes: UTF-8 bytes of each turn.
        sizes: Bytes of each turn by coder.
        tokens: Tokens of each turn.
        counts: Tokens ``inferred``; all ``segments``, and those ``packed`` and ``literal``.
        exact: Turns that came back byte for byte.
        rounds: Per round ``[tokens, bits, inferred]``.
        compress_s: Seconds spent compressing.
        expand_s: Seconds spent expanding.
    """

    sources: list[str] = field(default_factory=list)
    text_bytes: list[int] = field(default_factory=list)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    tokens: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    exact: int = 0
    rounds: dict[int, list[float]] = field(default_factory=dict)
    compress_s: float = 0.0
    expand_s: float = 0.0

    def add_size(self, coder: str, size: int) -> None:
        """Note the bytes of the next turn under a coder."""
        self.sizes.setdefault(coder, []).append(size)


def measure(
    model: ReversibleModel,
    turns: Sequence[Said],
    coders: dict[str, peers.Coder],
    advance: Advance,
) -> Measurement:
    """Compress, expand and explain turns, and measure the peers on the same ones.

    Args:
        model: The model.
        turns: Held-out turns.
        coders: Byte coders by name.
        advance: Called with the number of turns just done.
    """
    result = Measurement()
    costs = static_costs(model.static_counts)
    words = peers.StaticRangeCoder(model.static_counts)
    model.expand(model.compress([said.text for said in turns[:2]]))  # warm-up, not timed
    for start in range(0, len(turns), BATCH_TURNS):
        batch = turns[start : start + BATCH_TURNS]
        texts = [said.text for said in batch]
        clock = time.perf_counter()
        memory_tokens = model.compress(texts)
        result.compress_s += time.perf_counter() - clock
        clock = time.perf_counter()
        expanded = model.expand(memory_tokens)
        result.expand_s += time.perf_counter() - clock
        result.exact += sum(a == b for a, b in zip(texts, expanded, strict=True))
        _explain(
            result,
            model,
            [
                text
                for text, stored in zip(texts, memory_tokens, strict=True)
                if stored.tokens <= EXPLAINED_TOKENS
            ],
        )
        for said, stored in zip(batch, memory_tokens, strict=True):
            _size_turn(result, model, said, stored, costs, words, coders)
        advance(len(batch))
    return result


def _explain(result: Measurement, model: ReversibleModel, texts: list[str]) -> None:
    for part in model.explain(texts):
        for number in np.unique(part.rounds):
            here = part.rounds == number
            total = result.rounds.setdefault(int(number), [0.0, 0.0, 0.0])
            total[0] += int(here.sum())
            total[1] += float(part.bits[here].sum())
            total[2] += int(part.inferred[here].sum())


def _size_turn(
    result: Measurement,
    model: ReversibleModel,
    said: Said,
    stored: MemoryTokens,
    costs: NDArray[np.float64],
    words: peers.StaticRangeCoder,
    coders: dict[str, peers.Coder],
) -> None:
    ids = model.tokenizer.encode(said.text)
    data = said.text.encode("utf-8")
    result.sources.append(said.source)
    result.text_bytes.append(len(data))
    result.tokens.append(len(ids))
    segments = -(-len(ids) // model.config.segment_tokens)
    for name, count in (
        ("inferred", stored.inferred),
        ("packed", stored.packed),
        ("literal", stored.literal),
        ("segments", segments),
    ):
        result.counts[name] = result.counts.get(name, 0) + count
    result.add_size(OURS, len(stored.code))
    result.add_size(OURS_WITH_GIST, len(stored.code) + len(stored.gists))
    result.add_size(PACKED, peers.packed_bytes(len(ids), len(costs)))
    result.add_size(STATIC, peers.static_bytes(costs, ids))
    result.add_size(STATIC_WORDS, words.size(ids))
    for name, coder in coders.items():
        result.add_size(name, coder(data))


def summarize(result: Measurement) -> dict[str, Any]:
    """The figures of a measurement, as JSON."""
    text = np.asarray(result.text_bytes)
    low, high = TARGET_RANGE
    in_range = (text >= low) & (text <= high)
    sources = np.asarray(result.sources)
    sizes = {name: np.asarray(values) for name, values in result.sizes.items()}
    long_enough = text >= low
    wins = sizes[OURS][long_enough] < sizes[STATIC][long_enough]
    tokens = sum(result.tokens)
    counts = result.counts
    segments = counts.get("segments", 0)
    return {
        "turns": len(text),
        "turns_byte_exact": result.exact,
        "tokens": tokens,
        "text_bytes": int(text.sum()),
        "bytes": {name: int(values.sum()) for name, values in sizes.items()},
        "ratio": {name: _ratio(values, text) for name, values in sizes.items()},
        f"ratio_{low}_to_{high}_bytes": {
            name: _ratio(values[in_range], text[in_range]) for name, values in sizes.items()
        },
        f"turns_{low}_to_{high}_bytes": int(in_range.sum()),
        "ratio_by_source": {
            str(source): {
                name: _ratio(values[sources == source], text[sources == source])
                for name, values in sizes.items()
            }
            for source in sorted(set(result.sources))
        },
        f"turns_of_{low}_bytes_and_more": int(long_enough.sum()),
        "share_smaller_than_static_coder": _share(int(wins.sum()), len(wins)),
        "bits_per_token": {
            name: _share(8 * int(values.sum()), tokens) for name, values in sizes.items()
        },
        "rounds": [
            {
                "round": number,
                "tokens": int(count),
                "bits_per_token": _share(bits, count),
                "inferred_share": _share(inferred, count),
            }
            for number, (count, bits, inferred) in sorted(result.rounds.items())
        ],
        "inferred_share": _share(counts.get("inferred", 0), tokens),
        "segments": segments,
        "segments_packed_share": _share(counts.get("packed", 0), segments),
        "segments_literal_share": _share(counts.get("literal", 0), segments),
        "compress_tokens_per_s": _share(tokens, result.compress_s),
        "expand_tokens_per_s": _share(tokens, result.expand_s),
    }


def by_turn_size(result: Measurement, edges: Sequence[int]) -> dict[str, list[float | None]]:
    """Bytes per byte of text by coder, for turns of ``edges[i] <= bytes < edges[i + 1]``."""
    text = np.asarray(result.text_bytes)
    bins = [(text >= low) & (text < high) for low, high in zip(edges, edges[1:], strict=False)]
    return {
        name: [_ratio(np.asarray(values)[here], text[here]) for here in bins]
        for name, values in result.sizes.items()
    }


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> float | None:
    return _share(int(part.sum()), int(whole.sum()))


def _share(part: float, whole: float) -> float | None:
    """``part / whole`` to five digits; ``None`` if the whole is 0."""
    return round(part / whole, 5) if whole else None
