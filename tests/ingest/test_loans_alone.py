"""A loans export alone carries no date: its report says so wherever it is read."""

import json

from tests.support.exports import LOANS, SCHEDULES, TRANSACTIONS, write


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


def _verdict(project, month, late, *paid):
    """Return the verdict of 40 loans of a month, of which those of `late` are 45 days late."""
    rows = [f"A-{i},C-{i},2025-01-15,0.4,900,100,0" for i in range(36)]
    rows += [f"{loan},C-{loan},2025-01-15,0.4,900,100,{days}" for loan, days in late.items()]
    folder = project.root / month
    write(folder / "loans.csv", LOANS, *rows)
    due = {"2025-11": "2026-03-01", "2025-12": "2026-06-01"}[month]
    write(folder / "schedules.csv", SCHEDULES, f"A-0,{due},100,0,0,0,0,0,0,USD")
    if paid:
        payments = [f"{loan},PAYMENT,2025-12-05,{usd},0,0,0,0,0,0,USD" for loan, usd in paid]
        write(folder / "transactions.csv", TRANSACTIONS, *payments)
    done = project.report("--input", folder, date={"2025-11": "2025-11-30", "2025-12": "2025-12-31"}[month])
    assert done.returncode == 0, done.stderr
    date = max(path.name for path in project.output.glob("2*"))
    metrics = json.loads((project.output / date / "metrics.json").read_text())
    is_later = any(note.startswith("Due later than the schedules of the") for note in metrics["quality"]["headlines"])
    assert is_later == (month == "2025-12")
    return metrics["verdict"]


def test_late_loans_of_the_former_report_that_others_replaced_make_it_incomplete(project):
    late = dict.fromkeys(("B-1", "B-2", "B-3", "B-4"), 45)
    assert _verdict(project, "2025-11", late)["state"] == "critical"
    found = _verdict(project, "2025-12", dict.fromkeys(("N-1", "N-2", "N-3", "N-4"), 0))
    owed = {"loans": 4, "date": "2025-11-30", "usd": "400.00", "late_usd": "400.00"}
    assert (found["state"], found["absent"]) == ("incomplete", {"late before": owed})
    done = project.abaco("verify", "--date", "2025-12-31", "--output", project.output)
    assert done.returncode == 0, done.stderr
    # two were paid by half, and nobody knows what became of the others
    paid = [("B-1", "50.00"), ("B-2", "100.00"), ("B-3", "49.99")]
    found = _verdict(project, "2025-12", dict.fromkeys(("N-1", "N-2", "N-3", "N-4"), 0), *paid)
    gone = {"loans": 2, "date": "2025-11-30", "usd": "200.00", "late_usd": "200.00"}
    assert (found["state"], found["absent"]) == ("incomplete", {"gone without payment": gone})
    paid = [(loan, "100.00") for loan in late]
    assert _verdict(project, "2025-12", dict.fromkeys(("N-1", "N-2", "N-3", "N-4"), 0), *paid)["absent"] is None
