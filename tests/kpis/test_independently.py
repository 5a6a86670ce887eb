"""The report of the sample is what its files say: every KPI and table a second time, see recomputation."""

import json
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.core.phases import FACTS, scraps_of
from abaco.kpis import catalog, measures, open_book, values
from abaco.review import explanation
from tests.support import spreadsheets
from tests.support.projects import ROOT, Project, copy_project

from .completion import PERCENTAGES, completed
from .recomputation import (
    BOUNDS,
    DECEMBER,
    DEFINED,
    PRINCIPAL,
    RECOMPUTED,
    SEVERITY,
    balances,
    book,
    due,
    export,
    loans,
    month,
    of_month,
    on_time,
    outstanding,
    paid,
    published,
    rounded,
    share,
    transitions,
)
from .recomputed_facilities import FACILITIES, borrowing_base, covenant, moved

NOVEMBER = date(2025, 11, 30)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a finished report of the sample, with expenses and risk parameters added."""
    root = copy_project(tmp_path_factory.mktemp("independently"), kpis=ROOT / "params/kpis.yml")
    done = Project(root, root / "reports").report(*completed(root))
    assert done.returncode == 0, done.stderr
    return root / "reports" / str(DECEMBER)


@pytest.fixture(scope="module")
def kpis(report):
    return json.loads((report / "metrics.json").read_text(), parse_float=Decimal)["kpis"]


@pytest.fixture(scope="module")
def history(report):
    found = defaultdict(dict)
    for row in pq.read_table(report / "tables/history.parquet").to_pylist():
        found[row["kpi"]][row["date"]] = row["value"]
    return found


def test_every_kpi_of_the_catalogue_is_recomputed():
    assert sorted(RECOMPUTED) == sorted(DEFINED)


@pytest.mark.parametrize("name", RECOMPUTED)
def test_kpi_of_the_report_is_what_the_files_say(name, kpis):
    value = kpis[name]["value"]
    assert (None if value is None else Fraction(value)) == published(name, DECEMBER)


@pytest.mark.parametrize("name", RECOMPUTED)
def test_kpi_of_every_date_is_what_the_files_say(name, history):
    found = {day: value if value is None else Fraction(value) for day, value in history[name].items()}
    assert found == {day: published(name, day) for day in balances()}


class Reader:
    """An engine as far as a book needs one: it reads a table of the report."""

    def __init__(self, turn):
        self.turn = turn

    def scan(self, path):
        return self.from_arrow(pq.read_table(path))

    def from_arrow(self, table):
        return nw.from_native(self.turn(table)).lazy()


ENGINES = {
    "duckdb": duckdb.from_arrow,
    "polars": lambda table: pl.from_arrow(table).lazy(),
    "pandas": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
}


@pytest.fixture(scope="module", params=ENGINES)
def computed(request, report):
    """Every KPI of the report's tables on one engine."""
    definitions = catalog.load(ROOT / "params/kpis.yml")
    facts = scraps_of(report / "notebooks/01_ingestion.ipynb")[FACTS]
    risk = open_book.risk(PERCENTAGES, float(SEVERITY))
    book = open_book.open_book(report / "tables", Reader(ENGINES[request.param]), facts, **risk)
    totals = measures.measure(book, catalog.measures(definitions))
    return values.evaluate(definitions, totals[DECEMBER], DECEMBER)


@pytest.mark.parametrize("name", RECOMPUTED)
def test_kpi_of_every_engine_is_what_the_files_say(name, computed):
    value = computed[name]["value"]
    assert (None if value is None else Fraction(value)) == published(name, DECEMBER)


def test_only_what_the_sample_does_not_tell_has_no_value(kpis):
    without = {name for name, kpi in kpis.items() if kpi["value"] is None}
    assert without == {"LargestSegment", "PAR30Restructured"}


# The tables beside the KPIs

