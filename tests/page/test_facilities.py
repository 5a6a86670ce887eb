"""The section of facilities: the waterfall's bars, covenants with headroom, and nothing where there are none."""

from bs4 import BeautifulSoup

from abaco import page
from abaco.page import facilities as section
from abaco.page import language
from abaco.page.conclusion import concluded
from abaco.page.front import trust
from abaco.page.kpi_text import undecided
from abaco.page.outline import put_in_order
from tests.support.facilities import codes, facilities

from .example import DATE, frame, segments
from .test_bridge import cells

LINES = frame(
    "facility date position line kind amount_usd loans",
    ("SENIOR", DATE, 1, "pool", "pool", 1000.0, 9),
    ("SENIOR", DATE, 2, "not_late", "ineligible", 200.0, 2),
    ("SENIOR", DATE, 3, "rate", "ineligible", 0.0, 0),
    ("SENIOR", DATE, 4, "eligible", "eligible", 800.0, 7),
    ("SENIOR", DATE, 5, "net_eligible", "net_eligible", 800.0, 7),
    ("SENIOR", DATE, 6, "advance", "advance", 600.0, 7),
    ("SENIOR", DATE, 7, "cash", "cash", 100.0, None),
    ("SENIOR", DATE, 8, "borrowing_base", "borrowing_base", 700.0, None),
    ("SENIOR", DATE, 9, "over_commitment", "over_commitment", 0.0, None),
    ("SENIOR", DATE, 10, "drawn", "drawn", 950.0, None),
    ("SENIOR", DATE, 11, "availability", "availability", -250.0, None),
)
BRIDGES = frame(
    "facility date against position term line amount_usd loans",
    ("SENIOR", DATE, "2025-11-30", 1, "opening", None, -150.0, None),
    ("SENIOR", DATE, "2025-11-30", 2, "fell ineligible", "not_late", -100.0, 2),
    ("SENIOR", DATE, "2025-11-30", 3, "closing", None, -250.0, None),
)
LOANS = frame(
    "facility date against rank loan term line before_usd after_usd change_usd",
    ("SENIOR", DATE, "2025-11-30", 1, "Loan 1", "fell ineligible", "not_late", 100.0, 0.0, -100.0),
)


def shown(metrics, lines=LINES, bridges=BRIDGES, loans=LOANS):
    """Return the section's soup, and the rows of its tables."""
    told = metrics | {"facilities": facilities()}
    told["reason_codes"] = metrics["reason_codes"] | {"facilities": codes()}
    html = page.facility_sections(page.in_words(told), lines, bridges, loans)
    soup = BeautifulSoup(html, "html.parser")
    return soup, [cells(str(table)) for table in soup.find_all("table")]


def test_waterfall_leads_from_the_pool_to_the_availability(metrics):
    soup, tables = shown(metrics)
    rows = [[name, amount, loans] for name, _, amount, loans in tables[0][1:]]
    assert rows == [
        ["Pool", "1,000.00", "9"],
        ["Ineligible: not late", "−200.00", "2"],
        ["Net eligible", "800.00", "7"],
        ["Not advanced", "−200.00", ""],
        ["Cash that counts", "+100.00", ""],
        ["Borrowing base", "700.00", ""],
        ["Drawn", "−950.00", ""],
        ["Availability", "−250.00", ""],
    ]
    # the scale is from -250 to 1,000: 0 lies at 20 %
    bars = [block["style"] for block in soup.find("table").select(".block")]
    assert bars == [
        "left:20.00%;width:80.00%", "left:84.00%;width:16.00%", "left:20.00%;width:64.00%", "left:68.00%;width:16.00%",
        "left:68.00%;width:8.00%", "left:20.00%;width:56.00%", "left:0.00%;width:76.00%", "left:0.00%;width:20.00%",
    ]  # fmt: skip


def test_verdict_and_covenants_with_their_headroom(metrics):
    soup, tables = shown(metrics)
    assert [block.get_text(" ", strip=True).replace("\u00a0", " ") for block in soup.select(".state")] == [
        "✕ Critical: Senior line: 1,200.50 USD more is drawn than may be. Covenant “arrears” at 9.00 % is past its "
        "default level of 8 %.",
        "◐ Incomplete: Tail line: 3,557.02 USD may be drawn. Covenant “write_offs” cannot be computed: no loan of the "
        "facility has a balance. Covenant “late” at 4.50 % is past its warning level of 4 %. Its trigger is at 5 %.",
    ]
    late = next(row for table in tables for row in table if row[0].startswith("late"))
    assert [cell.replace("\u00a0", " ") for cell in late] == [
        "late: PAR30 of the pool", "! Warning: 4.50 %, warning", "Trigger at 5 %", "", "0.50", "816.12", "2.5"
    ]  # fmt: skip
    # 9 of 8 % fill the bar, 4.5 of 5 % nine tenths of it
    bars = [bar["style"] for bar in soup.select(".covenants .bar > span")]
    assert bars == ["width:100.0%", "width:90.0%"]
    assert soup.select_one(".kpi-id").get_text().replace("\u00a0", " ") == "Bank, commitment of 250,000.00 USD"
    unknown = next(row for table in tables for row in table if row[0].startswith("write offs"))
    assert unknown[2:] == ["no loan of the facility has a balance", "", "–", "–", "–"]


