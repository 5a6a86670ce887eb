"""The database of runs, figures, deliveries and alerts, in SQLite or PostgreSQL."""
