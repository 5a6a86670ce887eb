"""The command line: thin verbs over the functions of the other rooms."""

from abaco.cli.main import main
from abaco.cli.options import app

__all__ = ["app", "main"]
