"""Benchmarks: prefectx and its peers side by side; `python -m benchmarks` runs them."""
