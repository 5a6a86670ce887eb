"""Two files that say other things of a date: the newer one counts where their names prove which it is."""

from decimal import Decimal

import pytest

from tests.support.exports import DATE, ingest, write

HEADER = "reporting_date,loan_id,outstanding_balance,dpd"
FORMER = ("2025-11-30,A-1,700,0", "2025-11-30,A-2,400,45", "2025-12-31,A-1,600,0", "2025-12-31,A-2,400,76")
NEWER = ("2025-12-31,A-1,550,0", "2025-12-31,A-2,400,76", "2025-12-31,A-3,50,0")


def found(tmp_path, names, former=FORMER, newer=NEWER):
    for name, lines in zip(names, (former, newer), strict=True):
        write(tmp_path / "in" / name, HEADER, *lines)
    return ingest(tmp_path / "in", DATE)


def test_export_of_a_later_day_restates_a_date_whole_and_is_told(tmp_path):
    made = found(tmp_path, ("tape_2026-01-05.csv", "tape_2026-01-12.csv"))
    balances = [(str(row["measurement_date"]), row["loan_id"], row["total_receivable_usd"]) for row in made.tape]
    assert balances == [
        ("2025-11-30", "A-1", Decimal(700)), ("2025-12-31", "A-1", Decimal(550)), ("2025-11-30", "A-2", Decimal(400)),
        ("2025-12-31", "A-2", Decimal(400)), ("2025-12-31", "A-3", Decimal(50)),
    ]  # fmt: skip
    assert made.faults == []
    assert (made.book["rows_in"], made.book["accepted"], made.book["duplicates"]) == (7, 5, 2)
    assert [str(note) for note in made.batches[0].notes] == [
        "The balances of 2025-12-31 are those of tape_2026-01-12.csv, which is newer than tape_2026-01-05.csv by its "
        "name and has all of its loans, some with other values."
    ]


@pytest.mark.parametrize(
    ("names", "newer"),
    [
        (("tape_2025-12.csv", "tape_2026-01.csv"), NEWER),  # a month says what a file is about
        (("tape_2025-12-31.csv", "tape_2026-01-12.csv"), NEWER),  # so does the date itself
        (("tape.csv", "tape (1).csv"), NEWER),
        (("north_2026-01-05.csv", "south_2026-01-12.csv"), NEWER),
        (("tape_2026-01-05.csv", "tape_2026-01-12.csv"), NEWER[:1]),  # what became of A-2 is not known
    ],
)
def test_files_whose_names_prove_nothing_are_refused_with_both_names(tmp_path, names, newer):
    reasons = {row["reasons"] for row in found(tmp_path, names, newer=newer).rejects}
    assert len(reasons) == 1
    assert all(name in reasons.copy().pop() for name in names)
