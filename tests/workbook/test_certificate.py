"""The certificate of a facility: its formulas give the published figures, at every level of a covenant."""

import datetime as dt
import subprocess
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco import workbook
from abaco.core.parquet import arrow_schema
from abaco.kpis.dictionary import TABLES
from abaco.page import language
from abaco.workbook import certificate
from tests.page import example
from tests.support.facilities import codes, facilities
from tests.support.programs import need
from tests.support.spreadsheets import computed, differences, formulas

DAY = dt.date(2025, 12, 31)
# line, kind, amount, basis, rate: 1,000.00 less 120.00 and 50.50, of 829.50 at 90 % and so on
LINES = [
    ("pool", "pool", "1000.00", None, None),
    ("not_late", "ineligible", "100.00", None, None),
    ("rate", "ineligible", "20.00", None, None),
    ("eligible", "eligible", "880.00", None, None),
    ("one_borrower", "excess", "50.50", "880.00", "10"),
    ("net_eligible", "net_eligible", "829.50", None, None),
    ("factoring", "advance", "447.75", "497.50", "90"),
    ("business_loan", "advance", "265.60", "332.00", "80"),
    ("fees", "reserve", "10.00", None, None),
    ("dilution", "reserve", "8.30", "829.50", "1"),  # 8.295
    ("cash", "cash", "20.00", "40.00", "50"),
    ("borrowing_base", "borrowing_base", "715.05", None, None),
    ("over_commitment", "over_commitment", "15.05", "700.00", None),
    ("drawn", "drawn", "750.00", None, None),
    ("availability", "availability", "-50.00", None, None),
]
LEVELS = {"warning_at": 4.0, "trigger_at": 5.0, "default_at": 8.0}
LATE = {
    "kpi": "PAR30", "cohorts": None, "line": None, "share_of": None, "cohort": None, "of": "pool", "window": None,
    "unit": "%", "precision": 4, "better": "lower", **LEVELS,
    "headroom_months": None, "past_since": None, "cure_until": None, "reason": None,
}  # fmt: skip
COVERED = {"kpi": "CollectionRate", "better": "higher", "warning_at": 3.0, "trigger_at": 2.0, "default_at": 1.0}


def held(level, value, points, usd, **more):
    return LATE | {"level": level, "value": value, "headroom_points": points, "headroom_usd": usd} | more


# By name: the entry of metrics.json, and what its value is computed from, the earliest month first.
COVENANTS = {
    "fine": (held("ok", 4.0, 1.0, "1000.00"), ["4000"]),
    "warned": (held("warning", 4.5, 0.5, "500.00"), ["4500"]),
    "triggered": (held("trigger", 6.0, 2.0, "2000.00"), ["6000"]),
    "cured": (held("curing", 9.0, -1.0, "-1000.00", past_since="2025-12-31", cure_until="2025-12-31"), ["9000"]),
    "failed": (held("default", 9.0, -1.0, "-1000.00", past_since="2025-11-30", cure_until="2025-12-30"), ["9000"]),
    "third": (held("ok", 0.3333, 4.6667, "4666.66", warning_at=None), ["333.335"]),  # to the cent below
    "average": (held("warning", 5.0, 0.0, "0.00", window={"take": "mean", "months": 3}), ["6000", "5000", "4000"]),
    "summed": (
        held("trigger", 7.5, 0.5, "500.00", window={"take": "sum", "months": 3}), ["2000", "2500", "3000"],
    ),
    "cash": (held("warning", 2.5, 0.5, "500.00", **COVERED), ["2500"]),
    "short": (held("default", 0.5, -0.5, "-500.00", **COVERED), ["500"]),
    "used": (held("trigger", 6.0, 2.0, "2000.00", kpi=None, line="drawn", share_of="borrowing_base"), ["6000"]),
    "young": (held("ok", 4.0, 1.0, "1000.00", kpi=None, cohorts={"months": 6, "days": 30}, cohort="2025 Q1"), ["4000"]),
    "health": (held("trigger", 6.0, 2.0, None, kpi="PortfolioHealth", unit="of 10"), [None]),
    "unknown": (LATE | {"level": "not_computable", "value": None, "reason": {"code": "pool_empty"}} | dict.fromkeys(
        ("headroom_points", "headroom_usd")), []),
}  # fmt: skip


