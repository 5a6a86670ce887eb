"""Questions about finished reports: status, history, comparison, explanation, check of an input."""