def test_covenant_on_lending_names_its_quarter_as_the_page_does(metrics):
    lent = {**facilities()["SENIOR"]["covenants"]["arrears"], "cohorts": {"months": 6, "days": 30}, "kpi": None}
    for quarter, spanish, told in (
        ("2025 Q2", True, "PAR30 a los 6 meses de la colocación de T2\u00a02025"),
        ("2025 Q2", False, "PAR30 at 6 months of 2025\u00a0Q2 lending"),
        (None, False, "PAR30 at 6 months of a quarter of lending"),
    ):
        with language.speaking("es" if spanish else "en"):
            assert section.figure(lent | {"cohort": quarter}) == told


def test_why_it_moved_and_the_loans_behind_it(metrics):
    _, tables = shown(metrics)
    assert tables[2] == [
        ["Cause", "Amount, USD", "Loans"],
        ["Availability before", "−150.00", ""],
        ["Fell ineligible: not late", "−100.00", "2"],
        ["Availability now", "−250.00", ""],
    ]
    assert tables[3][1] == ["Loan 1", "Fell ineligible: not late", "100.00", "0.00", "−100.00"]


def test_without_facilities_the_page_has_no_such_section_and_asks_for_nothing(metrics):
    part = page.facility_sections(metrics, [])
    rest = '<h2>More</h2><ul class="wanted"></ul>'
    html = str(put_in_order(f"<main><h1>Book</h1><h2>Facilities</h2><p>What may be drawn.</p>{part}{rest}</main>"))
    assert "Facilities" not in html and "drawn" not in html and "<li" not in html


def test_report_says_which_facility_makes_its_state(metrics):
    told = page.in_words(
        metrics | {"facilities": facilities(), "reason_codes": metrics["reason_codes"] | {"facilities": codes()}}
    )
    alarms = concluded(told)["alarms"]
    assert [alarm.partition(":")[0] for alarm in alarms[:2]] == ["Senior line", "Tail line"]
    assert alarms[0].startswith("Senior line: 1,200.50\u00a0USD more is drawn than may be. Covenant “arrears” at")
    assert concluded(page.in_words(metrics))["alarms"] == alarms[2:]


def test_verdict_names_the_facility_that_alone_makes_the_state(metrics):
    told = metrics | {"facilities": facilities(), "verdict": metrics["verdict"] | {"state": "critical"}}
    for kpi in told["kpis"].values():
        kpi["decides"] = False
    assert undecided(told) == "The state of the report is that of Senior line."
    for kpi in told["kpis"].values():
        kpi |= {"decides": True, "status": "critical", "thresholds": {"warning": 3, "critical": 5}}
    assert undecided(told) == ""


def test_first_page_names_each_sound_facility_and_the_lenders_and_breaks_no_line_before_a_per_cent(metrics):
    sound = {"status": "ok", "verdict": ["Senior line: 5.00 USD may be drawn.", "Arrears at 3 %."]}
    told = trust(metrics | {"facilities": {"A": sound, "B": sound | {"status": "warning"}}}, segments())
    assert told[0] == "✓ Senior line: 5.00 USD may be drawn. Arrears at 3\u00a0%."
    assert told[1] == "Lent by Abaco Tech and Abaco Factoring" and "✓" in told[2]
    many = [segments().to_dict("records")[0] | {"value": f"C{number}"} for number in range(5)]
    assert "Lent by 5\u00a0companies" in trust(metrics, many)
    assert not any(text.startswith("Lent by") for text in trust(metrics))


def test_every_word_of_the_section_has_its_spanish(metrics):
    words = {*section.ENDS.values(), *section.FALLS.values(), section.CASH, *section.LEVELS.values(),
             *section.LIMITS.values(), *section.CAUSES.values(), *section.HEADS, *section.LOAN_HEADS}  # fmt: skip
    assert words - set(language.dictionary("es")) == set()
    with language.speaking("es"):
        soup, _ = shown(metrics)
    text = soup.get_text(" ")
    assert "se han girado 1,200.50\u00a0USD más de lo permitido" in text
    assert "ningún préstamo de la línea tiene saldo" in text
