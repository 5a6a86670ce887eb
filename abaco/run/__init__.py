"""One run, from a plan to a published folder."""