TICKETS = {"below 1,000": 0, "1,000–4,999": 1_000, "5,000–9,999": 5_000, "10,000–24,999": 10_000,
           "25,000–49,999": 25_000, "50,000 and more": 50_000}  # fmt: skip
TERMS = {"0–30": 0, "31–60": 31, "61–90": 61, "91–180": 91, "181–360": 181, "above 360": 361}
AGES = ("0–7", "7–30", "30–60", "60–90", "90+")


def band(bands, amount):
    return max((low, name) for name, low in bands.items() if amount >= low)[1]


DIMENSIONS = {
    "company": lambda loan: loan.company,
    "product": lambda loan: loan.product,
    "region": lambda loan: loan.region,
    "ticket": lambda loan: band(TICKETS, Fraction(loan.lent, 100)),
    "term": lambda loan: band(TERMS, loan.term),
}


def rows(report, name):
    """Return the rows of a table, without the names of its columns."""
    return [tuple(row.values()) for row in pq.read_table(report / f"tables/{name}.parquet").to_pylist()]


def usd(amount):
    return None if amount is None else Decimal(int(amount)) / 100


def pct(part, whole, places=4):
    """Return a part in per cent as a table has it."""
    found = share(part, whole)
    return None if found is None else Decimal(int(rounded(found, places) * 10**places)).scaleb(-places)


def segment(day, name, value):
    of_loan = DIMENSIONS[name]
    found = [row for row in book(day) if (of_loan(row.loan) if row.loan else "not given") == value]
    owed = sum(row.owed for row in found)
    late = (pct(sum(row.late[column] for row in found), owed) for column in (1, 3))
    return day, name, value, sum(row.owed > 0 for row in found), usd(owed), pct(owed, outstanding(day)), *late


def test_segments_are_what_the_files_say(report):
    expected = []
    for day in sorted(balances()):
        for name, of_loan in DIMENSIONS.items():
            values = {of_loan(row.loan) if row.loan else "not given" for row in book(day)}
            found = [segment(day, name, value) for value in values]
            expected += sorted(found, key=lambda row: (-row[4], row[2]))
    assert rows(report, "segments") == expected


def test_ten_largest_borrowers_are_what_the_files_say(report):
    owed, held, late, ever = defaultdict(Counter), defaultdict(Counter), defaultdict(Counter), Counter()
    for day in balances():
        for row in (row for row in book(day) if row.owed and row.loan):
            owed[day][row.loan.borrower] += row.owed
            held[day][row.loan.borrower] += 1
            late[day][row.loan.borrower] += row.late[1]
            ever[row.loan.borrower] += row.owed
    number = {name: i for i, name in enumerate(sorted(ever, key=lambda name: (-ever[name], name)), 1)}
    expected = []
    for day in sorted(owed):
        largest = sorted(owed[day], key=lambda name: (-owed[day][name], number[name]))[:10]
        expected += [
            (day, i, f"Borrower {number[name]}", held[day][name], usd(owed[day][name]),
             pct(owed[day][name], outstanding(day)), usd(late[day][name]))
            for i, name in enumerate(largest, 1)
        ]  # fmt: skip
    assert rows(report, "concentration") == expected


def age(row):
    return AGES[max(i for i, low in enumerate(BOUNDS) if row.days >= low)]


def test_roll_rates_are_what_the_files_say(report):
    expected = set()
    for day in balances():
        moved, loans_moved = Counter(), Counter()
        for was, now in (way for way in transitions(day) if way[0].owed or way[1].owed):
            start = age(was) if was.owed else "written off" if was.off else "new"
            left = "gone without payment" if now.is_gone else "paid"
            end = age(now) if now.owed else "written off" if now.off > was.off else left
            moved[start, end] += was.owed or now.owed
            loans_moved[start, end] += 1
        for (start, end), amount in moved.items():
            of_start = sum(other for pair, other in moved.items() if pair[0] == start)
            against = max(other for other in balances() if other < day)
            expected.add((day, against, start, end, loans_moved[start, end], usd(amount), pct(amount, of_start)))
    found = rows(report, "roll_rates")
    assert (len(found), set(found)) == (len(expected), expected)