def months(name, amounts):
    day = {"facility": "SENIOR", "covenant": name, "date": DAY}
    for back, amount in enumerate(reversed(amounts)):
        above, below = amount if isinstance(amount, tuple) else (amount, "100000")
        usd = {"numerator": above and Decimal(above), "denominator": above and Decimal(below)}
        value = Decimal(6) if above is None else round(Decimal(above) / Decimal(below) * 100, 8)
        yield day | usd | {"month": DAY - dt.timedelta(31 * back), "value": value}


@pytest.fixture
def certify(tmp_path):
    """Write the certificate of one facility, and return its files."""

    def written(lines=LINES, covenants=COVENANTS, spoken="en", **more):
        names = ("line", "kind", "amount_usd", "basis_usd", "rate_pct")
        rows = [dict(zip(names, (*line[:2], *(v and Decimal(v) for v in line[2:])), strict=True)) for line in lines]
        rows = [{"facility": "SENIOR", "date": DAY, "position": at, **row} for at, row in enumerate(rows, 1)]
        inputs = [row for name, (_, amounts) in covenants.items() for row in months(name, amounts)]
        one = facilities()["SENIOR"] | {"covenants": {name: entry for name, (entry, _) in covenants.items()}} | more
        (tmp_path / "tables").mkdir(exist_ok=True)
        for name, found in (("borrowing_base", rows), ("covenant_inputs", inputs)):
            table = pa.Table.from_pylist(found, schema=arrow_schema(TABLES[name]))
            pq.write_table(table, tmp_path / "tables" / f"{name}.parquet")
        metrics = example.metrics() | {"date": str(DAY), "facilities": {"SENIOR": one}}
        metrics["reason_codes"] = metrics["reason_codes"] | {"facilities": codes()}
        return workbook.certify(metrics, tmp_path, language=spoken)

    return written


def column(sheet, number):
    """Return the values of a column by the text of the first."""
    return {row[0].value: row[number].value for row in sheet.iter_rows() if row[0].value}


def test_libreoffice_computes_every_line_and_every_level(certify, tmp_path):
    path, _ = certify()
    (found,) = computed([path], tmp_path)
    book = openpyxl.load_workbook(path)
    # of the base 9 lines are computed, and 2 bases of a rate or limit; of a covenant value, result, headroom, dollars,
    # and each month from its sums
    assert len(formulas(book)) == 9 + 2 + 13 * 3 + 12 + 16
    assert differences(path, found) == {}


def test_formulas_lead_from_the_reasons_to_the_availability(certify):
    path, _ = certify()
    amounts = column(openpyxl.load_workbook(path)["Certificate"], certificate.AMOUNT)
    assert amounts["Pool"] == 1000
    assert amounts["Ineligible: not late"] == 100
    assert amounts["Eligible"] == "=B7-SUM(B8:B9)"
    assert amounts["Net eligible"] == "=B10-SUM(B11:B11)"
    assert amounts["Advance: factoring"] == "=ROUND(C13*D13/100,2)"
    assert amounts["Reserve: fees"] == 10
    assert amounts["Availability"] == "=B18-B19-B20"


def test_one_rate_and_a_covenant_on_lines_lead_back_to_the_lines(certify, tmp_path):
    lines = [line for line in LINES if line[0] != "business_loan"]
    lines[6] = ("advance", "advance", "746.55", "829.50", "90")
    lines[10:] = [
        ("borrowing_base", "borrowing_base", "748.25", None, None), ("drawn", "drawn", "500.00", None, None),
        ("availability", "availability", "248.25", None, None),
    ]  # fmt: skip
    lines.insert(11, ("over_commitment", "over_commitment", "0.00", "1000.00", None))
    entry = held("ok", 66.8226, 33.1774, "248.25", kpi=None, line="drawn", share_of="borrowing_base", trigger_at=100.0)
    covenants = {"used": (entry | {"warning_at": None, "default_at": None}, [("500.00", "748.25")])}
    path, _ = certify(lines, covenants)
    sheet = openpyxl.load_workbook(path)["Certificate"]
    bases = column(sheet, certificate.BASIS)
    assert (bases["Advance"], bases["Reserve: dilution"], bases["Above the limit: one borrower"]) == (
        "=B12", "=B12", "=B10"
    )  # fmt: skip
    month = next(row for row in sheet.iter_rows() if isinstance(row[1].value, dt.datetime))
    assert [cell.value for cell in month[2:4]] == ["=B19", "=B17"]
    (found,) = computed([path], tmp_path)
    assert differences(path, found) == {}


