"""Benchmarks of the project: each measures, prints figures beside the peers', writes them as JSON.

They run from a checkout, ``python -m benchmarks --help``, and are no part of the wheel.
"""