def test_collections_of_every_month_are_what_the_files_say(report):
    found = rows(report, "collections")
    begin = min(date.fromisoformat(row["date_paid"]) for row in export("transactions"))
    assert [month(row[0]) for row in found] == list(range(month(begin), month(DECEMBER) + 1))
    first_due = month(min(row[1] for row in due()))
    for day, *amounts, is_partial in found:
        of_due = of_month(due(), day), of_month(due(), day, PRINCIPAL), on_time(day)
        whole, principal, served = of_due if month(day) >= first_due else (None,) * 3
        came_in = of_month(paid(), day)
        later = [
            pct(on_time(day, days), principal, 2) if principal and day + timedelta(days) <= DECEMBER else None
            for days in (30, 60)
        ]
        expected = [usd(whole), usd(came_in), pct(came_in, whole, 2), usd(principal), usd(served),
                    pct(served, principal, 2), *later]  # fmt: skip
        assert (amounts, is_partial) == (expected, False), day


def test_vintages_are_what_the_files_say(report):
    """The balances begin with December 2024, so the first quarter of which all is known is the next one."""
    first = {}
    for day in sorted(balances()):
        for name, row in balances()[day].items():
            if row.loan and (row.off or (row.owed and row.days >= 90)):
                first.setdefault(name, (month(day) - month(row.loan.lent_on), row.owed + row.off))
    expected = []
    for quarter in range(1, 5):
        cohort = {
            name: loan.lent
            for name, loan in loans().items()
            if loan.lent_on.year == 2025 and (loan.lent_on.month + 2) // 3 == quarter
        }
        for months in range(12 - 3 * quarter + 1):
            late = sum(first[name][1] for name in cohort if name in first and first[name][0] <= months)
            whole = sum(cohort.values())
            expected.append((f"2025 Q{quarter}", months, len(cohort), usd(whole), usd(late), pct(late, whole)))
    assert rows(report, "vintages") == expected


@pytest.mark.parametrize(("name", "days"), [("PAR30", 30), ("PAR90", 90)])
def test_bridges_are_what_the_files_say(report, name, days):
    found = [row for row in rows(report, "bridges") if row[2] == name]
    assert len({row[0] for row in found}) == len(balances()) - 1
    for day in sorted(balances())[1:]:
        terms = Counter()
        for was, now in transitions(day):
            before, after = (end.owed if end.days >= days else 0 for end in (was, now))
            rise, fall = max(after - before, 0), max(before - after, 0)
            off, back = min(fall, max(now.off - was.off, 0)), min(rise, max(was.off - now.off, 0))
            terms["opening"] += before
            terms["rolled on" if was.owed and was.days >= 7 else "new arrears"] += rise - back
            still = min(fall - off, now.owed) if now.days < days else 0
            terms["cured"] -= still
            terms["paid"] -= fall - off - still
            terms["written off"] -= off - back
            terms["closing"] += after
        steps = {term: (amount, points) for date_, _, _, term, amount, points in found if date_ == day}
        in_usd = {term: amount for term, (amount, _) in steps.items() if term != "book growth"}
        assert in_usd == {term: usd(terms[term]) for term in in_usd}
        opening, *moved, closing = (points for _, points in steps.values())
        assert opening + sum(moved) == closing
        assert Fraction(closing) == published(name, day)


# Facilities


def in_cents(amount):
    return int(amount * 100)


def test_borrowing_bases_are_what_the_files_say(report):
    found = defaultdict(list)
    for row in pq.read_table(report / "tables/borrowing_base.parquet").to_pylist():
        found[row["facility"], row["date"]].append((row["line"], in_cents(row["amount_usd"])))
    assert {name for name, _ in found} == set(FACILITIES) and len(found) > 15
    for (name, day), lines in found.items():
        assert lines == borrowing_base(name, day)[0], (name, day)
    assert any(amount for lines in found.values() for line, amount in lines if line in FACILITIES["SENIOR"]["limits"])


