"""The invented loan book that ships with the project."""
