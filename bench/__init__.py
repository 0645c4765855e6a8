"""Benchmarks that anyone can run: `python -m bench`; what they measure and how is in docs/benchmarks.md."""
