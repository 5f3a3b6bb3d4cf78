"""Benchmarks: each budget's figure, its reference and their ratio, measured in one run."""
