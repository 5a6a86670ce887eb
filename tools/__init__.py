"""Development tools, called by make."""
