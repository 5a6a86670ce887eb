"""The synthetic book: the same bytes every time, plausible, and one book in two forms."""

import csv
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from abaco.sample import exports, simulation
from abaco.sample import snapshot as sample_snapshot

DATA = Path(__file__).resolve().parents[2] / "data"
COLUMNS = (
    "loan_id,measurement_date,customer_id,borrower_name,borrower_email,borrower_phone,company,product,region,"
    "total_receivable_usd,total_eligible_usd,discounted_balance_usd,cash_available_usd,dpd_0_7_usd,dpd_7_30_usd,"
    "dpd_30_60_usd,dpd_60_90_usd,dpd_90_plus_usd,written_off_usd,collector_note"
)
# Date, outstanding, PAR30 and PAR90 to the fourth decimal, CollectionRate to the second.
KPIS = [
    ("2024-12-31", "435489.44", "4.0241", "1.8696", "3.10"),
    ("2025-01-31", "460069.66", "4.3622", "1.2558", "2.83"),
    ("2025-02-28", "476727.14", "4.8735", "2.5815", "2.61"),
    ("2025-03-31", "496782.62", "4.3373", "2.3790", "3.34"),
    ("2025-04-30", "486107.99", "3.4016", "2.5943", "2.97"),
    ("2025-05-31", "528311.11", "3.7843", "2.4756", "1.40"),
    ("2025-06-30", "522447.61", "6.5994", "1.6509", "2.44"),
    ("2025-07-31", "490685.34", "6.5349", "1.5820", "2.86"),
    ("2025-08-31", "442636.50", "5.2316", "2.2005", "3.26"),
    ("2025-09-30", "492528.73", "3.7045", "2.3154", "3.50"),
    ("2025-10-31", "478265.37", "4.1315", "2.5186", "1.32"),
    ("2025-11-30", "471463.80", "4.0131", "1.6873", "2.53"),
    ("2025-12-31", "540203.00", "3.7471", "1.3010", "2.95"),
]


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def read_typed(connection, path):
    """The lines that have as many fields as the header; amounts and dates that do not read are null."""
    texts = connection.read_csv(str(path), header=True, all_varchar=True, ignore_errors=True, delimiter=",")
    kinds = {name: "decimal(18, 2)" for name in texts.columns if name.lower().endswith(("usd", "principal", "value"))}
    kinds |= {name: "date" for name in texts.columns if name.endswith("_date") or name.startswith("date_")}
    return texts.select(", ".join(f"try_cast({n} as {kinds.get(n, 'varchar')}) as {n}" for n in texts.columns))


@pytest.fixture
def snapshot(connection):
    """The clean rows of sample.csv, one a loan and date."""
    rows = read_typed(connection, DATA / "sample.csv").distinct()
    kept = rows.filter("loan_id <> '' and measurement_date is not null and total_receivable_usd >= 0")
    return kept.query("kept", "from kept qualify count(*) over (partition by loan_id, measurement_date) = 1")


@pytest.fixture
def balances(connection):
    """The clean rows of loan_par_balances.csv, one a loan and date."""
    rows = read_typed(connection, DATA / "sample/loan_par_balances.csv").distinct()
    return rows.filter(
        "reporting_date is not null and outstanding_balance_usd >= 0"
        " and PAR_7_balance_usd <= outstanding_balance_usd and PAR_30_balance_usd <= PAR_7_balance_usd"
    )


def count(relation):
    return relation.count("*").fetchall()[0][0]


def test_the_committed_sample_is_what_the_generator_writes(tmp_path):
    sample_snapshot.write_sample(tmp_path)
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv"))
    assert written == [
        "sample.csv",
        "sample/drawings.csv",
        "sample/financials.csv",
        "sample/loan_par_balances.csv",
        "sample/loans.csv",
        "sample/schedules.csv",
        "sample/transactions.csv",
    ]
    for path in written:
        assert (tmp_path / path).read_bytes() == (DATA / path).read_bytes(), path


