"""docs/KPIS.md is what params/kpis.yml says today."""

from abaco.kpis import catalog
from tests.support.projects import FOUR, ROOT
from tools import kpi_docs


def test_page_is_current():
    written = kpi_docs.document(catalog.load(ROOT / "params/kpis.yml"))
    assert (ROOT / kpi_docs.PATH).read_text(encoding="utf-8") == written, "run make docs"


def test_entry_has_formula_limits_owner_and_note():
    found = kpi_docs.document({"PAR90": catalog.load(FOUR)["PAR90"]})
    assert "## The four of every report\n\n**PAR90**, Portfolio at risk, 90 days: per cent; lower is better; " in found
    assert "; warning 3; critical 5; Credit risk.\n\n    Σ dpd_90_plus / Σ total_receivable × 100\n\nShare of" in found


def test_every_measure_says_what_gives_it():
    found = kpi_docs.document({})
    for name in catalog.MEASURES:
        assert f"\n| `{name}` | " in found
