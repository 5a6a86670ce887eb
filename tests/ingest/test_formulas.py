"""Formulas of mappings are read and computed exactly, or refused where they cannot be read."""

from decimal import Decimal

import narwhals as nw
import pyarrow as pa
import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest.formulas import Formula

FIGURES = {"lent": "1000.10", "Principal Paid": "250.05", "fee": "3.30", "año": "2.00"}


def computed(text):
    formula = Formula.parse(text)
    table = pa.table({name: pa.array([Decimal(value)], pa.decimal128(18, 2)) for name, value in FIGURES.items()})
    with DuckDB() as engine:
        value = formula.value({heading: nw.col(heading) for heading in formula.headings})
        [row] = engine.from_arrow(table).select(value=value).collect("pyarrow").to_native().to_pylist()
    return row["value"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lent - [Principal Paid]", "750.05"),
        ("lent-[Principal Paid]+fee", "753.35"),
        ("lent - ([Principal Paid] + fee)", "746.75"),
        ("0.1 * lent", "100.01"),
        ("lent - 2 * fee", "993.50"),
        ("-fee + lent", "996.80"),
        ("[lent]", "1000.10"),
        ("año + 1", "3.00"),
    ],
)
def test_formula_is_computed_exactly(text, value):
    assert computed(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lent -", "at its end"),
        ("lent fee", "before 'fee'"),
        ("lent / 100", "from '/ 100' on"),
        ("(lent", "at its end"),
        ("lent)", "before ')'"),
        ("* lent", "before '*'"),
        ("1 + 2", "reads no heading"),
        ("", "at its end"),
        ("lent + exec('x')", "from"),
        ("a + " * 200 + "a", "characters"),
    ],
)
def test_what_is_no_formula_is_refused_at_its_place(text, told):
    with pytest.raises(ValueError, match=r".*") as error:
        Formula.parse(text)
    assert told in str(error.value)