def test_covenants_are_what_the_files_say(report):
    """Of KPIs with and without a window, of the pool and of the book, of lines of the base, and of cohorts."""
    found = pq.read_table(report / "tables/covenants.parquet").to_pylist()
    terms = [one for facility in FACILITIES.values() for one in facility["covenants"].values()]
    assert all(any(kind in one for one in terms) for kind in ("kpi", "line", "cohorts", "window", "of"))
    assert {(row["facility"], row["covenant"]) for row in found} == {
        (name, title) for name, facility in FACILITIES.items() for title in facility["covenants"]
    }
    for row in found:
        named = row["facility"], row["covenant"], row["date"]
        value, limits = covenant(*named), FACILITIES[row["facility"]]["covenants"][row["covenant"]]
        places = DEFINED[limits["kpi"]]["precision"] if "kpi" in limits else 4
        assert row["value"] == (None if value is None else rounded(value, places)), named
        if value is not None:
            is_lower = row["better"] == "lower"
            past = [
                level
                for level in ("warning", "trigger", "default")
                if level in limits and (row["value"] > limits[level] if is_lower else row["value"] < limits[level])
            ]
            assert row["level"] in ("curing", (past or ["ok"])[-1]), named
    assert sum(row["value"] is not None for row in found) > 40


def test_certificates_give_the_published_figures_in_libreoffice(report, tmp_path):
    paths = sorted(report.glob("certificate_*.xlsx"))
    assert [path.stem for path in paths] == ["certificate_SENIOR", "certificate_TAIL"]
    for path, found in zip(paths, spreadsheets.computed(paths, tmp_path), strict=True):
        assert spreadsheets.differences(path, found) == {}
    linked = re.findall(r'href="(certificate_[^"]+)"', (report / "report.html").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(path.with_suffix(end).name for path in paths for end in (".xlsx", ".pdf"))
    listed = {entry["path"] for entry in json.loads((report / "manifest.json").read_text())["outputs"]}
    assert {path.with_suffix(end).name for path in paths for end in (".xlsx", ".pdf")} <= listed


def test_loans_are_eligible_as_the_files_say(report):
    rows = pq.read_table(report / "tables/eligibility.parquet").to_pylist()
    for name in FACILITIES:
        found = {
            row["loan_id"]: (
                in_cents(row["balance_usd"]),
                row["reasons"],
                in_cents(row["net_eligible_usd"]),
                row["limits"],
            )
            for row in rows
            if row["facility"] == name
        }
        assert found == {
            loan["number"]: (
                loan["owed"],
                "; ".join(loan["reasons"]) or None,
                loan["left"],
                "; ".join(loan["over"]) or None,
            )
            for loan in borrowing_base(name, DECEMBER)[1]
        }


def test_roll_forward_is_what_the_files_say(report):
    found = defaultdict(dict)
    for row in pq.read_table(report / "tables/roll_forward.parquet").to_pylist():
        found[row["against"], row["date"]][row["line"]] = in_cents(row["amount_usd"])
    assert len(found) == 12
    for (against, day), lines in found.items():
        was, now = balances()[against], balances()[day]
        off = [now[number].off - was[number].off for number in {*was} & {*now}]
        gone = sum(row.off for number, row in was.items() if number not in now)
        fresh = sum(row.off for number, row in now.items() if number not in was)
        assert (lines["opening"], lines["closing"]) == tuple(sum(r.owed for r in ends.values()) for ends in (was, now))
        assert lines["lent"] == sum(loan.lent for loan in loans().values() if month(loan.lent_on) == month(day))
        assert lines["principal paid"] == -of_month(paid(), day, PRINCIPAL)
        assert lines["written off"] == -sum(usd for usd in off if usd > 0) - fresh
        assert lines["recovered"] == -sum(usd for usd in off if usd < 0) + gone
        assert sum(usd for line, usd in lines.items() if line != "closing") == lines["closing"]


def test_bridges_of_availability_are_what_the_files_say(report):
    rows = pq.read_table(report / "tables/availability_bridges.parquet").to_pylist()
    assert {row["date"] for row in rows} == {DECEMBER} and {row["against"] for row in rows} == {NOVEMBER}
    for name in FACILITIES:
        opening, *steps, closing = (row for row in rows if row["facility"] == name)
        ends = [borrowing_base(name, end)[0][-1][1] for end in (NOVEMBER, DECEMBER)]
        assert [in_cents(row["amount_usd"]) for row in (opening, closing)] == ends
        found = {(row["term"], row["line"]): in_cents(row["amount_usd"]) for row in steps}
        assert found == moved(name, NOVEMBER, DECEMBER)[0]
        assert sum(found.values()) == ends[1] - ends[0]


def test_loans_that_moved_availability_are_those_of_the_files(report):
    rows = pq.read_table(report / "tables/availability_loans.parquet").to_pylist()
    for name in FACILITIES:
        given = moved(name, NOVEMBER, DECEMBER)[1].items()
        most = sorted(given, key=lambda one: (-abs(one[1][1] - one[1][0]), one[0]))[:10]
        assert [(row["before_usd"], row["after_usd"]) for row in rows if row["facility"] == name] == [
            tuple(rounded(Fraction(end, 10_000), 2) for end in ends) for _, ends in most
        ]


@pytest.mark.parametrize("against", [date(2025, 6, 30), date(2025, 9, 30), date(2025, 11, 30)])
def test_bridge_between_any_two_dates_is_explained_and_sums(report, monkeypatch, against):
    monkeypatch.setenv("ABACO_ROOT", str(report.parents[1]))
    for name in FACILITIES:
        said = "\n".join(explanation.explain(name, str(DECEMBER), str(against), report.parent))
        bridge, loans_behind = said.split("\n\n")[-2:]
        assert bridge.startswith(f"Since {against}:\n")
        steps = [(line[:16].strip(), re.findall(r"-?[\d,]+\.\d\d", line)[0]) for line in bridge.splitlines()[2:]]
        amounts = [int(Decimal(amount.replace(",", "")) * 100) for _, amount in steps]
        assert [steps[0][0], steps[-1][0]] == ["opening", "closing"]
        assert [amounts[0], amounts[-1]] == [borrowing_base(name, end)[0][-1][1] for end in (against, DECEMBER)]
        assert sum(amounts[1:-1]) == amounts[-1] - amounts[0]
        assert len(loans_behind.splitlines()) == 11  # with the heading


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (
            "2024-12-31",
            "TAIL has no borrowing base before 2025-12-31 on 2024-12-31; it has one on 2025-06-30, 2025-07-31",
        ),
        ("2025-12-31", "TAIL has no borrowing base before 2025-12-31 on 2025-12-31; it has one on 2025-06-30"),
        ("June", "--against June is not a valid date"),
    ],
)
def test_date_without_a_borrowing_base_is_named(report, monkeypatch, against, said):
    monkeypatch.setenv("ABACO_ROOT", str(report.parents[1]))
    with pytest.raises(InputError, match=said):
        list(explanation.explain("TAIL", str(DECEMBER), against, report.parent))


def test_terms_that_have_changed_since_the_report_explain_nothing(report, monkeypatch, tmp_path):
    changed = copy_project(tmp_path, kpis=ROOT / "params/kpis.yml")
    terms = changed / "params/sample_facilities.yml"
    terms.write_text(terms.read_text().replace("advance_rate: 80", "advance_rate: 81"))
    monkeypatch.setenv("ABACO_ROOT", str(changed))
    with pytest.raises(
        InputError, match=r"TAIL of params/sample_facilities\.yml is not what it was in the report of 2025"
    ):
        list(explanation.explain("TAIL", str(DECEMBER), "2025-09-30", report.parent))
