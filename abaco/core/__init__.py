"""What knows nothing of loans: errors, settings, files, dates, decimals, text, locks, logs and secrets."""
