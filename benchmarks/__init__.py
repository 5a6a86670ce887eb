"""Measurements of speed and memory against other ways to do the same job; `make bench` runs them."""
