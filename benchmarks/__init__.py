"""Benchmarks of the project: each measures, prints figures beside the peers', and writes JSON.

They run from a checkout, ``python -m benchmarks --help``, and are not part of the wheel.
"""