def test_signatures_are_on_one_page_with_what_is_signed(certify):
    program = need("pdftotext", "apt-get install poppler-utils")
    for loans in range(1, 24):
        rules = [(f"rule {i}", "ineligible", "0.00", None, None) for i in range(loans)]
        path = next(one for one in certify([*LINES[:1], *rules, *LINES[3:]]) if one.suffix == ".pdf")
        said = subprocess.run([program, "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
        *_, last = said.strip("\f\n ").split("\f")
        assert all(text in last for text in ("We, the", "Signatures", "Prepared by", "Approved by")), loans


def test_what_is_not_known_has_no_formula(certify):
    unknown = ("cash", "borrowing_base", "over_commitment", "availability")
    lines = [(line, kind, None if kind in unknown else usd, *rest) for line, kind, usd, *rest in LINES]
    sheet = openpyxl.load_workbook(certify(lines)[0])["Certificate"]
    amounts = column(sheet, certificate.AMOUNT)
    assert amounts["Availability"] == amounts["Cash that counts"] == "Not known"
    results = column(sheet, certificate.RESULT)
    assert results["unknown: PAR30 of the pool (%)"] == "not computable"
    left = held("ok", 4.0, 1.0, "1000.00", headroom_months=484.0)
    sheet = openpyxl.load_workbook(certify(lines, {"far": (left, ["4000"])})[0])["Certificate"]
    assert column(sheet, certificate.MONTHS)["far: PAR30 of the pool (%)"] == "> 36"
    assert any("Not computable: no loan of the facility has a balance." in str(text) for text in amounts)


def test_lender_sample_and_signatures(certify):
    names = list(column(openpyxl.load_workbook(certify()[0])["Certificate"], 0))
    assert names[0] == "Compliance certificate: Senior line"
    assert names[1].replace("\u00a0", " ").startswith("Lender: Bank. Figures of 31 December 2025, in USD. Report ")
    assert names[-3:] == ["Signatures", "Prepared by", "Approved by"]


def test_dates_and_amounts_are_real_and_nothing_of_the_data_is_a_formula(certify):
    sheet = openpyxl.load_workbook(certify(lender="=1+1", title="@SUM(A1)")[0])["Certificate"]
    cells = [cell for row in sheet for cell in row if cell.value is not None]
    assert {cell.value.date() for cell in cells if cell.is_date} >= {DAY}
    assert next(row[1].number_format for row in sheet if row[0].value == "Pool") == '#,##0.00 "USD"'
    texts = [cell.value for cell in cells if isinstance(cell.value, str) and cell.data_type != "f"]
    assert not [text for text in texts if text[:1] in "=@+-"]


def test_same_report_gives_the_same_bytes_in_both_forms(certify):
    first = [path.read_bytes() for path in certify()]
    assert [path.read_bytes() for path in certify()] == first
    assert first[1].startswith(b"%PDF-")


def test_report_without_facilities_has_no_certificate(tmp_path):
    assert workbook.certify(example.metrics(), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_certificate_in_spanish(certify):
    path, pdf = certify(spoken="es")
    names = list(column(openpyxl.load_workbook(path)["Certificado"], 0))
    assert names[0] == "Certificado de cumplimiento: Senior line"
    assert names[-1] == "Aprobado por"
    assert pdf.stat().st_size > 5_000
    heads = {*certificate.BASE_HEADS, *certificate.COVENANT_HEADS, *certificate.INPUT_HEADS}
    words = heads | {*certificate.SIGNATURE_HEADS, *certificate.SIGNATURES, *certificate.NAMES.values()}
    words |= {certificate.UNKNOWN, certificate.ADVANCE}
    assert words - {""} - set(language.dictionary("es")) == set()
