"""Benchmarks: each measures, prints its figures beside the peers' and writes them as JSON."""
