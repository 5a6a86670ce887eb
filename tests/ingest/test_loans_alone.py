"""A loans export alone carries no date: its report says so wherever it is read."""

import json

from tests.support.exports import LOANS, write


def test_report_of_loans_alone_says_that_its_figures_are_not_of_the_date(project):
    rows = ["A-1,C-1,2025-01-15,0.4,900,500,45", "A-2,C-2,2025-06-30,0.4,900,700,0", "A-3,C-3,2025-07-01,0.4,90,90,0"]
    loans = write(project.root / "loans.csv", LOANS, *rows)
    done = project.report("--input", loans, date="2025-06-30")
    assert done.returncode == 0, done.stderr
    told = (
        "These are not the figures of 2025-06-30: the loans export carries no date, so balances and days past due are "
        "those of the day it was made.\n"
        "That day is later than 2025-06-30: the export holds 1 loan lent after it, left out here.\n"
    )
    assert told in done.stdout
    folder = project.output / "2025-06-30"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["as_of"] is None
    assert metrics["kpis"]["PAR30"]["value"] == 41.6667
    assert metrics["quality"]["notes"][0].startswith("The loans export carries no date: ")
    for name in ("report.html", "email.html"):
        text = (folder / name).read_text(encoding="utf-8").replace("&nbsp;", " ").replace("\u00a0", " ")
        assert "These are not the figures of 30 June 2025" in text, name
