"""Reasons: a code, its values, and English."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from abaco.core.reasons import ENGLISH, Reason

DAY = dt.date(2025, 12, 31)
NESTED = Reason("input_not_computable", kpi="X", reason=Reason("on_date", reason=Reason("no_principal_paid"), date=DAY))


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("on_date", reason=Reason("nothing_outstanding"), date=DAY), "nothing is outstanding on 2025-12-31"),
        (NESTED, "X is not computable: no principal was paid in twelve months on 2025-12-31"),
        (Reason("nothing_to_divide_by", what=("a", "b"), sum=Decimal("0.00")),
         "there is nothing to divide by: a + b is 0.00"),
        (Reason("conflict", columns=("loan_id", "day")),
         "loan_id and day: another row has the same, with other values"),
        (Reason("conflict_of_files", columns=("loan_id",), files=("a.csv", "b.csv")),
         "loan_id: a.csv and b.csv have the same, with other values: keep what still holds"),
        (Reason("many_rows", count=1234, usd=Decimal("1234.5")), "1,234 rows (1,234.50 USD of principal)"),
    ],
)  # fmt: skip
def test_reason_is_told_in_english_and_survives_json(reason, text):
    assert str(reason) == text
    restored = Reason.from_dict(json.loads(json.dumps(reason.as_dict())))
    assert (str(restored), restored.as_dict()) == (text, reason.as_dict())


def test_root_of_a_reason_is_that_of_the_figure_which_it_goes_back_to():
    assert NESTED.root == Reason("no_principal_paid")
    assert Reason("missing", column="x").root == Reason("missing", column="x")


def test_equal_reasons_are_counted_as_one():
    assert len({Reason("missing", column="x"), Reason("missing", column="x"), Reason("missing", column="y")}) == 2
    assert "missing" in ENGLISH
