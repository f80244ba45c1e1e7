"""Lookups among more and more turns: time, memory and disk, beside BM25 and vectors."""
