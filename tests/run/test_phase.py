"""Scraps: what scrapbook fails on is made plain first, and a notebook's figures are read back."""

import datetime as dt
import json
import textwrap
from decimal import Decimal
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest

from abaco.core.phases import scraps_of
from abaco.run import phase


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (np.int64(3), 3),
        (np.float64(2.5), 2.5),
        (Decimal("1.10"), "1.10"),
        (dt.date(2025, 12, 31), "2025-12-31"),
        (pd.Timestamp("2025-12-31"), "2025-12-31 00:00:00"),
        (Path("reports") / "x", "reports/x"),
        ({dt.date(2025, 12, 31): (np.int64(1), [Decimal("0.00")])}, {"2025-12-31": [1, ["0.00"]]}),
    ],
)
def test_plain(value, expected):
    found = phase.plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found)) == expected


def test_recorded_figures_are_read_back(tmp_path):
    source = """
        import numpy as np
        from decimal import Decimal
        from abaco.run import phase
        phase.record(rows_loaded=np.int64(3), amount=Decimal("1.10"), errors={"PAR30": None}, note="a word")
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(source))])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.write(notebook, tmp_path / "executed.ipynb")
    assert scraps_of(tmp_path / "executed.ipynb") == {
        "rows_loaded": 3,
        "amount": "1.10",
        "errors": {"PAR30": None},
        "note": "a word",
    }


def test_notebook_without_scraps_has_no_figures(tmp_path):
    path = tmp_path / "executed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)
    assert scraps_of(path) == {}
