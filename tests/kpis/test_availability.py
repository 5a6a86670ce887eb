"""Why availability moved, for loans that are worked out on paper: a loan for each cause."""

from abaco.kpis.facilities import availability
from tests.support.tapes import DECEMBER, NOVEMBER

from .pledged import based, terms

LOANS = """
measurement_date  loan_id  product        region  total_receivable_usd  written_off_usd  days_past_due
2025-11-30        REPAID   factoring      N       100.00                0.00             0
2025-12-31        REPAID   factoring      N       60.00                 0.00             0
2025-11-30        GONE     factoring      N       50.00                 0.00             0
2025-12-31        NEW      business loan  N       80.00                 0.00             0
2025-11-30        MORE     factoring      N       10.00                 0.00             0
2025-12-31        MORE     factoring      N       30.00                 0.00             0
2025-11-30        LOST     factoring      N       40.00                 0.00             0
2025-12-31        LOST     factoring      N       0.00                  35.00            0
2025-11-30        FELL     factoring      N       90.00                 0.00             60
2025-12-31        FELL     factoring      N       70.00                 0.00             61
2025-11-30        BECAME   factoring      N       20.00                 0.00             61
2025-12-31        BECAME   factoring      N       20.00                 0.00             0
2025-11-30        STAYED   factoring      N       15.00                 0.00             90
2025-12-31        STAYED   factoring      N       15.00                 0.00             120
2025-11-30        MOVED    factoring      N       30.00                 0.00             0
2025-12-31        MOVED    business loan  N       30.00                 0.00             0
2025-11-30        SOUTH    factoring      S       250.05                0.00             0
2025-12-31        SOUTH    factoring      S       260.05                0.00             0
"""
DRAWN = """
measurement_date  facility  drawn   cash
2025-11-30        LINE      100.00  10.00
2025-12-31        LINE      130.00  30.00
"""
LINE = terms(
    eligibility={"late": {"column": "days_past_due", "at_most": 60}},
    limits={"south": {"column": "region", "one_of": ["S"], "at_most": 200}},
    reserves={"dilution": {"pct": 10}}, drawn=None, cash=None, commitment=400,
)  # fmt: skip
# Cause, criterion or limit, amount, loans; at 90 % of factoring and 80 % of business loans, half of cash.
# November: 320.00 and 200.00 of 250.05 eligible; 468.00 - 52.00 + 5.00 = 421.00, of which 400.00 count.
# December: 110.00 and 200.00 of factoring, 110.00 of loans; 279.00 + 88.00 - 42.00 + 15.00 = 340.00.
ON_PAPER = [
    ("opening", None, "300.00", None),
    ("new lending", None, "91.00", 3),  # NEW 64.00, MORE 18.00, SOUTH 9.00
    ("repaid", None, "-103.50", 4),  # REPAID 36.00, GONE 45.00, FELL 18.00, LOST 4.50
    ("written off", None, "-31.50", 1),
    ("fell ineligible", "late", "-63.00", 1),
    ("became eligible", None, "18.00", 1),
    ("other advance rate", None, "-3.00", 1),
    ("excess", "south", "-9.00", 1),
    ("reserve", "dilution", "10.00", None),
    ("cash", None, "10.00", None),
    ("over_commitment", None, "21.00", None),
    ("drawn", None, "-30.00", None),
    ("closing", None, "210.00", None),
]


def told(rows):
    return [(row["term"], row["line"], str(row["amount_usd"]), row["loans"]) for row in rows]


def test_causes_on_paper(embedded):
    with based(embedded, LINE, loans=LOANS, drawings=DRAWN) as base:
        ends = {day: str(found[-1]["amount_usd"]) for day, found in base.lines.items()}
        assert ends == {NOVEMBER: "300.00", DECEMBER: "210.00"}
        rows = availability.bridges([base], DECEMBER).to_pylist()
        assert told(rows) == ON_PAPER
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
        assert sum(row["amount_usd"] for row in rows[1:-1]) == rows[-1]["amount_usd"] - rows[0]["amount_usd"]
        assert told(availability.bridge(base, DECEMBER, NOVEMBER))[0] == ("opening", None, "210.00", None)


def test_loans_behind_it(embedded):
    with based(embedded, LINE, loans=LOANS, drawings=DRAWN) as base:
        rows = availability.largest([base], DECEMBER, None, limit=4).to_pylist()
        found = [(row["rank"], row["loan"], row["term"], row["line"], str(row["change_usd"])) for row in rows]
        assert found == [
            (1, "Pledged loan 1", "fell ineligible", "late", "-81.00"),  # FELL
            (2, "Pledged loan 2", "new lending", None, "64.00"),  # NEW
            (3, "Pledged loan 3", "repaid", None, "-45.00"),  # GONE
            (4, "Pledged loan 4", "written off", None, "-36.00"),  # LOST; REPAID moved as much
        ]
        everything = availability.largest([base], DECEMBER, b"key", limit=100).to_pylist()
        assert all(row["loan"].startswith("tok_") for row in everything)
        advanced = [sum(row["amount_usd"] for row in base.lines[day] if row["kind"] == "advance") for day in base.lines]
        assert sum(row["change_usd"] for row in everything) == advanced[1] - advanced[0]


CENTS = """
measurement_date  loan_id  total_receivable_usd  written_off_usd  days_past_due
2025-11-30        STAYED   0.02                  0.00             0
2025-12-31        STAYED   0.02                  0.00             0
2025-12-31        NEW      0.01                  0.00             0
2025-11-30        BECAME   0.01                  0.00             61
2025-12-31        BECAME   0.01                  0.00             0
"""


def test_what_rounding_leaves_is_a_cause_of_its_own(embedded):
    bare = {"limits": {}, "advance_rate": 50, "reserves": {}, "cash": None, "cash_rate": None}
    late = {"late": {"column": "days_past_due", "at_most": 60}}
    with based(embedded, terms(eligibility=late, **bare), loans=CENTS) as base:
        # half of 0.02 and of 0.04; each of two cents is worth half a cent
        assert told(availability.bridges([base], DECEMBER).to_pylist()) == [
            ("opening", None, "-499.99", None),
            ("new lending", None, "0.01", 1),
            ("became eligible", None, "0.01", 1),
            ("rounding", None, "-0.01", None),
            ("closing", None, "-499.98", None),
        ]


def test_date_without_a_drawn_amount_has_no_bridge(embedded):
    only = "\n".join(DRAWN.strip().splitlines()[:2])
    with based(embedded, LINE, loans=LOANS, drawings=only) as base:
        assert availability.bridges([base], DECEMBER).num_rows == 0
        assert availability.largest([base], DECEMBER, None).num_rows == 8
