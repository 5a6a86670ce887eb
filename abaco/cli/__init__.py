"""The command line: thin verbs over the functions that do the work."""

from abaco.cli.main import main
from abaco.cli.options import app

__all__ = ["app", "main"]
