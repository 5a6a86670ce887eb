"""Kernels without the wait: forked from a process that has the imports done, each a process of its own."""