def test_snapshot_has_the_contract_columns_and_lf_lines():
    content = (DATA / "sample.csv").read_bytes()
    assert content.split(b"\n", 1)[0].decode() == COLUMNS
    assert b"\r" not in content and content.endswith(b"\n")


def test_kpis_of_the_snapshot(snapshot):
    rows = snapshot.query(
        "kept",
        """select measurement_date, sum(total_receivable_usd),
            sum(dpd_30_60_usd + dpd_60_90_usd + dpd_90_plus_usd), sum(dpd_90_plus_usd),
            sum(cash_available_usd), sum(total_eligible_usd)
        from kept group by 1 order by 1""",
    ).fetchall()
    assert [kpis(*row) for row in rows] == KPIS


def test_kpis_of_the_exports_are_the_same(connection, balances):
    cash = read_typed(connection, DATA / "sample/financials.csv").filter("metric = 'Efectivo y equivalentes'")
    connection.register("cash", cash.to_arrow_table())
    rows = balances.query(
        "kept",
        """select reporting_date, sum(outstanding_balance_usd), sum(PAR_30_balance_usd),
            sum(PAR_90_balance_usd), (select value from cash where cash.reporting_date = kept.reporting_date),
            sum(outstanding_balance_usd)
        from kept group by 1 order by 1""",
    ).fetchall()
    assert [kpis(*row) for row in rows] == KPIS


def kpis(day, receivable, past_30, past_90, cash, eligible):
    """A line of `KPIS`."""
    places = ((past_30 / receivable, "0.0001"), (past_90 / receivable, "0.0001"), (cash / eligible, "0.01"))
    return (str(day), str(receivable), *(str((100 * ratio).quantize(Decimal(unit))) for ratio, unit in places))


def test_par_is_plausible_in_every_month():
    par_30, par_90, rate = ([Decimal(line[place]) for line in KPIS] for place in (2, 3, 4))
    assert all(3 <= value <= 7 for value in par_30)
    assert all(1 <= value <= Decimal("3.5") for value in par_90)
    assert sum(value > 5 for value in par_30) == 3  # June to August
    assert par_30[6] - par_30[5] == Decimal("2.8151")  # the jump
    assert [str(value) for value in rate if value < Decimal("1.5")] == ["1.40", "1.32"]
    assert all(2 <= value <= 4 for value in rate if value >= Decimal("1.5"))


def test_two_forms_agree_loan_by_loan(snapshot, balances):
    in_snapshot = snapshot.query(
        "kept",
        """select loan_id, measurement_date, total_receivable_usd, written_off_usd,
            total_receivable_usd - dpd_0_7_usd, dpd_30_60_usd + dpd_60_90_usd + dpd_90_plus_usd
        from kept where loan_id not like '% - X%' order by all""",
    ).fetchall()
    in_balances = balances.query(
        "kept",
        """select loan_id_raw, reporting_date, outstanding_balance_usd, writeoff_outstanding_balance_usd,
            PAR_7_balance_usd, PAR_30_balance_usd
        from kept where loan_id_raw not like '% - X%' order by all""",
    ).fetchall()
    assert len(in_snapshot) == 1737
    assert in_snapshot == in_balances


def test_buckets_add_up_except_for_the_two_planted_rows(snapshot):
    unbalanced = snapshot.filter(
        "dpd_0_7_usd + dpd_7_30_usd + dpd_30_60_usd + dpd_60_90_usd + dpd_90_plus_usd <> total_receivable_usd"
    ).order("loan_id")
    assert unbalanced.select("loan_id, cast(measurement_date as varchar), total_receivable_usd").fetchall() == [
        ("ALF - X00013", "2025-01-31", Decimal("120.00")),
        ("ALF - X00014", "2025-02-28", Decimal("80.00")),
    ]


