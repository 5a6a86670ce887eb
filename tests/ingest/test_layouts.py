"""The mappings of well-known layouts that are shipped: every figure of a small invented file of each, by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from abaco.ingest import discovery, mappings
from tests.support.computation import computed
from tests.support.exports import ingest

LAYOUTS = Path(__file__).parent / "layouts"
DATE = dt.date(2025, 12, 31)
# Of each layout the figures of its file, in its own currency; None: not computable.
FIGURES = {
    # 30,000 45 days late, 60,000 not late, 10,000 95 days late; (30 × 24 + 60 × 18 + 10 × 30) / 100 = 21
    "fineract": {
        "Outstanding": "100000.00", "ActiveLoans": "3", "PAR30": "40.0000", "PAR90": "10.0000", "APR": "21.0000",
        "WrittenOff": None, "TopBorrower": "60.00", "PAR1": "40.0000", "PAR7": "40.0000", "PAR60": "10.0000",
        "NPL": "10.0000", "ActiveBorrowers": "3", "Disbursed": "0.00", "Top10Borrowers": "100.00",
        # all were lent this year: (50 × 24 + 100 × 18 + 20 × 30) / 170; 60² + 30² + 10²
        "APRThisYear": "21.18", "APR12": "21.18", "HHI": "4600", "LargestCompany": "90.00", "LargestProduct": "60.00",
        "RemainingMaturity": "110.7",  # (30 × 60 + 60 × 152 + 10 × 15) / 100
    },
    # 180,000 not late, 100,000 45 days late, 20,000 120 days late; (180 × 3.5 + 100 × 4.1 + 20 × 5) / 300 = 3.8
    "esma_annex_2": {
        "Outstanding": "300000.00", "ActiveLoans": "3", "PAR7": "40.0000", "PAR30": "40.0000", "PAR90": "6.6667",
        "APR": "3.80", "TopBorrower": "60.00", "WrittenOff": None, "PAR1": "40.0000", "PAR60": "6.6667",
        "NPL": "6.6667", "ActiveBorrowers": "3", "Disbursed": "0.00", "Top10Borrowers": "100.00",
        "LargestRegion": "60.00", "HHI": "4756",  # 60² + 33.33² + 6.67²
        "RemainingMaturity": "9046.1",  # (180 × 9,893 + 100 × 8,126 + 20 × 6,025) / 300
    },
    # of 500,000, 180,000 are 4 months late: 36 %; whether 0 months are 7 days is unknown
    "freddie_mac": {
        "Outstanding": "500000.00", "ActiveLoans": "3", "PAR7": None, "PAR30": "36.0000", "PAR90": "36.0000",
        "APR": "6.38", "TopBorrower": None, "WrittenOff": None, "PAR60": "36.0000", "NPL": "36.0000",
    },
    # 4,000 current, 2,000 16 to 30 days late, 1,000 31 to 120: PAR30 is what is 31 or more days late, PAR60 is unknown;
    # 600 are written off
    "lending_club": {
        "Outstanding": "7000.00", "ActiveLoans": "3", "PAR7": "42.8571", "PAR30": "14.2857", "PAR60": None,
        "PAR90": None, "APR": "12.83", "PAR1": "42.8571", "Disbursed": "0.00", "LargestProduct": "57.14",
        "LargestRegion": "57.14", "WrittenOff": "600.00",
    },
    # left: 8,000, 4,000 (45 days), 2,500 written off, 0, 3,000 (130 days): 15,000; (8 × 12 + 4 × 20 + 3 × 25) / 15
    "prosper": {
        "Outstanding": "15000.00", "ActiveLoans": "3", "PAR30": "46.6667", "PAR90": "20.0000", "APR": "16.73",
        "WrittenOff": "2500.00", "TopBorrower": "53.33", "PAR1": "46.6667", "PAR7": "46.6667", "PAR60": "20.0000",
        "NPL": "20.0000", "ActiveBorrowers": "3", "Disbursed": "0.00", "Top10Borrowers": "100.00",
        # the first alone was lent this year; (8² + 4² + 3²) / 15²
        "APRThisYear": "12.00", "APR12": "12.00", "HHI": "3956", "LargestProduct": "53.33", "LargestRegion": "53.33",
        "AverageTerm": "1080.0",
    },
    # 10,000 due on the day, 4,000.50 47 days late, 1,000 122 days late; a credit note of 500.50 is not owed
    "sap_open_items": {
        "Outstanding": "15000.50", "ActiveLoans": "3", "PAR7": "33.3356", "PAR30": "33.3356", "PAR90": "6.6664",
        "APR": None, "TopBorrower": "66.66", "PAR1": "33.3356", "PAR60": "6.6664", "NPL": "6.6664",
        "ActiveBorrowers": "3", "Top10Borrowers": "100.00", "LargestCompany": "100.00", "LargestProduct": "100.00",
        "HHI": "5200",  # 66.66² + 26.67² + 6.67²
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_a_layout_is_that_of_its_file_by_hand(name):
    [path] = LAYOUTS.glob(f"{name}*")
    found = computed(path, DATE)
    assert ingest(path, DATE).rejects == []
    told = {kpi: value for kpi, value in found.kpis.items() if kpi in FIGURES[name] or value is not None}
    assert told == {kpi: value and Decimal(value) for kpi, value in FIGURES[name].items()}
    [source], _ = discovery.discover(path)
    assert source.mapping_name == name


def test_every_layout_has_a_file_and_every_mapping_is_short():
    shipped = [name for name in mappings.names() if not mappings.load(name).is_known]
    assert sorted(FIGURES) == shipped
    for name in shipped:
        lines = mappings.path_of(name).read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines if not line.startswith("#")]) <= 25, name
