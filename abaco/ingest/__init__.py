"""Exports become an exact, masked tape, and every rejected row is accounted for."""
