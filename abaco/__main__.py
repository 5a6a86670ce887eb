"""python -m abaco: the command line."""

from abaco.cli import main

main()
