"""Files as other lenders write them: each gives the right figures, or is refused in one line that says what to do."""

import datetime as dt

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import DateError, InputError
from tests.support.exports import LOANS, PAR, write
from tests.support.figures import TOP_BORROWER, figures_of

# Ten loans: 10,000.00 outstanding, of them 1,500.50 at 35 days late and 499.50 at 120.
BALANCES = ("1500.50", "499.50", "2000.00", "1250.25", "749.75", "1000.00", "1000.00", "1000.00", "500.00", "500.00")
DAYS = (35, 120, 0, 0, 10, 0, 0, 0, 0, 0)
RIGHT = {"Outstanding": 10000.0, "PAR30": 20.0, "PAR90": 4.995, "ActiveLoans": 10.0, "APR": 24.0}
# Twenty loans of 100.00, four of them late: 45, 45, 45 and 120 days.
PAR_RIGHT = {"Outstanding": 2000.0, "PAR30": 20.0, "PAR90": 5.0, "ActiveLoans": 20.0}


def loans(**columns):
    """Return the ten loans as rows of cells, some columns in another form."""
    count = len(BALANCES)
    base = {
        "loan_id": [f"L{i:03}" for i in range(1, count + 1)], "customer_id": [f"C{i:03}" for i in range(1, count + 1)],
        "disburse_date": ["2025-02-15"] * count, "interest_rate": ["0.24"] * count,
        "disburse_principal": ["3000.00"] * count, "outstanding_balance": list(BALANCES), "dpd": list(map(str, DAYS)),
    }  # fmt: skip
    for name, form in columns.items():
        base[name] = [form(cell) for cell in base[name]] if callable(form) else list(form)
    return [list(base), *map(list, zip(*base.values(), strict=True))]


def par(**columns):
    """Return the twenty loans as PAR balances, some columns in another form."""
    late = [(100, 100, 0, 0)] * 3 + [(100, 100, 100, 100)] + [(0, 0, 0, 0)] * 16
    base = {
        "loan_id_raw": [f"A-{i}" for i in range(20)], "reporting_date": ["2025-12-31"] * 20,
        "outstanding_balance_usd": ["100.00"] * 20,
        **{f"par_{days}_balance_usd": [f"{row[i]}.00" for row in late] for i, days in enumerate((7, 30, 60, 90))},
    }  # fmt: skip
    for name, form in columns.items():
        base[name] = [form(cell) for cell in base[name]] if callable(form) else list(form)
    return [list(base), *map(list, zip(*base.values(), strict=True))]


def csv(path, rows, delimiter=","):
    """Write rows as CSV; cells with the delimiter in quotes."""
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    return write(path, *(delimiter.join(row) for row in quoted))


def grouped(mark, decimals=True):
    """Return a form of amounts that groups thousands by the other mark."""
    swap = str.maketrans(",.", ".,") if mark == "," else {}
    return lambda cell: f"{float(cell):,.{2 if decimals else 0}f}".translate(swap)


