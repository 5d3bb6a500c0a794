"""Comparisons with peers, side by side in one run; see benchmarks/README.md."""
