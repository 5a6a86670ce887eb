"""Benchmarks of time and memory against other tools for the same job; `make bench` runs them."""
