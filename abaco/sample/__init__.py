"""The synthetic loan book that ships with the project."""
