"""The names of the systems, and how they are shown."""

from __future__ import annotations

OURS = "r3mem"
BM25 = "bm25"
NGRAMS = "ngrams"
MINILM = "minilm"
E5 = "e5"
BM25_MINILM = "bm25+minilm"
BM25_E5 = "bm25+e5"
SPLADE = "splade"
MEM0 = "mem0"

COLOURS = {
    OURS: "#C8382E",
    BM25: "#4C78A8",
    NGRAMS: "#A9B8C9",
    MINILM: "#5BA38B",
    BM25_MINILM: "#22262B",
    E5: "#E0A030",
    BM25_E5: "#8C6D31",
    SPLADE: "#6BAED6",
    MEM0: "#B279A2",
}
"""The colour of each system in pictures; in this order they are shown."""

NAMES = tuple(COLOURS)
"""All systems."""