def refused(path, **more):
    with pytest.raises(InputError) as error:
        figures_of(path, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


def only(values, names):
    return {name: values[name] for name in names if name in values}


# Right as it stands


@pytest.mark.parametrize(
    ("columns", "delimiter"),
    [
        ({}, ","),
        ({"interest_rate": lambda _: "24.00%"}, ","),
        ({"interest_rate": lambda _: "24 %"}, ";"),
        ({"dpd": lambda cell: f"{cell}.0"}, ","),
        ({"dpd": lambda cell: f"{cell} days"}, ","),
        ({"dpd": lambda cell: "1 día" if cell == "1" else f"{cell} días"}, ","),
        ({"outstanding_balance": grouped("."), "disburse_principal": grouped(".")}, ","),
        ({"outstanding_balance": grouped(","), "disburse_principal": ["3.000"] * 10,
          "interest_rate": ["0,24"] * 10}, ";"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_one_way_is_right(tmp_path, columns, delimiter):
    found = figures_of(csv(tmp_path / "loans.csv", loans(**columns), delimiter))
    assert only(found.values, RIGHT) == RIGHT
    assert found.currency == "USD"


def test_largest_borrower_is_found(tmp_path):
    found = figures_of(csv(tmp_path / "loans.csv", loans()), more_kpis=(TOP_BORROWER,))
    assert found.values == {**RIGHT, TOP_BORROWER: 20.0}


@pytest.mark.parametrize("rows", [loans, par])
def test_numbers_of_a_parquet_file_need_no_proof(tmp_path, rows):
    head, *cells = rows()
    columns = dict(zip(head, ([*map(_number, column)] for column in zip(*cells, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "book.parquet")
    right = RIGHT if rows is loans else PAR_RIGHT
    assert only(figures_of(tmp_path / "book.parquet").values, right) == right
    if rows is loans:
        pq.write_table(pa.table({**columns, "unit": ["EUR"] * len(cells)}), tmp_path / "book.parquet")
        assert figures_of(tmp_path / "book.parquet").currency == "EUR"


def _number(cell):
    return float(cell) if cell.replace(".", "").isdigit() else cell


@pytest.mark.parametrize("cell", ["N/A", "nan", "-"])
def test_value_that_no_loan_needs_does_not_cost_the_loan(tmp_path, cell):
    found = figures_of(csv(tmp_path / "loans.csv", loans(interest_rate=[cell] + ["0.24"] * 9)))
    assert only(found.values, RIGHT) == RIGHT
    assert "Values of interest_rate in the loans that could not be read, and count as unknown: 1." in found.notes


def test_other_unusable_values_are_unknown_and_counted(tmp_path):
    more = {"maturity_date": ["31/31/2026"] * 2 + [""] * 8, "term": ["-5"] + ["30"] * 9, "birth_date": ["unknown"] * 10}
    found = figures_of(csv(tmp_path / "loans.csv", loans(**more)))
    assert only(found.values, RIGHT) == RIGHT
    told = [note for note in found.notes if note.startswith("Values of ")]
    assert [(note.split()[2], note.split()[-1]) for note in told] == [("maturity_date", "2."), ("term", "1.")]


def test_dash_is_no_amount_and_an_amount_that_is_not_needed_may_be_unknown(tmp_path):
    dashes = csv(tmp_path / "par.csv", par(**{f"par_{d}_balance_usd": _dashed for d in (7, 30, 60, 90)}))
    assert only(figures_of(dashes).values, PAR_RIGHT) == PAR_RIGHT
    found = figures_of(csv(tmp_path / "loans.csv", loans(disburse_principal=["N/A"] + ["3000.00"] * 9)))
    assert only(found.values, RIGHT) == RIGHT
    assert [note for note in found.notes if note.startswith("Values of disburse_principal in the loans ")]


def _dashed(cell):
    return "-" if cell == "0.00" else cell


def test_word_in_a_column_of_ids_is_no_borrower(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(customer_id=["N/A"] * 3 + [f"C{i}" for i in range(7)]))
    found = figures_of(path, more_kpis=(TOP_BORROWER,))
    assert TOP_BORROWER not in found.values
    assert found.values["Outstanding"] == 10000.0


@pytest.mark.parametrize("is_workbook", [False, True])
def test_error_of_a_spreadsheet_is_no_borrower_product_or_loan(tmp_path, is_workbook):
    def saved(**columns):
        rows = loans(**columns)
        if is_workbook:
            return sheets(tmp_path / "loans.xlsx", ("Loans", "visible", rows))
        return csv(tmp_path / "loans.csv", rows)

    borrowers = ["#REF!", "#REF!", "#¡VALOR!", *(f"C{i}" for i in range(7))]
    path = saved(customer_id=borrowers, product_type=["#NAME?", *"abababaab"])
    found = figures_of(path, more_kpis=(TOP_BORROWER,))
    assert TOP_BORROWER not in found.values and found.values["Outstanding"] == 10000.0
    assert "Values of product in the loans that could not be read, and count as unknown: 1." in found.notes
    with pytest.raises(InputError, match="loan_id: missing"):
        figures_of(saved(loan_id=["#REF!", *(f"L{i}" for i in range(9))]))


def test_missing_customer_costs_concentration_alone(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(customer_id=[""] + [f"C{i}" for i in range(9)]))
    found = figures_of(path, more_kpis=(TOP_BORROWER,))
    assert only(found.values, {**RIGHT, TOP_BORROWER: 0}) == RIGHT
    assert found.rows["quarantined"] == 0
    assert "the borrower is not known of 1,500.50 USD of the outstanding balance" in found.reasons[TOP_BORROWER]


def test_loans_without_a_column_of_customers_are_a_tape(tmp_path):
    rows = [row[:1] + row[2:] for row in loans()]
    assert figures_of(csv(tmp_path / "loans.csv", rows)).values["PAR30"] == 20.0


# Points as thousands

WHOLE = ["1.500", "500", "2.000", "1.250", "750", "1.000", "1.000", "1.000", "500", "500"]


@pytest.mark.parametrize(
    ("columns", "delimiter"),
    [
        ({"outstanding_balance": WHOLE}, ";"),
        ({"outstanding_balance": [cell.replace(".", ",") for cell in WHOLE], "disburse_principal": ["3000"] * 10,
          "interest_rate": ["0"] * 10}, ";"),
        ({"outstanding_balance": grouped(","), "disburse_principal": ["3.000"] * 10}, ";"),
        ({"outstanding_balance": ["1.500", "499.50", "2000,25"] + ["1.250"] * 7}, ";"),
        ({"disburse_principal": lambda _: "3.000"}, ","),
    ],
)  # fmt: skip
def test_three_digits_behind_every_mark_are_refused_with_both_readings(tmp_path, columns, delimiter):
    message = refused(csv(tmp_path / "loans.csv", loans(**columns), delimiter))
    assert message.startswith('loans.csv: numbers such as "1')
    assert "are 1500 or 1.5" in message
    assert "set ingestion.decimal_mark to" in message


def test_decimal_mark_can_be_declared(tmp_path):
    grouped_alike = {"outstanding_balance": WHOLE, "disburse_principal": ["3.000"] * 10}
    path = csv(tmp_path / "loans.csv", loans(interest_rate=["0,24"] * 10, **grouped_alike), ";")
    bare = csv(tmp_path / "bare.csv", loans(interest_rate=["0"] * 10, **grouped_alike), ";")
    assert figures_of(path).values["Outstanding"] == 10000.0
    assert figures_of(bare, decimal_mark="comma").values["Outstanding"] == 10000.0
    assert figures_of(bare, decimal_mark="point").values["Outstanding"] == 2257.75
    with pytest.raises(InputError, match=r"^ingestion.decimal_mark is ',': write auto, point or comma$"):
        figures_of(path, decimal_mark=",")


@pytest.mark.parametrize("count", [10, 6000])
def test_thousands_among_decimals_of_one_column_are_refused_with_both_readings(tmp_path, count):
    lines = [f"L{i},C,2025-01-01,0.24,3000.00,100.50,0" for i in range(count)]
    path = write(tmp_path / "loans.csv", LOANS, *lines, "x,C,2025-01-01,0.24,3000.00,1.790,0")
    assert refused(path) == (
        'loans.csv: numbers such as "1.500" under outstanding_balance stand among others such as "1.50", and are 1.5, '
        "or 1500 written in another way: correct the export, or set ingestion.decimal_mark to point for 1.5"
    )
    assert figures_of(path, decimal_mark="point").values["Outstanding"] == 100.5 * count + 1.79


def test_column_is_proven_by_all_its_values(tmp_path):
    count = 6000  # beyond what is read at first
    base = "L{},C,2025-01-01,0.24,3000,{},0"
    lines = [base.format(i, "500") for i in range(count)]
    grouped_late = write(tmp_path / "late.csv", LOANS, *lines, base.format("x1", "1.500"))
    assert "under outstanding_balance" in refused(grouped_late)
    proven = write(tmp_path / "proven.csv", LOANS, *lines, base.format("x1", "1.500"), base.format("x2", "0.125"))
    assert figures_of(proven).values["Outstanding"] == 500.0 * count + 1.63
    quoted = '"{}"'.format
    comma = write(
        tmp_path / "comma.csv", LOANS, *lines, base.format("x1", quoted("1.500")), base.format("x2", quoted("1,5"))
    )
    assert figures_of(comma).values["Outstanding"] == 500.0 * count + 1501.5


def test_cell_of_a_workbook_is_a_number_and_never_a_thousand(tmp_path):
    book = openpyxl.Workbook()
    for row in loans(outstanding_balance=["1.125"] + ["2"] * 9):
        book.active.append([float(cell) if cell.replace(".", "").isdigit() else cell for cell in row])
    book.save(tmp_path / "loans.xlsx")
    assert figures_of(tmp_path / "loans.xlsx").values["Outstanding"] == 19.13


# Rates


@pytest.mark.parametrize("rate", ["24.00", "1", "1.00"])
def test_rates_that_look_like_per_cent_are_refused_or_read_as_declared(tmp_path, rate):
    path = csv(tmp_path / "loans.csv", loans(interest_rate=lambda _: rate))
    message = refused(path)
    assert message.startswith(
        f"The interest rates of the loans are per cent or fractions: their median {float(rate):g} is"
    )
    assert message.endswith("PARAMS=ingestion.interest_rate=percent or PARAMS=ingestion.interest_rate=fraction")
    assert figures_of(path, interest_rate="percent").values["APR"] == float(rate)
    assert figures_of(path, interest_rate="fraction").values["APR"] == 100 * float(rate)


@pytest.mark.parametrize("rates", [["24.00"] * 4 + ["2.4"] * 6, ["24%"] * 6 + ["3"] * 4, ["-24"] * 10])
def test_rates_that_are_partly_or_negatively_per_cent_are_refused(tmp_path, rates):
    message = refused(csv(tmp_path / "loans.csv", loans(interest_rate=rates)))
    assert message.startswith("The interest rates of the loans are per cent or fractions: ")


@pytest.mark.parametrize("said", ["auto", "percent", "fraction"])
def test_rates_that_are_per_cent_in_some_rows_and_fractions_in_others_are_refused(tmp_path, said):
    rates = ["0.125", "21", "0", "0.14", *["18.25", "0.1825"] * 3]
    assert refused(csv(tmp_path / "loans.csv", loans(interest_rate=rates)), interest_rate=said) == (
        "The interest rates of loans.csv are per cent in some rows and fractions in others: interest_rate is 18.25 in "
        "line 6 and 0.1825 in line 7, which is less than 1 %, or a fraction; write all of them with %, or all as "
        "fractions"
    )


@pytest.mark.parametrize(
    ("rates", "said", "apr"),
    [(["24"] * 6 + ["1.2"] * 3 + ["0.9"], "percent", 17.15), (["24%"] * 6 + ["0.24"] * 4, "auto", 24.0)],
)
def test_rates_below_one_per_cent_and_those_with_a_sign_beside_fractions_are_read(tmp_path, rates, said, apr):
    path = csv(tmp_path / "loans.csv", loans(interest_rate=rates))
    assert figures_of(path, interest_rate=said).values["APR"] == apr


@pytest.mark.parametrize(
    ("heading", "word", "times"),
    [("periodo_tasa", "Mensual", 12), ("Rate frequency", "per month", 12), ("interest_period", "daily", 365)],
)
def test_rates_of_another_period_are_refused(tmp_path, heading, word, times):
    message = refused(csv(tmp_path / "loans.csv", loans(**{heading: [word] * 10})))
    assert message == (
        f"loans.csv: {heading} says {word}, and rates are read as those of a year: write interest_rate a year, or have "
        f'a mapping multiply it: compute: "[interest_rate] * {times}" (make map INPUT=…)'
    )


@pytest.mark.parametrize(("heading", "word"), [("periodo_tasa", "anual"), ("interest_payment", "monthly"),
                                               ("frequency", "monthly")])  # fmt: skip
def test_rates_of_a_year_are_read(tmp_path, heading, word):
    assert figures_of(csv(tmp_path / "loans.csv", loans(**{heading: [word] * 10}))).values["APR"] == 24.0


def test_rates_that_may_be_basis_points_are_refused_with_both_readings(tmp_path):
    message = refused(csv(tmp_path / "loans.csv", loans(interest_rate=lambda _: "2400")))
    assert message == (
        "The interest rates of the loans are per cent or basis points: their median 2400 is 2400 % a year, or 24 %; "
        "say the first by PARAMS=ingestion.interest_rate=percent, or have a mapping make fractions of the second: "
        'compute: "[heading] * 0.0001" (make map INPUT=…)'
    )


def test_high_rates_of_some_loans_are_believed(tmp_path):
    found = figures_of(csv(tmp_path / "loans.csv", loans(interest_rate=["2.40"] * 4 + ["0.24"] * 6)))
    assert found.values["APR"] == 137.41  # (2.40 * 5250.25 + 0.24 * 4749.75) / 10000


# Totals


TOTALS = [
    ["TOTAL", "", "", "", "30000.00", "10000.00", ""],
    ["Total", "10", "2025-01-15", "0.24", "30000.00", "10000.00", "45"],
    ["Suma:", "", "", "", "30000.00", "10000.00", ""],
    ["Вкупно", "C", "2025-01-15", "0.24", "30000.00", "10000.00", "0"],
    ["", "", "", "", "30000.00", "10000.00", ""],
    ["", "C", "2025-01-15", "0.24", "30000.00", "10000.00", "0"],
    ["10", "10", "2025-01-15", "0.24", "30000.00", "10000.00", "0"],
    ["TOTAL", "", "", "", "", "", ""],
]


@pytest.mark.parametrize(("total", "place"), list(zip(TOTALS, (1, 5, 5, 5, 11, 5, 5, 5), strict=True)))
def test_totals_row_is_no_loan_wherever_it_stands_and_whatever_it_says(tmp_path, total, place):
    rows = loans()
    rows.insert(place, total)
    found = figures_of(csv(tmp_path / "loans.csv", rows))
    assert only(found.values, RIGHT) == RIGHT
    assert (found.rows["totals"], found.rows["accepted"], found.rows["quarantined"]) == (1, 10, 0)
    assert [note for note in found.notes if note.startswith("Totals in ")]


@pytest.mark.parametrize("name", ["TOTAL", ""])
def test_totals_of_each_date_are_left_out(tmp_path, name):
    rows = par()
    november = [[cell.replace("12-31", "11-30") for cell in row] for row in rows[1:]]
    total = [[name, day, "2000.00", "400.00", "400.00", "100.00", "100.00"] for day in ("2025-11-30", "2025-12-31")]
    found = figures_of(csv(tmp_path / "par.csv", [*rows, total[1], *november, total[0]]))
    assert only(found.values, PAR_RIGHT) == PAR_RIGHT
    assert found.rows["totals"] == 2


def test_subtotals_and_the_total_of_a_file_are_left_out(tmp_path):
    rows = loans()
    rows.insert(6, ["Subtotal Norte", "", "", "", "15000.00", "6000.00", ""])
    rows += [["Subtotal Sur", "", "", "", "15000.00", "4000.00", ""], ["", "", "", "", "30000.00", "10000.00", ""]]
    found = figures_of(csv(tmp_path / "loans.csv", rows))
    assert only(found.values, RIGHT) == RIGHT
    assert found.rows["totals"] == 3


def test_total_that_is_not_the_sum_of_its_rows_is_told(tmp_path):
    rows = [*loans()[:-1], ["TOTAL", "", "", "", "30000.00", "10000.00", ""]]
    found = figures_of(csv(tmp_path / "loans.csv", rows))
    assert (
        "The totals row of loans.csv says 10,000.00 USD, but its rows come to 9,500.00 USD: rows may be missing."
        in (found.notes)
    )


@pytest.mark.parametrize("label", ["Promedio", "Average", "Moyenne:", "Promedio general", "Max", "Mínimo", "Count"])
def test_averages_and_extremes_are_no_loans_whatever_they_come_to(tmp_path, label):
    rows = ["2025-12-31,1,1000,0", "2025-12-31,2,3000,45", "2025-12-31,MAX-3,500,100"]
    found = figures_of(write(tmp_path / "book.csv", DATED, *rows, f"2025-12-31,{label},1500,48"))
    assert (found.values["Outstanding"], found.rows["totals"]) == (4500.0, 1)
    assert not [note for note in found.notes if "rows may be missing" in note]


NAMED = "loan_id,reporting_date,{},outstanding_balance,dpd"
NAMES = ("Total Energies", "N2", "N3", "N4", "N5", "N6")


def named(path, heading, *more):
    """Write six loans of 1,007 to 1,042, and 6,147 in all, and rows of which each says where it stands."""
    rows = [f"{101 + i},2025-12-31,{name},{1007 + 7 * i},{50 * (i % 2)}" for i, name in enumerate(NAMES)]
    for place, row in more:
        rows.insert(place, row)
    return write(path, NAMED.format(heading), *rows)


@pytest.mark.parametrize("heading", ["customer_name", "region", "loan_status", "facility"])
def test_total_by_a_name_is_no_loan_whatever_its_number(tmp_path, heading):
    more = (2, "998,2025-12-31,SUBTOTAL NORTE,2021,50"), (7, "999,2025-12-31,TOTAL CARTERA,6147,50")
    found = figures_of(named(tmp_path / "book.csv", heading, *more))
    assert (found.values["Outstanding"], found.rows["totals"]) == (6147.0, 2)


def test_total_by_a_name_of_more_loans_than_the_file_has_is_refused(tmp_path):
    for label in ("TOTAL CARTERA", "Grand Total", "SUBTOTAL NORTE", "Total:", "Total de la cartera"):
        assert "line 8 is a loan, or a total, average or carried balance (a text in it reads like one;" in refused(
            named(tmp_path / "book.csv", "customer_name", (6, f"999,2025-12-31,{label},9999,50"))
        )
    found = figures_of(named(tmp_path / "book.csv", "customer_name", (6, "999,2025-12-31,Total Energies,9999,50")))
    assert (found.values["Outstanding"], found.rows["totals"]) == (16146.0, 0)


@pytest.mark.parametrize("heading", ["customer_name", "region", "product", "Sucursal"])
@pytest.mark.parametrize("text", ["Total", "Grand Total Supermarket", "Total Energies", "Total (Lima)"])
def test_loan_whose_name_or_branch_reads_like_a_total_is_one(tmp_path, heading, text):
    rows = [[*row, heading if i == 0 else f"N{i}"] for i, row in enumerate(loans())]
    rows[3][-1] = text
    found = figures_of(csv(tmp_path / "loans.csv", [*rows, ["TOTAL", "", "", "", "30000.00", "10000.00", "", ""]]))
    assert only(found.values, RIGHT) == RIGHT
    assert (found.rows["totals"], [note for note in found.notes if "rows may be missing" in note]) == (1, [])
    rows[3] = [*rows[3][:5], "9999.00", *rows[3][6:]]  # more than half of the book
    if text in ("Total", "Total (Lima)"):
        assert "line 4 is a loan, or a total" in refused(csv(tmp_path / "large.csv", rows))


@pytest.mark.parametrize("total", [TOTALS[4], TOTALS[6], ["Todo", *TOTALS[4][1:]]])
def test_total_may_be_rounded_and_may_be_that_of_several_files(tmp_path, total):
    rounded = [*total[:5], "10000.02", total[6]]
    found = figures_of(csv(tmp_path / "loans.csv", [*loans(), rounded]))
    assert (found.values["Outstanding"], found.rows["totals"]) == (10000.0, 1)
    rows = loans()
    csv(tmp_path / "in" / "a.csv", rows[:6])
    csv(tmp_path / "in" / "b.csv", [rows[0], *rows[6:], total])
    found = figures_of(tmp_path / "in")
    assert (found.values["Outstanding"], found.values["PAR30"], found.rows["totals"]) == (10000.0, 20.0, 1)


def test_loan_as_large_as_all_others_is_a_loan(tmp_path):
    lines = [
        "A-1,C-1,2025-01-01,0.24,500,300,0",
        "A-2,C-2,2025-01-01,0.24,100,100,0",
        "A-3,C-3,2025-01-01,0.24,100,200,0",
    ]
    found = figures_of(write(tmp_path / "loans.csv", LOANS, *lines))
    assert (found.values["Outstanding"], found.rows["totals"]) == (600.0, 0)
    equal = write(tmp_path / "two.csv", LOANS, lines[1], lines[1].replace("A-2,C-2", "A-9,C-9"))
    assert figures_of(equal).values["Outstanding"] == 200.0


DATED = "reporting_date,loan_id,outstanding_balance,dpd"


@pytest.mark.parametrize(("total", "is_last"), [("A20,600.00,0", True), ("A20,600.00,", True), ("A20,600.00,145", True),
                                                ("99,600.00,0", False)])  # fmt: skip
def test_row_at_an_end_that_adds_up_all_others_may_be_a_total(tmp_path, total, is_last):
    loans = [f"2025-12-31,{loan}" for loan in ("A1,300.00,0", "A2,200.00,45", "A3,100.00,100")]
    row = f"2025-12-31,{total}"
    lines = [*loans, row] if is_last else [row, *loans]
    assert refused(write(tmp_path / "book.csv", DATED, *lines), not_late="blank") == (
        f"book.csv line {5 if is_last else 2} is a loan, or a total, average or carried balance (its balance is the "
        "sum of all other rows): remove the line if it is not a loan; if it is one, move it between the others"
    )


@pytest.mark.parametrize(
    ("column", "text", "usd"), [
        ("payer_name", "Total", "599.50"), ("customer_name", "Portfolio", "599.50"), ("payer_name", "All", "600.00"),
        ("product_type", "Sum of portfolio", "599.50"),
    ],
)  # fmt: skip
def test_total_with_a_number_and_a_text_of_its_own_is_no_loan(tmp_path, column, text, usd):
    balances = ["300.00", "200.00", *["0.99"] * 98, "2.48"]
    loans = [f"2025-12-31,{1000 + i},N{i % 40},{owed},{45 * (i == 1)}" for i, owed in enumerate(balances)]
    header = f"reporting_date,loan_id,{column},outstanding_balance,dpd"
    path = write(tmp_path / "book.csv", header, *loans, f"2025-12-31,9999,{text},{usd},0")
    if text in ("Total", "Sum of portfolio"):
        found = figures_of(path)
        assert (found.rows["totals"], found.rows["accepted"]) == (1, len(loans))
    else:
        assert "is a loan, or a total, average or carried balance (its balance is the sum" in refused(path)


@pytest.mark.parametrize(
    ("header", "loan"), [(DATED, "A4,600.00,31"), (DATED, "A4,600.01,0"), (f"{DATED},customer_id", "A4,600.00,0,C4")]
)
def test_row_that_something_tells_from_a_total_is_a_loan(tmp_path, header, loan):
    named = [f",C{i}" if header != DATED else "" for i in range(3)]
    loans = [f"{one}{name}" for one, name in zip(("A1,300.00,0", "A2,200.00,45", "A3,100.00,100"), named, strict=True)]
    found = figures_of(write(tmp_path / "book.csv", header, *(f"2025-12-31,{one}" for one in (*loans, loan))))
    assert (found.rows["totals"], found.rows["accepted"]) == (0, 4)


def test_row_between_others_that_adds_them_up_is_a_loan(tmp_path):
    loans = ("A1,300.00,0", "A4,600.00,0", "A2,200.00,45", "A3,100.00,100")
    path = write(tmp_path / "book.csv", DATED, *(f"2025-12-31,{loan}" for loan in loans))
    assert figures_of(path).values["Outstanding"] == 1200.0


BRANCHES = par(customer_id=[f"C{i}" for i in range(20)], dpd=["45"] * 3 + ["120"] + ["0"] * 16)


def added(label, rows, **cells):
    """Return a row that adds up others, without customer and days past due."""
    sums = [f"{sum(float(row[i]) for row in rows):.2f}" for i in range(2, 7)]
    row = dict(zip(BRANCHES[0], [label, "2025-12-31", *sums, "", ""], strict=True)) | cells
    return list(row.values())


HEAD, *TWENTY = BRANCHES
NORTH, SOUTH = TWENTY[:8], TWENTY[8:]


@pytest.mark.parametrize(
    "rows",
    [
        [*NORTH, added("Branch North", NORTH), *SOUTH, added("Branch South", SOUTH)],
        [added("Branch North", NORTH), *NORTH, added("Branch South", SOUTH), *SOUTH],
        [*NORTH, added("North", NORTH), *SOUTH, added("South", SOUTH), added("Grand total", TWENTY)],
        [*NORTH, added("", NORTH), *SOUTH, added("", SOUTH), added("", TWENTY)],
        [*NORTH, added("", NORTH), *SOUTH, added("", SOUTH)],
        [*NORTH, added("Subtotal agencia 1", NORTH), *SOUTH, added("Subtotal agencia 2", SOUTH)],
        [*TWENTY, added("Branch North", TWENTY, customer_id="C99", dpd="0")],
        # a real loan without its customer is part of the total
        [*TWENTY[:-1], [*TWENTY[-1][:7], "", "0"], added("Insgesamt", TWENTY)],
    ],
)
def test_subtotals_are_no_loans_and_no_rows_are_missing(tmp_path, rows):
    found = figures_of(csv(tmp_path / "par.csv", [HEAD, *rows]))
    assert only(found.values, PAR_RIGHT) == PAR_RIGHT
    assert found.rows["totals"] == len(rows) - 20
    assert not any("missing" in note for note in found.notes)


def test_totals_of_two_dates_and_of_both_without_an_id_are_left_out(tmp_path):
    november = [[row[0], "2025-11-30", *row[2:]] for row in TWENTY]
    of_november = added("", TWENTY, reporting_date="2025-11-30")
    both = added("", [*TWENTY, *TWENTY], reporting_date="")
    rows = [HEAD, *november, of_november, *TWENTY, added("", TWENTY), both]
    found = figures_of(csv(tmp_path / "par.csv", rows))
    assert (only(found.values, PAR_RIGHT), found.rows["totals"]) == (PAR_RIGHT, 3)


@pytest.mark.parametrize(
    "row",
    [
        ["Saldo anterior", "2025-12-31", "1500.00", "0", "0", "0", "0", "", "0"],
        added("Insgesamt", TWENTY, outstanding_balance_usd="2000.75"),
    ],
)
def test_row_that_may_be_a_loan_or_an_average_or_a_balance_carried_is_refused(tmp_path, row):
    message = refused(csv(tmp_path / "par.csv", [HEAD, *TWENTY, row]))
    assert message.startswith(
        "par.csv line 22 is a loan, or a total, average or carried balance (loan_id_raw has no digit"
    )
    assert row[0] not in message


@pytest.mark.parametrize("columns", [{}, {"loan_status": ["Current", "Charged Off"] + ["Current"] * 8}])
def test_total_of_a_book_holds_what_is_written_off_or_overpaid(tmp_path, columns):
    rows = loans(**columns)
    if not columns:
        rows[10][5] = "-12.50"
    total = ["Insgesamt", "", "2025-02-15", "0.24", "30000.00", "10000.00" if columns else "9487.50", "0"]
    found = figures_of(csv(tmp_path / "loans.csv", [*rows, total + [""] * len(columns)]))
    assert (found.values["Outstanding"], found.values["PAR30"], found.rows["totals"]) == (
        (9500.5, 15.7939, 1) if columns else (9500.0, 21.0526, 1)
    )


def test_loan_with_a_word_as_its_id_and_the_balance_of_the_others_is_a_loan(tmp_path):
    lines = [
        "L001,2025-12-31,60,0,0,0,0,C1", "L002,2025-12-31,40,40,40,0,0,C2", "SANTANDER,2025-12-31,100,0,0,0,0,C3",
    ]  # fmt: skip
    found = figures_of(write(tmp_path / "par.csv", f"{PAR},customer_id", *lines))
    assert (found.values["Outstanding"], found.values["PAR30"]) == (200.0, 20.0)
    lines[1] = "L002,2025-12-31,40,0,0,0,0,C2"
    message = refused(write(tmp_path / "par.csv", f"{PAR},customer_id", *lines))
    assert message.startswith("par.csv line 4 is a loan, or a total") and "SANTANDER" not in message


def test_column_of_ids_without_one_is_refused(tmp_path):
    line = ",2025-12-31,2000,400,400,100,100"
    assert refused(write(tmp_path / "par.csv", PAR, line, line.replace("12-31", "11-30"))) == (
        "par.csv: loan_id_raw is empty in every row: if each row is the whole book of a date, drop the column; if each "
        "is a loan, fill it"
    )


# The same balances twice


@pytest.mark.parametrize("shorter", [[*range(7), 7], [*range(7), 8], [*range(7)]])
@pytest.mark.parametrize("names", [("a.csv", "book.csv"), ("book.csv", "a.csv")])
def test_file_with_fewer_columns_is_left_out_and_the_other_kept(tmp_path, shorter, names):
    csv(tmp_path / "in" / names[0], BRANCHES)
    csv(tmp_path / "in" / names[1], [[row[i] for i in shorter] for row in BRANCHES])
    found, right = figures_of(tmp_path / "in", more_kpis=(TOP_BORROWER,)), {**PAR_RIGHT, TOP_BORROWER: 5.0}
    assert only(found.values, right) == right
    assert found.rows["duplicates"] == 20
    assert f"{names[1]} is left out: all of its rows are in {names[0]}." in found.notes


def test_two_files_each_with_a_column_that_the_other_lacks_are_refused(tmp_path):
    for name, columns in (("a.csv", [*range(7), 7]), ("b.csv", [*range(7), 8])):
        csv(tmp_path / "in" / name, [[row[i] for i in columns] for row in BRANCHES])
    assert refused(tmp_path / "in") == (
        "Rows of the PAR balances are in two files: loan_id_raw and reporting_date: a.csv and b.csv have the same, "
        "each with columns that the other lacks: keep one of them (40)"
    )


def test_one_restated_loan_is_refused_with_both_files(tmp_path):
    csv(tmp_path / "in" / "a.csv", BRANCHES)
    csv(tmp_path / "in" / "b.csv", [HEAD, *TWENTY[:-1], [*TWENTY[-1][:2], "50.00", *TWENTY[-1][3:]]])
    assert "a.csv and b.csv have the same, with other values: keep what still holds (2" in refused(tmp_path / "in")


# Balances


def test_cent_of_rounding_between_par_columns_is_within_the_tolerance(tmp_path):
    rounded = par(par_7_balance_usd=["99.99"] + ["100.00"] * 3 + ["0.00"] * 16)
    found = figures_of(csv(tmp_path / "par.csv", rounded))
    assert only(found.values, PAR_RIGHT) == PAR_RIGHT
    more = par(outstanding_balance_usd=["99.99"] + ["100.00"] * 19)
    assert figures_of(csv(tmp_path / "par.csv", more)).values["Outstanding"] == 1999.99
    beyond = par(par_7_balance_usd=["99.98"] + ["100.00"] * 3 + ["0.00"] * 16)
    assert figures_of(csv(tmp_path / "par.csv", beyond)).rows["quarantined"] == 1


def test_overpaid_loan_is_counted_apart(tmp_path):
    overpaid = par(outstanding_balance_usd=["100.00"] * 19 + ["-12.50"])
    found = figures_of(csv(tmp_path / "par.csv", overpaid))
    assert (found.values["Outstanding"], found.values["PAR30"]) == (1900.0, 21.0526)
    assert (found.rows["accepted"], found.values["ActiveLoans"]) == (20, 19.0)
    assert "Overpaid loans, whose credit balances are not part of the book: 1 row (12.50 USD)." in found.notes


def test_book_of_negative_balances_is_refused(tmp_path):
    turned = par(**{name: (lambda cell: f"-{cell}") for name in par()[0][2:]})
    assert refused(csv(tmp_path / "par.csv", turned)).startswith("Most balances of the PAR balances are negative")


@pytest.mark.parametrize(
    ("heading", "status", "other"),
    [
        ("loan_status", "Written-Off (full)", "Current"),
        ("status", "Charged off - recovery", "Late (31-120 days)"),
        ("Estado", "CASTIGADO", "Al día"),
        ("is_charged_off", "True", "False"),
    ],
)
def test_loan_that_is_written_off_by_its_status_is_not_outstanding(tmp_path, heading, status, other):
    found = figures_of(csv(tmp_path / "loans.csv", loans(**{heading: [other, status] + [other] * 8})))
    expected = {"Outstanding": 9500.5, "PAR90": 0.0, "WrittenOff": 499.5, "ActiveLoans": 9.0}
    assert only(found.values, expected) == expected
    assert (
        "Loans that are written off by their status, flag or date, and not outstanding: 1 row (499.50 USD)."
        in found.notes
    )


@pytest.mark.parametrize("heading", ["written_off_date", "Charge-off date", "fecha_castigo"])
def test_loan_is_written_off_from_the_day_that_a_column_says(tmp_path, heading):
    days = ["2026-01-01", "2025-12-31", *[""] * 8]
    found = figures_of(csv(tmp_path / "loans.csv", loans(**{heading: days})))
    expected = {"Outstanding": 9500.5, "PAR90": 0.0, "WrittenOff": 499.5, "ActiveLoans": 9.0}
    assert only(found.values, expected) == expected
    before = [
        ["reporting_date", *loans()[0], heading],
        *[["2025-12-31", *r, d] for r, d in zip(loans()[1:], days, strict=True)],
    ]
    assert figures_of(csv(tmp_path / "dated.csv", before)).values["Outstanding"] == 9500.5


def test_loans_that_are_written_off_by_one_column_and_not_by_another_are_told_with_their_amount(tmp_path):
    cells = ["Written Off,N,", "Active,x,", "Default,Y,2025-11-01", "Written Off,,", "Active,N,", "Active,N,2025-12-31"]
    header = f"{DATED},loan_status,is_written_off,written_off_date"
    found = figures_of(write(tmp_path / "book.csv", header, *(
        f"2025-12-31,{i},{1000 * i},{45 * (i == 2)},{cell}" for i, cell in enumerate(cells, 1)
    )))  # fmt: skip
    assert (found.values["WrittenOff"], found.values["Outstanding"]) == (16000.0, 5000.0)
    told = "Written off by their status, flag or date, and outstanding by another of them: 3 rows (9,000.00 USD)."
    assert f"{told} They count as written off." in found.notes


def test_loan_that_another_export_says_is_written_off_is_told(tmp_path):
    csv(tmp_path / "in" / "par.csv", par())
    names = dict(loan_id=lambda cell: f"A-{int(cell[1:])}", status=["Charged off", *["Current"] * 9])
    csv(tmp_path / "in" / "loans.csv", loans(**names))
    found = figures_of(tmp_path / "in")
    assert found.values["Outstanding"] == 2000.0
    told = "Outstanding in the PAR balances, though the loans say that they are written off: 1 row (100.00 USD)."
    assert told in found.notes


def test_balance_that_is_flagged_as_written_off_is_not_outstanding(tmp_path):
    found = figures_of(csv(tmp_path / "par.csv", par(is_writeoff=["true"] + ["false"] * 19)))
    expected = {"Outstanding": 1900.0, "PAR30": 15.7895, "WrittenOff": 100.0, "ActiveLoans": 19.0}
    assert only(found.values, expected) == expected


def test_status_that_nobody_knows_is_told_with_its_amount(tmp_path):
    words = ["Vigente", "Extraviado", "Ana Lima", *["Vigente"] * 7]
    found = figures_of(csv(tmp_path / "loans.csv", loans(situacion=words)))
    assert found.values["Outstanding"] == 10000.0
    assert (
        "Outstanding, though no list of params/loans.yml has their status (…, Extraviado): 2 rows (2,499.50 USD); add "
        "it there." in found.notes
    )


DAY = dt.date(2025, 12, 31)
TWICE = "reporting_date,loan_id,outstanding_balance,dpd,"


@pytest.mark.parametrize(
    ("heading", "cells", "read", "told"),
    [
        ("Saldo", ("1,000.00", "900"), "outstanding_balance", "1 row, such as 2000.00 and 900.00"),
        ("Saldo", ("", "2000.0"), "outstanding_balance", ""),
        ("Saldo", ("n/a", "N2"), "outstanding_balance", "1 row:"),
        ("Dias_Mora", ("-30", "45 days"), "dpd", ""),
        ("Dias_Mora", ("3", "45"), "dpd", "1 row, such as 0 and 3"),
        ("Dias_Mora", ("0", "0"), "dpd", None),
        ("Fecha Corte", ("31/12/2025", "2025-12-31"), "reporting_date", ""),
        ("Fecha Corte", ("2025-11-30", "2025-11-30"), "reporting_date", "2 rows, such as 2025-12-31 and 2025-11-30"),
    ],
)  # fmt: skip
def test_two_columns_for_one_thing_are_equal_or_refused(tmp_path, heading, cells, read, told):
    rows = [f'2025-12-31,{i},{1000 * i},{45 * (i == 2)},"{cell}"' for i, cell in enumerate(cells, 1)]
    path = write(tmp_path / "book.csv", TWICE + heading, *rows)
    if told:
        assert refused(path).startswith(f"book.csv: {read} and {heading} both say the ")
        assert f"and differ in {told}" in refused(path)
    else:
        why = "." if told == "" else f", as {heading} is 0 in every row."
        assert f"book.csv has {read} and {heading} for the same: {read} is read{why}" in figures_of(path).notes


def test_values_without_a_heading_are_told(tmp_path):
    path = write(tmp_path / "book.csv", f"{TWICE},", "2025-12-31,1,1000,0,,", "2025-12-31,2,2000,45,,700")
    assert "Values in column 6 of book.csv, which has no heading and is not read: 1." in figures_of(path).notes
    book = openpyxl.Workbook()
    for row in (("reporting_date", "loan_id", "outstanding_balance", "dpd", None, "note"), (DAY, "1", 1000, 0, 7, "x")):
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    found = figures_of(tmp_path / "book.xlsx")
    assert "Values in column 5 of book.xlsx, which has no heading and is not read: 1." in found.notes


def test_two_columns_that_tell_of_write_offs_in_two_ways_are_refused(tmp_path):
    rows = ["2025-12-31,1,1000,0,Active,Open", "2025-12-31,2,2000,45,Active,Charged Off"]
    path = write(tmp_path / "book.csv", f"{TWICE}status,account_status", *rows)
    assert refused(path).startswith(
        "book.csv: status and account_status both say the status of the loan, and differ in 1"
    )
    path = write(tmp_path / "book.csv", f"{TWICE}status,account_status", rows[0])
    assert figures_of(path).values["Outstanding"] == 1000.0
    path = write(tmp_path / "book.csv", f"{TWICE}writeoff,castigado", "2025-12-31,1,1000,0,N,si")
    assert "writeoff and castigado both say whether the loan is written off, and differ in 1 row:" in refused(path)


def test_balances_in_two_currencies_are_no_two_columns_for_one_thing(tmp_path):
    path = write(tmp_path / "par.csv", f"{PAR},outstanding_balance", "A-1,2025-12-31,10.00,5.00,5.00,0.00,0.00,180.00")
    assert figures_of(path).values["Outstanding"] == 10.0


ENDED = (
    "Outstanding, though their status, or a column that is not read, says that they are written off, paid, closed, "
    "sold or not lent:"
)
NOT_LATE = (
    "Not late, or less, by their days past due or PAR balances, though their status, maturity, first day overdue, next "
    "due date, overdue amount or a column that is not read says that they are:"
)


@pytest.mark.parametrize(
    ("heading", "says", "others"), [("loan_status", ("In Arrears", "Judicial", "Late (31-120 days)"), "Current"),
                                    ("maturity_date", ("2025-06-30", "2024-06-30", "2025-11-30"), "2025-12-15"),
                                    ("overdue_amount", ("0.01", "500.00", "9.00"), "0"),
                                    ("dpd_date", ("2025-06-30", "2024-06-30", "2025-11-30"), "2025-12-30")]
)  # fmt: skip
def test_loans_without_days_that_are_late_by_their_status_or_maturity_are_told(tmp_path, heading, says, others):
    rows = [f"2025-12-31,{i},{500 * i},0,{cell}" for i, cell in enumerate((*says, others), 1)]
    late = [f"2025-12-31,9,700,95,{says[0]}"]
    found = figures_of(write(tmp_path / "book.csv", f"{DATED},{heading}", *rows, *late))
    assert f"{NOT_LATE} 3 rows (3,000.00 USD)." in found.notes
    if heading in ("maturity_date", "dpd_date"):
        found = figures_of(csv(tmp_path / "par.csv", par(**{heading: [says[0]] * 20})))
        assert f"{NOT_LATE} 16 rows (1,600.00 USD)." in found.notes
    if heading == "loan_status":  # buckets of PAR 7 and more do not say what is a few days late
        found = figures_of(csv(tmp_path / "par.csv", par(loan_status=[says[0]] * 20)))
        assert not [note for note in found.notes if note.startswith(NOT_LATE)]


def test_status_of_several_loans_is_shown_as_it_is_and_a_balance_that_is_paid_is_told(tmp_path):
    words = ["Settled", "paid off", "Closed", *["K-9"] * 3, *["Ana Lima"] * 3, "Active"]
    rows = loans(loan_status=words)
    rows[3][5] = "0.00"
    notes = figures_of(csv(tmp_path / "loans.csv", rows)).notes
    told = f"{ENDED} 2 rows (2,000.00 USD)."
    assert told in notes
    assert any("has their status (…, K-9): 6 rows" in note for note in notes)


def test_balances_that_are_written_off_in_other_languages_or_sold(tmp_path):
    lost, ended = ["Quebranto", "Ausgebucht", "Abgeschrieben"], ["Sold", "Securitised", "Securitized", "Vendido"]
    found = figures_of(csv(tmp_path / "loans.csv", loans(loan_status=[*lost, *ended, *["Active"] * 3])))
    sums = [float(row[5]) for row in loans()[1:]]
    assert found.values["Outstanding"] == sum(sums[3:])
    assert [n for n in found.notes if n.startswith(ENDED)] == [f"{ENDED} 4 rows ({sum(sums[3:7]):,.2f} USD)."]
    letters = loans(loan_status=["Demand letter sent"] * 3 + ["Active"] * 7)
    notes = figures_of(csv(tmp_path / "loans.csv", letters)).notes
    assert any("has their status (Demand letter sent): 3 rows" in note for note in notes)


def test_files_of_one_company_each_are_told(tmp_path):
    for companies in (("North", "South"), ("North", "North"), ("North", "")):
        for place, company in enumerate(companies):
            rows = [f"2025-12-31,{place}{i},100,0,{company}" for i in range(3)]
            write(tmp_path / "books" / f"{place}.csv", f"{DATED},company", *rows)
        told = "Each of these files is of another company, and their loans are one book: 0.csv, 1.csv."
        assert (told in figures_of(tmp_path / "books").notes) == (companies == ("North", "South"))


def test_balance_of_an_application_is_told(tmp_path):
    words = ["Approved", "PENDING_APPROVAL", "Submitted", "In review", "Not disbursed", "En evaluación", "Aprobado"]
    notes = figures_of(csv(tmp_path / "loans.csv", loans(loan_status=[*words, *["Active"] * 3]))).notes
    told = f"{ENDED} 7 rows (8,000.00 USD)."
    assert told in notes


def test_estado_is_a_region_or_a_status_and_not_both(tmp_path):
    regions = figures_of(csv(tmp_path / "loans.csv", loans(estado=["Jalisco", "Sonora"] * 5)))
    assert (regions.values["Outstanding"], [n for n in regions.notes if "loans.yml" in n]) == (10000.0, [])
    message = refused(csv(tmp_path / "loans.csv", loans(estado=["Jalisco", "Castigado"] * 5)))
    assert message.startswith("loans.csv: estado holds statuses of loans in 5 rows and other words in 5: regions, or")


def test_status_that_says_nothing_of_write_offs_leaves_them_unknown(tmp_path):
    found = figures_of(csv(tmp_path / "loans.csv", loans(loan_status=["Current"] * 10)))
    assert found.values["Outstanding"] == 10000.0
    assert "WrittenOff" not in found.values


# Borrowers and restated months


def test_second_borrower_of_a_loan_does_not_double_it(tmp_path):
    rows = loans()
    rows.insert(2, ["L001", "C999", *rows[1][2:]])
    found = figures_of(csv(tmp_path / "loans.csv", rows))
    assert only(found.values, RIGHT) == RIGHT
    assert found.rows["duplicates"] == 1
    assert (
        "Rows of loans.csv that repeat a loan for another borrower: 1; each loan counts once, with its first borrower."
        in found.notes
    )


def test_second_borrower_of_another_region_does_not_cost_the_loan(tmp_path):
    rows = loans(region=["SS"] * 10)
    found = figures_of(csv(tmp_path / "loans.csv", [*rows, [*rows[1][:1], "C999", *rows[1][2:-1], "LL"]]))
    assert only(found.values, RIGHT) == RIGHT
    same = [*rows, [*rows[1][:-1], "LL"]]
    assert "loan_id: another row has the same, with other values (2)" in refused(csv(tmp_path / "loans.csv", same))


def test_restated_month_names_both_files(tmp_path):
    csv(tmp_path / "in" / "par_2025-11.csv", par())
    csv(tmp_path / "in" / "par_2025-12.csv", par(outstanding_balance_usd=lambda _: "120.00"))
    message = refused(tmp_path / "in")
    assert "par_2025-11.csv and par_2025-12.csv have the same, with other values: keep what still holds (40)" in message


def test_loans_of_two_months_without_dates_are_refused_with_the_way_to_a_history(tmp_path):
    csv(tmp_path / "in" / "loans_2025-11.csv", loans())
    csv(tmp_path / "in" / "loans_2025-12.csv", loans(outstanding_balance=lambda _: "120.00"))
    message = refused(tmp_path / "in")
    assert "loans_2025-11.csv and loans_2025-12.csv have the same, with other values: keep what still holds" in message
    assert message.endswith('make map INPUT=… ANSWERS="measurement_date=file_name" (or =folder)')


# Rejects in money


def test_one_row_that_is_most_of_the_book_stops_the_report(tmp_path):
    rows = [[f"L{i}", f"C{i}", "2025-01-15", "0.24", "200", "100.00", "0"] for i in range(99)]
    rows = [loans()[0], ["L99", "C99", "2025-02-30", "0.24", "200", "15000.00", "45"], *rows]
    message = refused(csv(tmp_path / "loans.csv", rows))
    assert message.startswith("Rejected rows hold 60.24 % of the balances of 2025-12-31 (15,000.00, more than")
    assert figures_of(tmp_path / "loans.csv", max_reject_amount_pct=70).values["Outstanding"] == 9900.0


def test_rejects_are_weighed_on_the_date_alone(tmp_path):
    past = [[f"A-{i}", f"2025-0{m}-28", "100.00", "0", "0", "0", "0"] for i in range(20) for m in range(1, 8)]
    bad = par(outstanding_balance_usd=["100,000.00x"] + ["100.00"] * 19)
    bad[1][2:4] = ["120.00", "150.00"]  # more late than owed
    message = refused(csv(tmp_path / "par.csv", [*bad, *past]))
    assert message.startswith("Rejected rows hold 5.94 % of the balances of 2025-12-31 (120.00, more than")


@pytest.mark.parametrize(("bad", "is_told"), [(2, True), (1, False)])
def test_earlier_date_that_is_half_rejected_is_named(tmp_path, bad, is_told):
    rows = par(**{"reporting_date": ["2025-12-31"] * 20})
    november = [[row[0], "2025-11-30", *row[2:]] for row in rows[1:]]
    worse = [[*row[:2], row[2], "200.00", *row[4:]] for row in november[:bad]]
    october = [[row[0], "2025-10-31", *row[2:]] for row in rows[1:]]
    found = figures_of(csv(tmp_path / "par.csv", [*rows, *worse, *november[bad:], *october]))
    told = [note for note in found.notes if note.startswith("Earlier dates of which so many rows or balances were")]
    assert told == (
        ["Earlier dates of which so many rows or balances were rejected that what moved since them, and their figures, "
         "are not whole: 2025-11-30 (10.00 %)."] if is_told else []
    )  # fmt: skip


def test_balance_that_cannot_be_read_is_told(tmp_path):
    unread = figures_of(csv(tmp_path / "par.csv", par(outstanding_balance_usd=["1 50 000.00"] + ["100.00"] * 19)))
    broken = figures_of(csv(tmp_path / "broken.csv", [*par(), ["A-99", "2025-12-31", "90000.00"]]))
    told = "Rejected rows with a balance that cannot be read: 1. The book may be larger by any amount until they are"
    assert [any(note.startswith(told) for note in found.notes) for found in (unread, broken)] == [True, True]


@pytest.mark.parametrize("name", ["transactions.csv", "schedules.csv"])
def test_rejected_rows_of_flows_are_limited_in_money_and_told(tmp_path, name):
    csv(tmp_path / "in" / "par.csv", par())
    head = {
        "transactions.csv": "loan_id,date_paid,principal,transaction_type",
        "schedules.csv": "loan_id,date_due,principal,x",
    }
    lines = [head[name], *["A-1,2025-12-15,1.00,PAYMENT"] * 99]
    bad = "A-1,31/31/2025,{},PAYMENT"
    write(tmp_path / "in" / name, *lines, bad.format("900.00"))
    message = refused(tmp_path / "in")
    assert message.startswith(
        "Rejected rows hold 90.09 % of the amounts (900.00, more than max_reject_amount_pct 5.0): "
    )
    write(tmp_path / "in" / name, *lines, bad.format("1.00"))
    assert [note for note in figures_of(tmp_path / "in").notes if "which count nowhere: 1 row (1.00 USD);" in note]


# Dates


@pytest.mark.parametrize(
    ("title", "is_of_it"),
    [("Loan portfolio as at 31-Dec-2025", True), ("Cartera al 28/12/2025", True), ("Made on 2025-03-31", True),
     ("As of,2025-11-30", False), ("Corte: marzo 2025", False)],
)  # fmt: skip
def test_loans_whose_title_says_another_date_are_refused(tmp_path, title, is_of_it):
    path = csv(tmp_path / "loans.csv", [title.split(","), *loans()])
    if is_of_it:
        assert figures_of(path).values["Outstanding"] == 10000.0
    else:
        with pytest.raises(DateError, match=r"loans\.csv says above its table that it is of 2025-(11-30|03-31), not"):
            figures_of(path)


@pytest.mark.parametrize("name", ["loans_2025-11-30.csv", "Cartera noviembre 2025.csv", "2025-11/loans.csv"])
def test_loans_whose_name_says_another_month_are_refused(tmp_path, name):
    csv(tmp_path / "in" / name, loans())
    with pytest.raises(DateError, match=r" says in its name that it is of 2025-11-30, not 2025-12-31: give DATE="):
        figures_of(tmp_path / "in")
    assert figures_of(tmp_path / "in", dt.date(2025, 11, 30)).values["Outstanding"] == 10000.0
    for right in ("loans_2026-01-05.csv", "loans_2024-12_2025-12.csv"):
        assert figures_of(csv(tmp_path / right, loans())).values["Outstanding"] == 10000.0


def test_dates_that_may_be_typing_errors_are_told(tmp_path):
    rows = par(reporting_date=["2025-12-31"] * 18 + ["2026-12-31"] * 2)
    told = figures_of(csv(tmp_path / "par_2025-11.csv", rows)).notes
    assert (
        "Dates after 2025-12-31 with far fewer rows than it, which may be typing errors: 2026-12-31 (2). These rows do "
        "not count." in told
    )
    assert "par_2025-11.csv names 2025-11 in its name, and has balances of 2025-12-31: see which of them holds." in told
    whole = [*rows[:11], *[[row[0], "2026-01-31", *row[2:]] for row in rows[11:]]]
    assert not [n for n in figures_of(csv(tmp_path / "par_2026-01.csv", whole)).notes if "names" in n or "after" in n]


def test_date_before_the_first_loan_is_refused(tmp_path):
    path = csv(tmp_path / "loans.csv", loans())
    message = refused(path, date=dt.date(2020, 1, 31))
    assert message == "No loan was lent by 2020-01-31; the first is of 2025-02-15: give a later DATE"


# Sheets


def sheets(path, *pages):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, state, rows in pages:
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_hidden_sheet_is_not_read(tmp_path):
    old = loans(outstanding_balance=lambda cell: str(2 * float(cell)))
    for state in ("hidden", "veryHidden"):
        path = sheets(tmp_path / "loans.xlsx", ("Ana Pérez", state, old), ("2025", "visible", loans()))
        found = figures_of(path)
        assert found.values["Outstanding"] == 10000.0
        assert "Hidden sheets of loans.xlsx are not read (1 with cells)." in found.notes
    path = sheets(tmp_path / "x.xlsx", ("Ana Pérez", "hidden", loans()), ("empty", "visible", []))
    assert refused(path) == "x.xlsx has cells on hidden sheets only: show the sheet that is meant, and save it again"


def test_other_visible_sheets_are_told(tmp_path):
    path = sheets(tmp_path / "loans.xlsx", ("a", "visible", [["Ana Pérez"]]), ("b", "visible", loans()))
    note = "Of loans.xlsx the sheet whose header is known is read; other sheets with cells: 1."
    assert note in figures_of(path).notes


# Days


def test_day_of_a_time_with_a_zone_is_the_local_one(tmp_path):
    stamps = ["2025-12-31T23:30:00-06:00", "2025-12-31 23:30:00+02:00", "2025-12-31T00:00:00Z", "2025-12-31"] * 5
    found = figures_of(csv(tmp_path / "par.csv", par(reporting_date=stamps)))
    assert only(found.values, PAR_RIGHT) == PAR_RIGHT


def late(day, offset):
    """Return PAR balances of a date, whose late loans miss it by some days."""
    due = [day - dt.timedelta(days + offset) for days in (45, 45, 45, 120)]
    rows = par(
        reporting_date=lambda _: str(day), dpd=[45, 45, 45, 120] + [0] * 16, dpd_date=[*map(str, due)] + [""] * 16
    )
    return [[str(cell) for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("offsets", "as_of"),
    [
        ({"2025-12-31": 1}, "2025-12-31"),
        ({"2025-12-31": 0}, "2025-12-31"),
        ({"2025-12-31": 21}, "2025-12-10"),
        ({"2025-11-30": 0, "2025-12-31": 21}, "2025-12-10"),
        ({"2025-11-30": 5, "2025-12-31": 5}, "2025-12-31"),
        ({"2025-11-30": 1, "2025-12-31": 1}, "2025-12-31"),
    ],
)
def test_days_that_every_late_loan_misses_are_a_convention(tmp_path, offsets, as_of):
    head, *_ = late(dt.date(2025, 12, 31), 0)
    rows = [row for day, offset in offsets.items() for row in late(dt.date.fromisoformat(day), offset)[1:]]
    assert str(figures_of(csv(tmp_path / "par.csv", [head, *rows])).as_of) == as_of


# Currencies


def eur(heading):
    return heading.replace("_usd", "_eur")


@pytest.mark.parametrize(
    ("heading", "cell", "code"),
    [("currency", "INR", "INR"), ("Loan_CCY", " inr ", "INR"), ("Moneda préstamo", "inr", "INR"),
     ("cod moneda", "340", "HNL"), ("Moneda del crédito", "Quetzales", "GTQ"), ("Moeda", "Reais", "BRL"),
     ("Währung", "€", "EUR"), ("currency_of_balance", "EUR", "EUR"), ("unit", "Pesos mexicanos", "MXN"),
     ("unit", "840", "USD"), ("unit", "PEN", "PEN"), ("scope", "ALL", "USD"),
     ("region", "Córdoba", "USD"), ("UF", "RS", "USD")],
)  # fmt: skip
def test_one_currency_is_that_of_the_report(tmp_path, heading, cell, code):
    found = figures_of(csv(tmp_path / "loans.csv", loans(**{heading: [cell] * 9 + [""]})))
    assert (found.currency, found.values["Outstanding"]) == (code, 10000.0)


def test_currency_of_a_title_or_a_name_is_that_of_the_report(tmp_path):
    title = csv(tmp_path / "a/loans.csv", [["All amounts in EUR"], *loans()])
    assert figures_of(title).currency == "EUR"
    assert figures_of(csv(tmp_path / "loans_gtq.csv", loans())).currency == "GTQ"
    book = sheets(tmp_path / "loans.xlsx", ("HNL", "visible", loans()))
    assert figures_of(book).currency == "HNL"
    rates = csv(tmp_path / "rates.csv", [["Amounts in pesos"], *loans()])
    assert refused(rates).startswith("The amounts of rates.csv have the sign or word pesos, which is one of ARS, CLP,")


def test_word_of_several_currencies_is_refused_unless_the_setting_says_which(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(moneda=["Pesos"] * 10))
    assert refused(path) == (
        "The amounts of loans.csv have the sign or word Pesos, which is one of ARS, CLP, COP, CUP, DOP, MXN, PHP, UYU: "
        "name the currency in a column currency, or in run.currency"
    )
    assert figures_of(path, currency="MXN").currency == "MXN"
    assert refused(path, currency="USD").startswith("The amounts of loans.csv have the sign or word Pesos")
    local = csv(tmp_path / "local.csv", loans(tipo_moneda=["Nacional"] * 10))
    assert refused(local).startswith("local.csv: its column of currencies holds more than codes of ISO 4217")
    assert figures_of(local, currency="GTQ").currency == "GTQ"


def test_rows_without_a_currency_are_not_taken_for_those_of_the_few_with_one(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(currency=["EUR"] + [""] * 9))
    assert refused(path) == (
        "loans.csv: 9 rows state no currency, and 1 state EUR: write the currency of each row, or name the one "
        "currency in run.currency"
    )
    assert figures_of(path, currency="EUR").currency == "EUR"
    found = figures_of(csv(tmp_path / "loans.csv", loans(currency=["EUR"] * 6 + [""] * 4)))
    told = (
        "Rows of loans.csv that state no currency, and count as amounts in that of its other rows: 4 rows (€ 3,000.00)."
    )
    assert told in found.notes


def test_summary_below_the_loans_is_refused_with_the_way_out(tmp_path):
    rows = [*loans(), ["Summary by product"], ["product", "loans"], ["Business", "3"], ["School", "2"]]
    told = "line: missing columns (4); take lines that are not loans, such as a summary below them, out of the file"
    assert told in refused(csv(tmp_path / "loans.csv", rows))


def test_numbers_in_short_are_rejected_with_the_way_out(tmp_path):
    rows = loans()
    for row in rows[1:]:
        row[5] = "1.5k"
    told = "outstanding_balance: not a number (10); write numbers in full as 1500.50, not 1.5k or N1,500, or name"
    assert told in refused(csv(tmp_path / "loans.csv", rows))


def test_columns_of_different_currencies_are_refused(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(unit=["EUR"] * 10, x=["USD"] * 10))
    assert refused(path) == "loans.csv has currencies in unit and in x, which differ: keep that of the amounts"


def test_headings_name_a_currency(tmp_path):
    rows = par()
    found = figures_of(csv(tmp_path / "par.csv", [list(map(eur, rows[0])), *rows[1:]]))
    assert found.currency == "EUR"
    assert only(found.values, PAR_RIGHT) == PAR_RIGHT


def test_signs_in_headings_name_a_currency(tmp_path):
    rows = loans()
    rows[0][5] = "outstanding_balance (£)"
    assert figures_of(csv(tmp_path / "loans.csv", rows)).currency == "GBP"
    rows[0][4] = "disburse_principal (€)"
    assert refused(csv(tmp_path / "loans.csv", rows)).startswith(f"{SEVERAL}EUR in loans.csv; GBP in loans.csv)")


def test_amounts_in_thousands_are_refused(tmp_path):
    message = refused(csv(tmp_path / "loans.csv", [["Loan tape, USD in thousands"], *loans()]))
    assert message == (
        "loans.csv: line 1 says that amounts are in thousands: write whole amounts, or draft a mapping that multiplies "
        "them, or takes them as whole, make map INPUT=…"
    )


@pytest.mark.parametrize("unit", ["Thousands", "1,000", "KES '000"])
def test_column_that_says_that_amounts_are_in_thousands_is_refused(tmp_path, unit):
    says = "loans.csv: Unit says in which unit amounts are, and is not read: write whole amounts, or leave"
    assert refused(csv(tmp_path / "loans.csv", loans(Unit=[unit] * 10))).startswith(says)
    assert refused(csv(tmp_path / "title.csv", [["Unit: 1", "000"], *loans()])).startswith(
        "title.csv: line 1 says that amounts are in thousands: "
    )
    assert only(figures_of(csv(tmp_path / "loans.csv", loans(Unit=["USD"] * 10))).values, RIGHT) == RIGHT


@pytest.mark.parametrize(
    "note", [["* Figures in thousands of US dollars"], ["Note: amounts in thousands"], ["in R$ thousands", "as agreed"]]
)
def test_note_below_that_says_thousands_is_refused(tmp_path, note):
    rows = [*loans(), [""], note]
    says = "says that amounts are in thousands: write whole amounts"
    assert refused(csv(tmp_path / "loans.csv", rows)).startswith(f"loans.csv: line 13 {says}")
    path = sheets(tmp_path / "book.xlsx", ("Loans", "visible", rows))
    assert refused(path).startswith(f"book.xlsx: line 13 {says}")


@pytest.mark.parametrize("name", ["loans (in thousands).csv", "cartera_miles.csv"])
def test_name_that_says_thousands_is_refused(tmp_path, name):
    assert refused(csv(tmp_path / name, loans())).startswith(f"{name}: its name says that amounts are in thousands: ")
    for title in ("k USD", "Miles"):
        path = sheets(tmp_path / "book.xlsx", (title, "visible", loans()))
        assert refused(path).startswith("book.xlsx: its name says that amounts are in thousands: write whole amounts")


def test_commas_within_amounts_without_quotes_are_refused(tmp_path):
    rows = ["L1,2025-12-31,1,000,0", "L2,2025-12-31,500,45,", "L3,2025-12-31,3,250,100"]
    text = "\n".join(["loan_id,reporting_date,outstanding_balance,dpd,", *rows, ""])
    path = tmp_path / "tape.csv"
    path.write_text(text, encoding="utf-8")
    assert refused(path) == (
        "tape.csv has commas within amounts of outstanding_balance, which are not in quotes: export it again with "
        "amounts in quotes, or with semicolons"
    )
    path.write_text(text.replace(",000,", ",10,"), encoding="utf-8")  # a column without a heading
    assert figures_of(path).values["Outstanding"] == 504.0


def test_codes_of_a_currency_need_no_heading(tmp_path):
    heads, *rows = loans()
    path = csv(tmp_path / "loans.csv", [[*heads, ""], *([*row, "KES"] for row in rows)])
    assert figures_of(path).currency == "KES"


SEVERAL = "Amounts in several currencies ("


@pytest.mark.parametrize(
    "files",
    [
        {"loans.csv": loans(currency=["usd"] * 9 + ["EUR"])},
        {"par.csv": par(currency=["EUR"] * 20)},
        {"par.csv": [[*map(eur, par()[0][:3]), *par()[0][3:]], *par()[1:]]},
        {"par.csv": par(), "loans.csv": loans(loan_id=[f"A-{i}" for i in range(10)], ccy=["INR"] * 10)},
        {"loans.csv": loans(unit=["USD"] * 5 + ["MXN"] * 5)},
        {"loans.csv": loans(currency_of_balance=["usd"] * 9 + ["quetzales"])},
        {"loans_GTQ.csv": loans()[:6], "loans_USD.csv": [loans()[0], *loans()[6:]]},
        {"GTQ/par.csv": par(currency=["USD"] * 20)},
    ],
)
def test_several_currencies_are_never_added_up(tmp_path, files):
    for name, rows in files.items():
        csv(tmp_path / "in" / name, rows)
    message = refused(tmp_path / "in")
    assert message.startswith(SEVERAL)
    assert message.endswith("give a report the exports of one currency")


def test_column_of_currencies_must_hold_codes(tmp_path):
    message = refused(csv(tmp_path / "loans.csv", loans(currency=["Ana Pérez"] * 10)))
    assert "Ana" not in message
    assert message.startswith("loans.csv: its column of currencies holds more than codes of ISO 4217")
    for cells, setting in ((["USD"] * 9 + ["#REF!"], "USD"), (["USD"] * 9 + ["#N/D"], "auto")):
        failed = refused(csv(tmp_path / "loans.csv", loans(currency=cells)), currency=setting)
        assert failed.startswith("loans.csv: its column of currencies holds more than codes of ISO 4217")


def test_two_columns_of_currencies_are_refused(tmp_path):
    path = csv(tmp_path / "loans.csv", loans(currency=["USD"] * 10, loan_currency=["INR"] * 10))
    assert refused(path) == "loans.csv has the column currency more than once: keep one of them"


def test_amounts_in_two_currencies_side_by_side_are_those_of_the_contract(tmp_path):
    rows = par()
    both = [[*rows[0], *map(eur, rows[0][2:])], *([*row, *("9.00" for _ in row[2:])] for row in rows[1:])]
    found = figures_of(csv(tmp_path / "par.csv", both))
    assert (found.currency, found.values["Outstanding"]) == ("USD", 2000.0)


def test_par_balances_of_one_file_stay_as_they_were(tmp_path):
    assert par()[0] == PAR.lower().split(",")
    assert only(figures_of(csv(tmp_path / "par.csv", par())).values, PAR_RIGHT) == PAR_RIGHT


GROUPED = [("B1", "100.00"), ("B2", "250.50"), ("S1", "350.50"), ("B3", "70.00"), ("B4", "30.25"), ("S2", "100.25")]


@pytest.mark.parametrize(
    ("order", "lines"),
    [
        ([0, 1, 2, 3, 4, 5], "4, 7"),
        ([2, 1, 0, 5, 4, 3], "2, 5"),
        ([0, 1, 2, 3, 4, 5, 6], "4, 7, 8"),
        ([0, 1, 2, 3, 4, 5, 6, 1, 0, 2, 2, 7], "4, 7, 8, 11, 12 and 1 more"),
    ],
)
def test_numbered_subtotals_of_groups_are_refused_with_their_lines(tmp_path, order, lines):
    rows = [*GROUPED, ("S8", "450.75"), ("S9", "801.25")]
    rows = [f"2025-12-31,{1000 + place},{rows[place][1]},0" for place in order]
    assert refused(write(tmp_path / "book.csv", DATED, *rows)) == (
        f"book.csv lines {lines} are subtotals, or loans: each has the balance of all rows between it and the next "
        "one; remove the lines if they are not loans; if they are, move one of them to another place"
    )


@pytest.mark.parametrize("order", [[2, 0, 1, 3, 4, 5], [0, 1, 2, 3, 4], [0, 1, 2], [0, 1, 2, 5, 3, 4, 0]])
def test_loans_of_which_few_are_sums_by_chance_are_loans(tmp_path, order):
    rows = [f"2025-12-31,{1000 + i},{GROUPED[place][1]},{i % 2}" for i, place in enumerate(order)]
    assert figures_of(write(tmp_path / "book.csv", DATED, *rows)).values["ActiveLoans"] == len(order)


def test_subtotals_have_the_sums_of_what_was_lent_too(tmp_path):
    rows = [f"{1000 + i},C{i},2025-02-15,0.24,{lent},{owed},0" for i, ((_, owed), lent) in enumerate(
        zip(GROUPED, (500, 500, 500, 100, 100, 100), strict=True))]  # fmt: skip
    assert figures_of(write(tmp_path / "loans.csv", LOANS, *rows)).values["ActiveLoans"] == 6.0
    sums = [row.replace(",500,350.50", ",1000,350.50").replace(",100,100.25", ",200,100.25") for row in rows]
    assert "loans.csv lines 4, 7 are subtotals" in refused(write(tmp_path / "loans.csv", LOANS, *sums))


def test_blank_rows_are_left_out_and_told(tmp_path):
    rows = ("A1,2025-12-31,1000,0", ",,,", "A2,2025-12-31,3000,45", " , ,,")
    path = write(tmp_path / "tape.csv", "loan_id,reporting_date,outstanding_balance,dpd", *rows)
    found = figures_of(path)
    assert (found.values["Outstanding"], found.values["PAR30"], found.rows["totals"]) == (4000.0, 75.0, 2)
    told = "Left out of tape.csv, as they have no value in the columns that are read: 2 rows (0.00 USD)."
    assert told in found.notes
    with pytest.raises(InputError, match=r"1 of 4 rows .* loan_id: missing \(1\)"):
        figures_of(write(path, "loan_id,reporting_date,outstanding_balance,dpd", *rows[:3], ",,5,"))
