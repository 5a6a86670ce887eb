"""Infrastructure without loans: errors, settings, files, dates, decimals, text, locks, logs and secrets."""
