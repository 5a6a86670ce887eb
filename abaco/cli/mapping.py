"""The verb that drafts mappings."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from abaco.cli.options import REPORTS, Date, Level, Params, verb
from abaco.core import logs
from abaco.core.errors import InputError
from abaco.core.text import show


@verb(REPORTS, "map path/to/loans.csv --answer currency=INR")
def map_(
    input: Annotated[Path, typer.Argument(help="A file of loans that no mapping knows.")],
    name: Annotated[str | None, typer.Option(help="What to call the mapping; by default as the file.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="An answer, KEY=VALUE, such as currency=INR; repeatable.")
    ] = None,
    answers: Annotated[str | None, typer.Option(help="Several answers, with semicolons between.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Draft again over a mapping of that name.")] = False,
    date: Date = None, params: Params = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Draft a mapping of a file: propose a column for each heading, ask what is not proven, and write the YAML."""
    from abaco.review.drafting import Drafting, given, going_on

    logs.start(log_level)
    known = given(";".join(answer or ())) | given(answers or "")
    drafting = Drafting.replaced(input, name, known) if replace else Drafting.resumed(input, name, known, date)
    show(*drafting.lines(), "")
    if sys.stdin.isatty():
        _ask(drafting)
    for question in drafting.questions:
        show(f"? {question}")
    show(*drafting.checked(date, params), "")
    path = drafting.save(replace)
    asked = "; ".join(f"{question.key}=…" for question in drafting.questions)
    way_on = (
        f'give answers with ANSWERS="{asked}" or --answers, all at once or one by one, '
        "or write them over its question marks"
        if asked else going_on(input, date, drafting.draft.rows[0])
    )  # fmt: skip
    show(f"{path} is written: {way_on}")


def _ask(drafting) -> None:
    """Ask each open question in the terminal; an empty answer leaves it open."""
    passed: set[str] = set()
    while questions := [question for question in drafting.questions if question.key not in passed]:
        show(f"? {questions[0]}")
        text = typer.prompt("  answer (empty: later)", default="", show_default=False)
        try:
            if text:
                drafting.answer(questions[0].key, text)
            else:
                passed.add(questions[0].key)
        except InputError as error:
            show(f"  {error}")