def test_faulty_rows_of_the_snapshot_are_as_planted(snapshot):
    with open(DATA / "sample.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    good = set(map(tuple, lines))
    assert len(lines) == 1752
    assert len(lines) - len(good) == 1  # the identical duplicate
    assert len(lines) - 1 - count(snapshot) == 12  # rejected: 0.7 %
    assert sorted(len(line) for line in lines if len(line) != 20) == [19, 21]
    assert max(line[1] for line in lines if len(line) == 20) == "2025-12-31"
    faulty = [line for line in lines if line[0].startswith("ALF - X") and len(line) == 20]
    assert [(line[0], line[1], line[9]) for line in faulty] == [
        ("ALF - X00001", "2025-02-30", "1250.00"),
        ("ALF - X00002", "", "1250.00"),
        ("ALF - X00003", "2025-10-31", "n.d."),
        ("ALF - X00004", "2025-10-31", "-1250.00"),
        ("ALF - X00005", "2025-10-31", "NaN"),
        ("ALF - X00006", "2025-10-31", "inf"),
        ("ALF - X00008", "2025-10-31", ""),
        ("ALF - X00010", "2025-10-31", "1250.00"),
        ("ALF - X00010", "2025-10-31", "1350.00"),
        ("ALF - X00013", "2025-01-31", "120.00"),
        ("ALF - X00014", "2025-02-28", "80.00"),
    ]
    assert [line[1] for line in lines if line[0] == ""] == ["2025-10-31"]


def test_faulty_rows_of_the_balances_are_as_planted(balances):
    with open(DATA / "sample/loan_par_balances.csv", encoding="utf-8", newline="") as file:
        lines = [tuple(line) for line in csv.reader(file)][1:]
    assert len(lines) == 1744
    assert len(lines) - len(set(lines)) == 1
    assert len(lines) - 1 - count(balances) == 4
    faulty = [(line[0], line[1], line[10], line[12], line[13]) for line in lines if line[0].startswith("ALF - X0002")]
    assert faulty == [
        ("ALF - X00021", "2025-10-31", "900.00", "400.00", "500.00"),
        ("ALF - X00022", "2025-10-31", "900.00", "950.00", "0.00"),
        ("ALF - X00023", "2025-10-31", "-900.00", "0.00", "0.00"),
        ("ALF - X00024", "2025-02-30", "900.00", "0.00", "0.00"),
    ]


def test_principal_paid_explains_every_balance(connection, balances):
    moved = read_typed(connection, DATA / "sample/transactions.csv")
    connection.register("moved", moved.to_arrow_table())
    unexplained = balances.query(
        "kept",
        """select loan_id_raw, reporting_date,
            outstanding_balance_usd + writeoff_outstanding_balance_usd as owed,
            sum(case transaction_type when 'DISBURSEMENT' then principal else -principal end) as explained
        from kept left join moved on loan_id = loan_id_raw and date_paid <= reporting_date
        where loan_id_raw not like '% - X%' group by all having owed is distinct from explained""",
    )
    assert unexplained.fetchall() == []
    assert count(moved.filter("principal <= 0")) == 0


def test_transactions_carry_rebates_and_tiny_fees(connection):
    connection.register("moved", read_typed(connection, DATA / "sample/transactions.csv").to_arrow_table())
    rebates = connection.sql("from moved where cast(interest as decimal(18, 2)) < 0")
    assert count(rebates) == 48
    off = "principal + cast(interest as decimal(18, 2)) + cast(to_tax as decimal(18, 2)) <> 0"
    assert rebates.filter(off).fetchall() == []  # a rebate is a credit that pays principal
    assert count(connection.sql("from moved where fees = '0.0000004'")) == 14


def test_schedules_add_up_to_the_principal(connection):
    for name in ("loans", "schedules"):
        connection.register(name, read_typed(connection, DATA / f"sample/{name}.csv").to_arrow_table())
    sums = "select loan_id, sum(principal) as due, max(date_due) as last_due from schedules group by 1"
    joined = connection.sql(f"from loans left join ({sums}) using (loan_id)")
    off = "due is distinct from disburse_principal or last_due <> maturity_date"
    assert joined.filter(off).fetchall() == []
    assert connection.sql("select count(*), count(distinct loan_id) from loans").fetchall() == [(412, 412)]


def test_loans_close_the_book_of_the_last_month(connection, balances):
    connection.register("loans", read_typed(connection, DATA / "sample/loans.csv").to_arrow_table())
    last = balances.filter("reporting_date = '2025-12-31'")
    closing = last.aggregate("sum(outstanding_balance_usd + writeoff_outstanding_balance_usd)").fetchall()
    owed = "cast(outstanding_balance as decimal(18, 2))"
    assert connection.sql(f"select sum({owed}) from loans").fetchall() == closing
    status = f"case when {owed} = 0 then 'Complete' when dpd = '0' then 'Current' else 'Default' end"
    assert connection.sql(f"from loans where loan_status <> {status}").fetchall() == []


def test_balances_show_what_real_books_show(balances):
    late = balances.filter("cast(dpd as int) > 0")
    assert late.filter("reporting_date - dpd_date <> cast(dpd as int)").fetchall() == []
    assert balances.filter("(dpd = '0') <> (dpd_date is null)").fetchall() == []
    assert balances.filter("is_writeoff = 'true' and outstanding_balance_usd <> 0").fetchall() == []
    assert balances.filter("is_writeoff = 'true' and cast(dpd as int) < 180").fetchall() == []
    counts = {
        "opened and paid within the month": "outstanding_balance_usd + writeoff_outstanding_balance_usd = 0",
        "dust": "outstanding_balance_usd > 0 and outstanding_balance_usd < 1",
        "written off": "is_writeoff = 'true'",
    }
    assert {what: count(balances.filter(where)) for what, where in counts.items()} == {
        "opened and paid within the month": 10,
        "dust": 10,
        "written off": 120,
    }


def test_dpd_of_who_pays_nothing_grows_by_the_days_of_the_month():
    book = simulation.simulate(0, 20_000, seed=1)
    days = np.diff(simulation.MONTH_ENDS)[1:, None]
    before, after = book.days_past_due[:-1], book.days_past_due[1:]
    carried_on = (before > 0) & (book.balance[:-1] == book.balance[1:])
    assert (after - before == days)[carried_on].all()
    assert carried_on.sum() > 1000
    assert after[before == 0].max() == 31  # it fell due within the month, or on its eve


def test_rolls_get_worse_with_depth():
    book = simulation.simulate(0, 20_000, seed=1)
    before, after = book.days_past_due[:-1], book.days_past_due[1:]
    stays = [
        np.mean(after[(before >= low) & (before < high)] > low)
        for low, high in ((1, 30), (30, 60), (60, 90), (90, 150))
    ]
    assert stays == sorted(stays)


def test_some_write_offs_are_reversed():
    book = simulation.simulate(0, sample_snapshot.SAMPLE_LOANS, sample_snapshot.SEED)
    before, after = (book.is_written_off[simulation.HISTORY - 1 : -1], book.is_written_off[simulation.HISTORY :])
    assert int((after & ~before).sum()) == 15
    assert int((before & ~after & (book.balance[simulation.HISTORY :] > 0)).sum()) == 2


def test_balances_never_rise_nor_go_below_zero():
    book = simulation.simulate(0, 20_000, seed=1)
    owed = np.where(np.array(simulation.MONTH_ENDS[1:])[:, None] < book.disbursed, book.principal, book.balance)
    assert (np.diff(owed, axis=0) <= 0).all() and owed.min() == 0


def test_a_loan_is_the_same_however_the_book_is_cut():
    whole, part = simulation.simulate(0, 100, seed=5), simulation.simulate(40, 10, seed=5)
    assert (whole.balance[:, 40:50] == part.balance).all()
    assert (whole.days_past_due[:, 40:50] == part.days_past_due).all()
    assert simulation.loan_ids(whole)[40:50].equals(simulation.loan_ids(part))
    assert (simulation.simulate(40, 10, seed=6).principal != part.principal).any()


def test_first_draws_are_splitmix64():
    # The published test vector of splitmix64 for the seed 1234567.
    seeds = np.array([1234567], np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    assert simulation.mix(seeds).tolist() == [6457827717110365317]


def test_companies_share_their_bare_numbers(snapshot):
    ids = {company: set() for company in ("ALF", "BET")}
    for loan_id, company in snapshot.select("loan_id, company").fetchall():
        assert re.fullmatch(rf"{company} - [0-9X]\d{{5}}", loan_id)
        ids[company].add(loan_id[-6:])
    assert len(ids["ALF"] & ids["BET"]) == 101


def test_people_are_plainly_invented(snapshot):
    rows = snapshot.select("borrower_name, borrower_email, borrower_phone, collector_note").fetchall()
    for name, email, phone, note in rows:
        first, *surnames = name.split(" ")
        assert first in simulation.FIRST_NAMES and set(surnames) <= set(simulation.SURNAMES)
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.(com|org)", email)
        assert phone is None or re.fullmatch(r"\+503 5550-\d{4}", phone)
        assert note is None or note in simulation.NOTES
    assert any(note and "+503 5550-" in note for *_, note in rows)


@pytest.mark.parametrize("rows", [1, 100, 5_000])
def test_snapshot_of_any_size_is_the_same_in_csv_and_parquet(tmp_path, rows):
    for name in ("book.csv", "book.parquet"):
        sample_snapshot.write_snapshot(tmp_path / name, rows, seed=3)
    table = pyarrow.parquet.read_table(tmp_path / "book.parquet")
    with open(tmp_path / "book.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == table.num_rows == rows
    assert table.schema.field("cash_available_usd").type == pa.decimal128(18, 2)
    assert table.schema.field("measurement_date").type == pa.date32()
    shown = [{name: "" if value is None else str(value) for name, value in row.items()} for row in table.to_pylist()]
    differing = [line["loan_id"] for line, row in zip(lines, shown, strict=True) if line != row]
    # only what a typed column cannot hold: no date, no number, a broken line
    untyped = ["ALF - X00001", *(f"ALF - X000{n:02d}" for n in (3, 5, 6, 11, 12))]
    assert differing == (untyped if rows == 5_000 else [])


def test_snapshot_does_not_depend_on_the_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_snapshot, "CHUNK_LOANS", 300)
    sample_snapshot.write_snapshot(tmp_path / "small_chunks.parquet", 5_000)
    monkeypatch.setattr(sample_snapshot, "CHUNK_LOANS", 900)
    sample_snapshot.write_snapshot(tmp_path / "large_chunks.parquet", 5_000)
    order = [("loan_id", "ascending"), ("measurement_date", "ascending"), ("total_receivable_usd", "ascending")]
    small, large = (pyarrow.parquet.read_table(tmp_path / f"{size}_chunks.parquet") for size in ("small", "large"))
    assert small.num_rows == 5_000
    # the duplicate is of each file's first row, which is the same loan
    assert small.sort_by(order).equals(large.sort_by(order))


def test_snapshot_of_no_rows_is_a_header(tmp_path):
    sample_snapshot.write_snapshot(tmp_path / "none.csv", 0)
    assert (tmp_path / "none.csv").read_text() == COLUMNS + "\n"


def test_an_earlier_as_of_shifts_only_the_last_snapshot(monkeypatch):
    monkeypatch.setattr(exports, "LAST_AS_OF", date(2025, 12, 10))
    book = simulation.simulate(0, sample_snapshot.SAMPLE_LOANS, sample_snapshot.SEED)
    files = exports.exports(book, [0] * simulation.MONTHS)
    overdue = [row for row in files["loan_par_balances.csv"][1] if row[3] and not row[0].startswith("ALF - X")]
    lag = {row[1]: (date.fromisoformat(row[1]) - date.fromisoformat(row[3])).days - row[2] for row in overdue}
    assert {day: days for day, days in lag.items() if days} == {"2025-12-31": 21}
    assert max(row[2] for row in files["transactions.csv"][1]) == "2025-12-10"
