"""What the command line says of itself: groups, an example for each verb, its version, and completion."""

import shlex

import pytest
import typer
from typer.testing import CliRunner

from abaco import __version__
from abaco.cli import app
from abaco.cli.options import DELIVERY, FIGURES, OPERATIONS, REPORTS

VERBS = typer.main.get_command(app).commands


def test_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).output == f"abaco {__version__}\n"


def test_every_verb_stands_in_a_group():
    assert {verb.rich_help_panel for verb in VERBS.values()} == {REPORTS, FIGURES, DELIVERY, OPERATIONS}


@pytest.mark.parametrize("name", VERBS)
def test_help_has_an_example_that_the_verb_takes(name):
    start, _, example = VERBS[name].epilog.partition(": ")
    program, verb, *arguments = shlex.split(example)
    assert (start, program, verb) == ("Example", "abaco", name)
    VERBS[name].make_context(name, arguments)  # raises an error for what the verb does not take
    assert example in " ".join(CliRunner().invoke(app, [name, "--help"]).output.split())


def test_shell_completes_verbs():
    asked = {"_ABACO_COMPLETE": "complete_bash", "COMP_WORDS": "abaco exp", "COMP_CWORD": "1"}
    assert CliRunner().invoke(app, [], prog_name="abaco", env=asked).output.split() == ["explain"]
