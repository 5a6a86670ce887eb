"""The database: what every run found, what was delivered and what was alerted, in SQLite or PostgreSQL."""
