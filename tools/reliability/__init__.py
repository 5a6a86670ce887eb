"""Hostile inputs and faults of the machine: what is tried, what must hold, and the page that the runs write."""
