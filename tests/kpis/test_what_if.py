"""What a borrowing base would be after one change: the twelve loans again, each case worked out on paper."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.kpis import catalog
from abaco.kpis.book import Book
from abaco.kpis.facilities.covenant import Covenant
from abaco.kpis.facilities.what_if import WhatIf, covenants_if_arrears_rise
from tests.support.tapes import DECEMBER, tape

from .pledged import BORROWERS, LOANS, terms

# A-08 matures on the last day of January, A-11 a day later; A-04, which is not eligible, before.
DUE = {"A-04": "2026-01-10", "A-08": "2026-01-31", "A-11": "2026-02-01"}
PLEDGED = {"A-08": "-", "A-12": "-", "A-11": "OTHER"}  # all others to LINE
FACILITIES = {"LINE": terms(), "OTHER": terms(pledged="by_column")}


def written():
    """Return the loans with the day on which they mature and the facility that they are pledged to."""
    head, *rows = LOANS.strip().splitlines()
    more = [f"{row}  {DUE.get(row[:4], '-')}  {PLEDGED.get(row[:4], 'LINE')}" for row in rows]
    return "\n".join([f"{head}  maturity_date  facility", *more])


@pytest.fixture
def opened():
    """Open a facility of the twelve loans."""
    engine = DuckDB()
    with tempfile.TemporaryDirectory() as work:

        def open_(facilities=FACILITIES):
            table = tape(written())
            keys = table.select(["measurement_date", "loan_id"]).to_pylist()
            owing = [row | {"borrower": BORROWERS[row["loan_id"]], "payer": None} for row in keys]
            kinds = [("measurement_date", pa.date32()), ("loan_id", pa.string()), ("borrower", pa.int64()),
                     ("payer", pa.int64())]  # fmt: skip
            named = [{"borrower": number, "borrower_id": "redacted"} for number in set(BORROWERS.values())]
            exports = {"obligors": engine.from_arrow(pa.Table.from_pylist(owing, pa.schema(kinds))),
                       "borrowers": engine.from_arrow(pa.Table.from_pylist(named))}  # fmt: skip
            return WhatIf("LINE", facilities, Book(engine.from_arrow(table), [DECEMBER], DECEMBER, exports), engine,
                          Path(work))  # fmt: skip

        yield open_
    engine.close()


def shown(rows):
    """Return case, net eligible balance, borrowing base and availability of each row."""
    kinds = ("net_eligible", "borrowing_base", "availability")
    return [(row["case"], *(str(row[f"{kind}_usd"]) for kind in kinds)) for row in rows]


UNCHANGED = ("929.50", "794.25", "290.00")


def test_borrower_that_stops_makes_all_its_loans_ineligible_and_no_other_comes_above_a_limit(opened):
    """Without A-01 and A-02: 650.00, nothing above a limit; 90 % of 220.00, 80 % of 430.00, less 16.50, and 20.00."""
    rows = opened().borrowers_stop(1)
    assert shown(rows) == [(0, *UNCHANGED), (1, "650.00", "545.50", "45.50")]
    assert [rows[1][name] for name in ("last", "loans", "eligible_usd", "change_usd")] == [
        "Borrower 1", 2, Decimal("350.00"), Decimal("-244.50"),
    ]  # fmt: skip


def test_more_borrowers_than_there_are_leave_nothing(opened):
    assert shown(opened().borrowers_stop(9))[-1] == (6, "0.00", "10.00", "-490.00")


def test_each_advance_rate_falls_and_all_of_them(opened):
    """85 % of 499.50 is 424.575; 75 % of 430.00 is 322.50. The base is below the commitment then."""
    assert shown(opened().rates_fall(Decimal(5))) == [
        ("as it is", *UNCHANGED),
        ("factoring", "929.50", "769.28", "269.28"),
        ("business loan", "929.50", "772.75", "272.75"),
        ("all of them", "929.50", "747.78", "247.78"),
    ]


def test_one_rate_falls_no_lower_than_nothing(opened):
    facilities = {"LINE": terms(advance_rate=4)}
    assert shown(opened(facilities).rates_fall(Decimal(5)))[1:] == [("all of them", "929.50", "0.70", "-499.30")]


def test_arrears_take_the_same_part_of_every_eligible_loan(opened):
    """2 % of 1,200.00 are 24.00 of 1,000.00: 97.6 % are left. Borrower 1 is 41.60 above 300.00, the north 27.21."""
    assert shown(opened().arrears_rise(Decimal("2.0"))) == [
        ("as it is", *UNCHANGED), ("2 points", "907.19", "775.43", "275.43")
    ]  # fmt: skip
    assert shown(opened().arrears_rise(Decimal(100)))[1][1] == "0.00"


def test_loans_that_mature_until_the_last_day_are_repaid(opened):
    """A-04 and A-08 are gone: 700.00, of which 50.00 and 170.50 are above limits."""
    rows = opened().repaid(DECEMBER.replace(year=2026, month=1))
    assert shown(rows)[1] == ("to 2026-01-31", "479.50", "423.75", "-76.25")
    assert [rows[1][name] for name in ("loans", "balance_usd", "eligible_usd")] == [2, Decimal(380), Decimal(300)]


def test_loans_of_no_facility_cure_a_deficiency(opened):
    """244.65 lack. A-08 alone lifts the limit of the north, too; A-11 is pledged to another facility."""
    facilities = FACILITIES | {"LINE": terms(pledged="by_column")}
    case = opened(facilities)
    assert str(case.now["availability"]) == "-244.65"
    assert shown(case.pledging(Decimal(0), None, 9)) == [("Pledged loan 1", "735.25", "624.38", "124.38")]
    assert shown(case.pledging(Decimal(1000), None, 9))[1:] == [("Pledged loan 2", "780.25", "661.43", "161.43")]
    assert len(case.pledging(Decimal(1000), None, 1)) == 1
    assert case.pledging(Decimal("-244.65"), None, 9) == []
    for pledged in (FACILITIES, {"LINE": terms()}):
        assert opened(pledged).pledging(Decimal(1000), None, 9) == []  # all loans are


def test_what_is_not_drawn_nor_known_has_no_change(opened):
    rows = opened({"LINE": terms(drawn=None)}).rates_fall(Decimal(5))
    assert [(str(row["borrowing_base_usd"]), row["availability_usd"], row["change_usd"]) for row in rows[:2]] == [
        ("794.25", None, None), ("769.28", None, None)
    ]  # fmt: skip


def test_facility_that_is_not_open_is_one_line(opened):
    ended = terms(**{"to": DECEMBER.replace(day=30)})
    with pytest.raises(InputError, match="LINE runs from 2025-01-01 to 2025-12-30, so it has no borrowing base"):
        opened({"LINE": ended})


def test_covenants_on_arrears_rise_by_the_points_or_by_the_part_of_a_month():
    now = {"kpi": "PAR30", "trigger": 5}
    mean = now | {"window": {"take": "mean", "months": 3}}
    covenants = {"now": now, "mean": mean, "size": {"kpi": "Outstanding", "better": "higher", "trigger": 5}}
    facility = terms().model_copy(update={"covenants": {n: Covenant.model_validate(c) for n, c in covenants.items()}})
    held = {name: {"value": 4.0, "level": "ok", "better": "lower"} for name in covenants}
    rows = covenants_if_arrears_rise(facility, held, catalog.load(), Decimal(2))
    assert [(row["covenant"], str(row["value_then"]), row["level_then"]) for row in rows] == [
        ("now", "6.0000", "trigger"), ("mean", "4.6667", "ok")
    ]  # fmt: skip
    unknown = {name: entry | {"value": None} for name, entry in held.items()}
    assert covenants_if_arrears_rise(facility, unknown, catalog.load(), Decimal(2)) == []
