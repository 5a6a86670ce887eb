"""Columns that are not read: rows that they label as totals are left out, and lateness that only they show is told."""

import datetime as dt

import openpyxl
import pytest

from abaco.core.errors import InputError
from abaco.ingest import mappings
from tests.support.exports import write
from tests.support.figures import figures_of

ENDED = "Outstanding, though their status, or a column that is not read, says that they are written off, paid, closed, "
ENDS = (
    "Columns that are not read and say of outstanding loans that they are written off, paid, closed or sold: book.csv: "
)
HEADER = "loan_id,reporting_date,outstanding_balance,dpd,"
LOANS = [f"{101 + i},2025-12-31,{1000 + 7 * i},{(0, 45, 0, 100)[i % 4]}," for i in range(8)]  # 8,196 in all
MAY_BE = "is a loan, or a total, average or carried balance (a text in it reads like one;"
NOT_LATE = "Not late, or less, by their days past due or PAR balances, though"
SAYS = "Columns that are not read and call loans later than their days past due do: book.csv: {}."


def refused(path):
    with pytest.raises(InputError) as error:
        figures_of(path)
    return str(error.value)


def book(path, heading, *totals):
    """Write the loans and rows after them, with a column more."""
    return write(path, HEADER + heading, *LOANS, *totals)


@pytest.mark.parametrize("heading", ["notas", "comments", "Sucursal", "x"])
def test_totals_that_a_column_names_that_is_not_read_are_no_loans(tmp_path, heading):
    subtotal = "990,2025-12-31,4042,145,SUBTOTAL NORTE"
    rows = [*LOANS[:4], subtotal, *LOANS[4:], "999,2025-12-31,8196,290,TOTAL"]
    found = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows))
    assert (found.values["Outstanding"], found.values["PAR30"], found.rows["totals"]) == (8196.0, 50.1708, 2)


def test_total_of_a_workbook_in_a_column_that_is_not_read_is_no_loan(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (HEADER + "notas", *LOANS, "999,2025-12-31,8196,0,Total general 100 %"):
        workbook.active.append([int(cell) if cell.isdigit() else cell or None for cell in row.split(",")])
    workbook.save(tmp_path / "book.xlsx")
    found = figures_of(tmp_path / "book.xlsx")
    assert (found.values["Outstanding"], found.rows["totals"]) == (8196.0, 1)


def test_file_of_a_total_alone_has_no_loan(tmp_path):
    path = write(tmp_path / "book.csv", HEADER, "Total,,5000,,")
    assert figures_of(path).rows["totals"] == 1


@pytest.mark.parametrize(
    "text",
    ["TOTAL CARTERA", "Grand total", "Total général", "Saldo anterior", "Brought forward", "Übertrag", "Total (8)"],
)
def test_balance_that_a_column_calls_a_total_and_no_sum_proves_is_refused(tmp_path, text):
    assert f"line 10 {MAY_BE}" in refused(book(tmp_path / "book.csv", "notas", f"999,2025-12-31,9000,0,{text}"))


@pytest.mark.parametrize(
    "text",
    ["Saldo anterior", "Opening balance", "carried forward", "Balance b/f", "Solde reporté", "Opening balance b/f",
     "Opening balance 01/01/2025", "Opening balance as at 1st January 2025", "Anfangsbestand",
     "Anfangsbestand 1.1.2025", "Bilans otwarcia", "Saldo de arrastre",
     "Saldo inicial al 1 de enero", "Saldo inicial al 1 de enero de 2025",
     "Saldo anterior (31-12-2024)", "Opening balance: January 2025", "Total for branch Lima",
     "Total de la agencia 12"],
)  # fmt: skip
def test_carried_balance_with_the_name_of_a_borrower_is_refused(tmp_path, text):
    path = book(tmp_path / "book.csv", "customer_name", f"999,2025-12-31,9000,0,{text}")
    assert f"line 10 {MAY_BE}" in refused(path)


@pytest.mark.parametrize("text", ["Total general 100%", "TOTAL (8)", "Total 8 créditos", "Total del portafolio: 100 %"])
def test_label_of_a_total_may_have_a_share_and_a_number_of_loans(tmp_path, text):
    found = figures_of(book(tmp_path / "book.csv", "region", f"999,2025-12-31,8196,36,{text}"))
    assert (found.values["Outstanding"], found.rows["totals"]) == (8196.0, 1)


def test_word_that_many_loans_have_in_a_column_that_is_not_read_is_no_label(tmp_path):
    covered = [f"{row}{'Total' if i in (0, 5) else 'Parcial'}" for i, row in enumerate(LOANS)]
    found = figures_of(write(tmp_path / "book.csv", HEADER + "cobertura", *covered))
    assert (found.values["Outstanding"], found.rows["totals"]) == (8196.0, 0)
    for note in (
        "Total repayment agreed in March", "Opening balance agreed with the client", "Opening balance 500 disputed",
        "Total for March is paid", "Saldo anterior al refinanciamiento", "Total Office Supplies",
    ):  # fmt: skip
        noted = [f"{LOANS[0]}{note}", *LOANS[1:]]
        assert figures_of(write(tmp_path / "book.csv", HEADER + "notes", *noted)).rows["totals"] == 0


def test_notes_of_borrowers_get_no_further(tmp_path):
    found = figures_of(book(tmp_path / "book.csv", "notas", "9,2025-12-31,1,0,Ana Lima 555-0100"))
    assert "Ana Lima" not in "".join(found.notes)
    assert found.values["Outstanding"] == 8197.0


@pytest.mark.parametrize(
    ("heading", "late", "others"),
    [
        ("Arrears", ("100.00", "0.01", "1,000.00"), ("0.00", "-5.00", "(3.00)", "-", "", "$0")),
        ("overdue_installments", ("1", "2", "3.5"), ("0", "0.0", "n/a", "00", "", "none")),
        ("months_in_arrears", ("1 month", "0.5", "4+"), ("0", "0 months", "", "null", "0.00", "-1")),
        ("collection_status", ("Legal", "Prejudicial", "Recovery"), ("Current", "none", "Al día", "Preventiva", "")),
        ("is_npl", ("Y", "true", "SI"), ("N", "false", "no", "0", "", "-")),
        ("bucket", ("1-30", "31-60", "> 90 days"), ("Current", "0-30", "<30", "A", "2", "")),
        ("Tramo mora", ("de 31 a 60 días", "91+", "Vencido"), ("0", "hasta 30", "al día", "0 a 30 días", "", "B2")),
        ("cuotas_atrasadas", ("1", "2", "12"), ("0", "", "no", "0", "0", "sin atraso")),
        ("Tage in Verzug", ("1", "31", "400"), ("0", "", "-", "0", "0", "0")),
        ("Default flag", ("yes", "1", "x"), ("no", "0", "", "A", "N", "f")),
        ("NPA Flag", ("Y", "yes", "1"), ("N", "no", "", "0", "-", "f")),
        ("Asset Class", ("Substandard", "Doubtful-1", "Loss asset"), ("Standard", "", "2", "Solar", "B-1", "Lossless")),
        ("Clasificación", ("Dudoso", "2 - Deficiente", "En mora"), ("Normal", "A", "1 - Normal", "", "E", "N/A")),
        ("Classificação", ("Perda", "Duvidoso", "em atraso"), ("Normal", "", "H", "2", "-", "AA")),
        ("statut du prêt", ("Douteux", "CONTENTIEUX", "perte"), ("Sain", "", "0", "à jour", "-", "2")),
        ("Risikoklasse", ("Notleidend", "Ausfall", "zweifelhaft"), ("Normal", "", "3", "A", "-", "gut")),
        ("Kolektibilitas", ("3", "5 - Macet", "Kurang Lancar"), ("1", "2", "Lancar", "", "2 - DPK", "1.0")),
        ("IFRS 9 Stage", ("3", "3.0", "Stage 3"), ("1", "2", "Stage 2", "", "Stage 1 (0-30 days)", "30")),
        ("Stage", ("Stage 3", "Etapa 3 - NPL", "Default"), ("1", "2", "3", "", "Stage 2", "Approved")),
        ("Mahnstufe", ("2", "3", "4"), ("0", "1", "", "-", "1", "0")),
        ("Classification", ("PAR 31-60", "PAR>90", "90+ days"), ("PAR0", "PAR 0-30", "<30 days", "", "PAR", "A-1")),
        ("SMA Status", ("SMA-1", "SMA-2", "NPA"), ("Regular", "", "SMA", "Standard", "-", "x")),
        ("Worst Status", ("Default", "60 DPD", "3 days late"), ("Current", "0 DPD", "", "Paid", "0", "New")),
        ("Legal Status", ("Suit filed", "Litigation", "legal: court"), ("None", "LLC", "", "N/A", "-", "Legal aid")),
        ("Oldest Unpaid Due", ("30/11/2025", "2025-08-01", "1.1.24"), ("2025-12-20", "", "-", "2026-08-01", "", "")),
        ("NPA Date", ("2025-11-20", "2025-08-01 10:00", "20250801"), ("", "1900-01-01", "2026-01-01", "null", "-", "")),
        ("En mora desde", ("20/11/2025", "30/10/2025", "01/08/2025"), ("10/12/2025", "01/12/2025", "", "-", "", "")),
    ],
)  # fmt: skip
def test_lateness_that_only_a_column_says_that_is_not_read_is_told(tmp_path, heading, late, others):
    rows = [f'{i},2025-12-31,{100 * i},0,"{cell}"' for i, cell in enumerate((*late, *others), 1)]
    known = f'99,2025-12-31,1000,45,"{late[0]}"'  # it is late by its days, too
    found = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows, known))
    assert [n.partition(": ")[2] for n in found.notes if n.startswith(NOT_LATE)] == ["3 rows (600.00 USD)."]
    shown = {"collection_status": " (Prejudicial, Legal, Recovery)", "Tramo mora": " (Vencido)"}
    says = [note for note in found.notes if note.startswith(SAYS.format(heading)[:-1])]
    assert len(says) == 1 and shown.get(heading, "") in says[0]


@pytest.mark.parametrize(
    ("heading", "days", "agreeing", "later"),
    [
        ("bucket", (3, 45), ("1-30", "31-60"), ("61-90", "90+")),
        ("tramo", (29, 12), ("30-59", "1 a 30"), ("31 a 60", ">90")),
        ("aging_bucket", (91, 35), ("+90", "1-3 meses"), (">120 dias", "3-6 meses")),
        ("DPD Bucket", (5, 70), ("", "Over 60 days"), ("121-150 days", "> 3 months")),
        ("months_in_arrears", (3, 35), ("1", "2"), ("3", "4 meses")),
        ("weeks_in_arrears", (3, 45), ("1", "7"), ("6", "20 weeks")),
        ("bucket", (10, 45), ("1-2 weeks", "6 semanas"), ("5-6 weeks", ">10 weeks")),
        ("meses_de_mora", (35, 59), ("1", "3"), ("3", "4.0")),
        ("overdue_installments", (3, 45), ("3", "9"), ()),
        ("Arrears", (3, 45), ("500.00", "90"), ()),
        ("Asset Class", (31, 5), ("Doubtful", "Late"), ()),
        ("Asset Class", (29, 5), ("Standard", "PAR 1-30"), ("Doubtful", "PAR>90")),
        ("IFRS Stage", (29, 5), ("2", "Stage 1"), ("3", "Stage 3")),
        ("Mahnstufe", (5, 45), ("2", "3"), ()),
        ("Arrears Since", (80, 45), ("2025-10-05", "2025-11-10"), ("2025-08-01", "01/06/2025")),
        ("Kolektibilitas", (95, 31), ("4", "3"), ()),
    ],
)
def test_column_that_is_not_read_and_says_far_more_days_is_told(tmp_path, heading, days, agreeing, later):
    told = []
    for cells in filter(None, (agreeing, later)):
        rows = [f"{i},2025-12-31,100,{day},{cell}" for i, (day, cell) in enumerate(zip(days, cells, strict=True))]
        found = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows, "9,2025-12-31,1000,0,"))
        told.append([n.partition(": ")[2] for n in found.notes if n.startswith(NOT_LATE)])
        assert any(note.startswith(SAYS.format(heading)[:-1]) for note in found.notes) == (cells is later)
    assert told == [[], ["2 rows (200.00 USD)."]][: len(told)]


@pytest.mark.parametrize(
    ("heading", "cells", "late"),
    [
        ("collection_status", ("Collected",) * 5, 0),
        ("collection_status", ("Contacted", "Promise to pay", "Visited", "1 - Contacted", "C01"), 0),
        ("estado_cobranza", ("Legal",) * 5, 0),
        ("estado_cobranza", ("Legal", "Legal", "Legal", "Legal", ""), 4),
        ("arrears_status", ("1 - Overdue", "Legal - court", "Arrears cleared", "Overdue 30 days", "NPA"), 4),
        ("arrears", ("5.00",) * 5, 5),
        ("is_npl", ("Y",) * 5, 5),
    ],
)
def test_only_known_words_of_lateness_that_tell_loans_apart_say_that_one_is_late(tmp_path, heading, cells, late):
    rows = [f"{i},2025-12-31,100,0,{cell}" for i, cell in enumerate(cells)]
    found = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows))
    told = [n.partition(": ")[2] for n in found.notes if n.startswith(NOT_LATE)]
    assert told == ([f"{late} rows ({late}00.00 USD)."] if late else [])


NOT_OF_LATENESS = {
    "clasificacion": "E", "risk_grade": "C", "amount_buckets": "31-60", "term_buckets": "90+", "late_fee": "5.00",
    "max_days_overdue_ever": "40", "overdue_rate": "0.24", "is_performing": "Y", "last_payment_date": "2024-01-31",
    "collections_total": "500", "delinquencies_last_7_years": "2", "First Due Date": "2024-01-31",
    "Default Branch": "Main", "KYC status": "Default", "kol": "2", "Overdue Limit Date": "2024-01-31",
    "dunning fee": "5.00", "Employment Class": "Doubtful", "IFRS provision": "5.00", "Class": "Default class",
    "Risk Score": "3", "Stage 3 ECL": "5.00",
}  # fmt: skip


@pytest.mark.parametrize("cells", [NOT_OF_LATENESS, {"Class": "30 days"}])
def test_columns_that_do_not_say_that_a_loan_is_late_are_left(tmp_path, cells):
    rows = [f"{i},2025-12-31,100,0,{','.join(cells.values())}" for i in range(5)]
    found = figures_of(write(tmp_path / "book.csv", HEADER + ",".join(cells), *rows))
    assert not [note for note in found.notes if note.startswith(NOT_LATE)]


@pytest.mark.parametrize(
    ("heading", "ended", "others"),
    [
        ("Written Off Amount", ("8000", "0.01", "(5.00)"), ("0", "0.00", "", "-", "n/a")),
        ("Monto castigado", ("8.000,00", "1", "-5"), ("0,00", "", "0", "", "")),
        ("Principal Written Off", ("80", "80", "80"), ("", "", "", "", "")),
        ("Chargeoff Dt", ("2025-12-31", "30/06/2025", "Jun 2024"), ("2026-01-01", "", "1900-01-01", "0000-00-00", "")),
        ("Fecha de castigo del crédito", ("2025-06-30",) * 3, ("", "", "", "", "31/12/2026")),
        ("Abschreibung", ("5", "5", "ja, 5"), ("0", "", "", "", "")),
        ("closed_date", ("2025-06-30", "2025-06-30 10:00:00", "20250630"), ("2027-06-30", "", "", "null", "20260630")),
        ("fecha_cancelacion", ("15/01/2025", "1/2/2025", "31-12-2025"), ("15/01/2026", "", "", "", "")),
        ("is_closed", ("1", "Y", "true"), ("0", "N", "False", "", "no")),
        ("Date Paid Off", ("2025-06-30",) * 3, ("", "", "", "", "9999-12-31")),
        ("Closed Status", ("Closed", "settled", "Written off"), ("open", "", "active", "0 - open", "")),
        ("Sold", ("Y", "yes", "1"), ("N", "no", "0", "", "f")),
        ("securitised", ("1", "x", "T"), ("0", "", "", "", "")),
        ("Afgeschreven bedrag", ("1", "2,50", "3"), ("0", "", "", "", "")),
        ("Date de passage en perte", ("30/06/2025", "2025-06-30", "1/1/24"), ("", "", "", "", "")),
        ("WO Date", ("30/06/2025", "2025-06-30", "1/1/24"), ("", "", "", "", "")),
        ("cancelled", ("Y", "x", "2025-06-30"), ("N", "", "", "", "")),
        ("vendido", ("sí", "S", "si"), ("no", "N", "", "", "")),
        ("Hapus Buku", ("Ya",) * 3, ("Tidak", "", "Tidak", "", "")),
        ("C/O Amount", ("10", "5.5", "7"), ("0", "", "0.00", "-", "")),
        ("Deleted", ("true", "Yes", "1"), ("false", "No", "0", "", "")),
        ("Is Active", ("No", "0", "false"), ("Yes", "1", "true", "", "Sí")),
        ("On Balance Sheet", ("N",) * 3, ("Y", "Y", "Y", "", "Y")),
        ("Sub Status", ("Written Off", "Charged-off account", "WRITE-OFF"), ("Normal", "Current", "", "Open", "WO")),
        ("Estado Contable", ("Castigado", "CARTERA CASTIGADA", "Castigos"), ("Vigente", "", "x", "Sí", "-")),
        ("Recovery Status", ("Written off - in recovery", "Charged off: agency", "Written off on 12/06/2025"),
         ("Performing", "Not written off", "Write-off policy A", "Written offer", "")),
        ("product", ("Written-off loans", "Castigada", "Sold to SPV"), ("Solar", "Sold by agent", "CO", "", "")),
        ("Book", ("Sold", "sold loans", "Cedida al fideicomiso"), ("Own", "Sold Through", "Soldier", "Closed", "")),
    ],
)  # fmt: skip
def test_end_of_a_loan_that_only_a_column_says_that_is_not_read_is_told(tmp_path, heading, ended, others):
    rows = [f'{i},2025-12-31,{100 * i},0,"{cell}"' for i, cell in enumerate((*ended, *others), 1)]
    repaid = f'99,2025-12-31,0,0,"{ended[0]}"'
    found = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows, repaid))
    told = [n.rpartition(": ")[2] for n in found.notes if n.startswith(ENDED)]
    assert (told, found.values["Outstanding"]) == (["3 rows (600.00 USD)."], 3600.0)
    assert any(note.startswith(ENDS + heading) for note in found.notes)


def told_each(tmp_path, cells, says):
    """Return which headings a report tells as `says` begins, of a file where a loan each has the value of one."""
    last = len(cells) - 1
    rows = [f"{i},2025-12-31,100,0,{',' * i}{cell}{',' * (last - i)}" for i, cell in enumerate(cells.values())]
    plain = f"99,2025-12-31,100,0{',' * len(cells)}"
    notes = figures_of(write(tmp_path / "book.csv", HEADER + ",".join(cells), *rows, plain)).notes
    told = "".join(note for note in notes if note.startswith(says))
    return [heading for heading in cells if f"book.csv: {heading}" in told]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({
            "Written Off Amount (KES)": "1000", "Written Off [KES]": "1000", "Write Off Amount KES": "1000",
            "Written-off amount - KES": "1000", "write_off_amt_ngn": "1000",
            "Write-off Date (dd/mm/yyyy)": "01/06/2025",
            "WO Date yyyy-mm-dd": "2025-06-01", "Charge-Off Date (UTC)": "2025-06-01", "Written-off? (1=yes)": "1",
            "Sold (Y/N)": "Y", "Settled Yes/No": "Yes", "Loan Closed (Y/N)": "Y", "Vendido S/N": "S",
            "Closed Date (yyyy-mm-dd)": "2025-06-01", "Saldo Castigado Total (COP)": "1000",
            "Monto castigado en S/.": "10", "Write-off Amt (in KES)": "5",
        }, ENDS),
        ({
            "Date of Write-off": "2025-06-01", "W/Off Amt": "1000", "W/off": "Yes", "Chg Off Dt": "2025-06-01",
            "Cumulative Write-offs": "5", "Written Off Outstanding": "5", "Loan Closure Date": "2025-06-01",
            "Account Closure Date": "2025-06-01", "Closure Date": "2025-06-01", "Date of Closure": "2025-06-01",
            "Foreclosed On": "2025-06-01", "Preclosure Date": "2025-06-01", "Full Payment Date": "2025-06-01",
            "Fecha de cierre": "2025-06-01", "Fecha Finiquito": "2025-06-01", "Derecognised": "Y", "Live": "N",
            "Fecha de Cancelación Total": "2025-06-01", "Fecha castigo contable": "2025-06-01",
            "Tanggal Lunas": "2025-06-01", "Tgl Hapus Buku": "2025-06-01", "Date de radiation": "2025-06-01",
            "Data umorzenia": "2025-06-01", "Loan Sold To": "Kestrel", "Sold To": "Kestrel SPV 1",
            "Loan Sale Date": "2025-06-01", "Zero Balance Date": "2025-06-01", "Zero Balance Code": "09",
        }, ENDS),
        ({
            "Arrears (KES)": "600", "Arrears KES": "600", "Total Overdue (Rs.)": "600",
            "Past Due Amt US$": "600", "Valor em atraso (R$)": "600", "Saldo en mora (pesos)": "600", "NPA (Y/N)": "Y",
            "Past Due Y/N": "Y", "DPD (days)": "120", "Classification (CBN)": "Doubtful",
            "Bucket (days)": "91-120", "NPA Date (dd-mmm-yyyy)": "2025-06-01",
        }, SAYS[:50]),
        ({
            "DPD Days": "120", "Current DPD": "120", "Actual DPD": "120", "Days Past Due (system)": "120",
            "Días de mora (real)": "120", "OD Days": "120", "Delay Days": "120", "Age of Arrears": "120",
            "Interest Arrears": "80", "OD Amount": "500", "Due > 90": "500", "Bucket Name": "91-120",
            "Consecutive Missed EMIs": "4", "First Missed Payment Date": "2025-08-01", "Oldest Due": "2025-08-01",
            "Categoría SBS": "4 - Pérdida", "Prudential Classification": "Lost", "Provision Class": "Loss",
            "Accrual Status": "Non-accrual",
        }, SAYS[:50]),
    ],
)  # fmt: skip
def test_headings_of_exports_are_known_also_with_a_currency_a_pattern_or_brackets(tmp_path, cells, says):
    assert told_each(tmp_path, cells, says) == list(cells)


def test_customer_that_an_invoice_is_sold_to_ends_no_loan(tmp_path):
    invoices = write(tmp_path / "book.csv", "Invoice,Open,Days,Sold To", "1,100,0,Kestrel", "2,50,0,")
    columns = "columns: {loan_id: Invoice, outstanding_balance: Open, days_past_due: Days}"
    for rows, told in (("invoice", 0), ("loan", 1)):
        (tmp_path / "book.yml").write_text(f"title: book\nrows: {rows}\ncurrency: USD\n{columns}\n")
        with mappings.trying(tmp_path / "book.yml"):
            notes = figures_of(invoices).notes
        assert len([note for note in notes if note.startswith(ENDED)]) == told


def test_day_of_closing_that_may_be_that_of_the_file_ends_no_loan(tmp_path):
    for days, told in ((("2025-12-30",) * 3, 0), (("2025-12-31", "2025-12-31", ""), 0), (("2025-12-30", "", ""), 1)):
        rows = [f"{i},2025-12-31,100,0,{day}" for i, day in enumerate(days)]
        notes = figures_of(write(tmp_path / "book.csv", HEADER + "Fecha de cierre", *rows)).notes
        assert len([note for note in notes if note.startswith(ENDED)]) == told


def test_headings_that_mean_something_else_and_values_that_say_no_are_left(tmp_path):
    cells = {
        "Written Off Amount (previous loan)": "1000", "Write Off (%)": "5", "Closed Date (expected)": "2025-06-01",
        "Policy Sold (Y/N)": "Y", "Arrears (max)": "600", "Mora (tasa)": "36", "Late (charges)": "5",
        "DPD (30/11/2025)": "40", "DPD (Nov)": "40", "Arrears (12m)": "5",
    }  # fmt: skip
    unsaid = {
        "Sold To": "Own book", "Closure Date": "2026-06-01", "Zero Balance Code": "", "Live": "Y", "W/off": "No",
        "Derecognised": "N", "OD Days": "0", "Due > 90": "0.00", "Bucket Name": "Current", "Default Interest": "36",
        "Accrual Status": "Accrual", "OD Limit": "500", "Closing Date": "2025-06-01", "Max DPD": "40",
    }  # fmt: skip
    for given in (cells, unsaid):
        assert [told_each(tmp_path, given, says) for says in (ENDS, SAYS[:50])] == [[], []]


NOT_OF_ENDS = {
    "closing_date": "2025-06-30", "Payoff Amount": "5.00", "write_off_reason": "Death", "date_paid": "2025-12-01",
    "fecha_pago": "2025-12-01", "closed_accounts": "3", "solde": "5.00", "monto_cancelado": "5.00",
    "charge_amount": "5.00", "recovered_after_date": "2025-01-01", "settlement_date": "2025-01-01",
    "Paid Off %": "50%", "Charge Off Policy": "180 days", "Sold By": "Agent 7", "Vehicle Sale": "2025-01-01",
    "State": "CO", "Clearing Date": "2025-01-01", "Active": "",
}  # fmt: skip


@pytest.mark.parametrize("cells", [NOT_OF_ENDS, {"Paid Off %": "50"}])
def test_columns_that_do_not_say_that_a_loan_ended_are_left(tmp_path, cells):
    rows = [f"{i},2025-12-31,100,0,{','.join(cells.values())}" for i in range(5)]
    found = figures_of(write(tmp_path / "book.csv", HEADER + ",".join(cells), *rows))
    assert not [note for note in found.notes if note.startswith(ENDED)]


def test_end_of_a_loan_is_that_of_the_day_of_its_balance_and_of_its_file(tmp_path):
    rows = [f"{loan},{day},100,0,{end}" for day in ("2025-11-30", "2025-12-31") for loan, end in
            ((1, "2025-12-15"), (2, "2026-01-15"), (3, ""))]  # fmt: skip
    path = write(tmp_path / "book.csv", HEADER + "closed_on", *rows)
    for date, told in ((dt.date(2025, 11, 30), []), (dt.date(2025, 12, 31), ["1 row (100.00 USD)."])):
        assert [n.rpartition(": ")[2] for n in figures_of(path, date).notes if n.startswith(ENDED)] == told


@pytest.mark.parametrize("heading", ["Clearing date", "Ausgleichsdatum"])
def test_invoice_that_is_cleared_up_to_the_day_is_left_out(tmp_path, heading):
    header = f"Customer,Document Number,Net due date,Amount in local currency,{heading}"
    days = ("", "2025-12-31", "2026-01-01", "30/11/2025", "05/02/2026", "1900-01-01")
    rows = [f"C{i},9{i},2025-10-01,{10**i},{day}" for i, day in enumerate(days)]
    found = figures_of(write(tmp_path / "items.csv", header, *rows), dt.date(2025, 12, 31))
    assert found.values["Outstanding"] == 110101.0
    left = "Left out of items.csv, as its mapping or a clearing date says: 2 rows (1,010.00 USD)."
    assert left in found.notes and not [note for note in found.notes if note.startswith(ENDED)]


def test_word_of_a_column_that_a_mapping_leaves_behind_is_not_told(tmp_path):
    book_ = write(tmp_path / "book.csv", "Loan,Open,Days,Sub", "1,100,0,Written off", "2,50,0,Open")
    columns = "columns: {loan_id: Loan, outstanding_balance: Open, days_past_due: Days}"
    for behind, told in (("", 1), ("left_behind: [Sub]\n", 0)):
        (tmp_path / "book.yml").write_text(f"title: book\nrows: loan\ncurrency: USD\n{columns}\n{behind}")
        with mappings.trying(tmp_path / "book.yml"):
            notes = figures_of(book_).notes
        assert len([note for note in notes if note.startswith(ENDED)]) == told


def test_loan_that_is_written_off_or_whose_column_is_left_behind_is_not_told(tmp_path):
    flagged = "1,2025-12-31,100,0,,\n2,2025-12-31,100,0,Y,90"
    found = figures_of(write(tmp_path / "book.csv", HEADER + "written_off_flag,Written Off Amount", flagged))
    assert (found.values["Outstanding"], [n for n in found.notes if n.startswith(ENDED)]) == (100.0, [])

    invoices = write(tmp_path / "book.csv", "Invoice,Open,Days,Date Paid", "1,100,0,2025-06-30", "2,50,0,")
    columns = "columns: {loan_id: Invoice, outstanding_balance: Open, days_past_due: Days}"
    for rows, behind, told in (("invoice", "", 1), ("loan", "", 0), ("invoice", "left_behind: [Date Paid]\n", 0)):
        (tmp_path / "book.yml").write_text(f"title: book\nrows: {rows}\ncurrency: USD\n{columns}\n{behind}")
        with mappings.trying(tmp_path / "book.yml"):
            notes = figures_of(invoices).notes
        assert len([note for note in notes if note.startswith(ENDED)]) == told


def test_next_due_date_that_is_long_past_says_that_a_loan_is_late(tmp_path):
    rows = [
        f"{i},2025-12-31,100,0,{day}" for i, day in enumerate(("2025-06-30", "2025-11-30", "2025-12-01", "2026-01-31"))
    ]
    found = figures_of(write(tmp_path / "book.csv", HEADER + "next_due_date", *rows))
    assert [n.partition(": ")[2] for n in found.notes if n.startswith(NOT_LATE)] == ["2 rows (200.00 USD)."]


@pytest.mark.parametrize("heading", ["moneda", "moneda_del_credito", "loan_ccy_code"])
def test_two_columns_of_currencies_that_differ_are_refused(tmp_path, heading):
    header = f"loan_id,reporting_date,outstanding_balance,dpd,currency,{heading}"
    message = refused(write(tmp_path / "book.csv", header, "1,2025-12-31,100,0,USD,MXN", "2,2025-12-31,100,0,USD,USD"))
    assert "both say the currency, and differ in 1 row, such as" in message
    assert "currency" in message and heading in message
    equal = write(tmp_path / "book.csv", header, "1,2025-12-31,100,0,USD,US$", "2,2025-12-31,100,0,USD,Dólar USD")
    assert figures_of(equal).values["Outstanding"] == 200.0


@pytest.mark.parametrize("heading", ["current_balance", "principal_outstanding", "Saldo total"])
def test_balance_of_zeros_beside_another_one_is_refused(tmp_path, heading):
    rows = [f"{i},2025-12-31,0,45,{100 * i}" for i in range(5)]
    assert refused(write(tmp_path / "book.csv", HEADER + heading, *rows)).startswith(
        f"book.csv: outstanding_balance is 0 in every row, and {heading} is not: leave the wrong one out of the file"
    )
    repaid = [f"{i},2025-12-31,0,0,{cell}" for i, cell in enumerate(("0", "0.00", ""))]
    assert figures_of(write(tmp_path / "book.csv", HEADER + heading, *repaid)).values["Outstanding"] == 0.0
    original = write(tmp_path / "book.csv", f"{HEADER}original_balance", *rows)
    assert figures_of(original).values["Outstanding"] == 0.0


@pytest.mark.parametrize(
    ("heading", "cells", "told"),
    [
        ("Current Balance", ("110.00", "1,300.00"), "1,410.00 USD"), ("Saldo insoluto", ("100", "200"), None),
        ("Total Outstanding", ("100", "201.50"), "301.50 USD"), ("Interest Balance", ("1", "2"), None),
        ("Current Balance", ("0", ""), None), ("Average Balance", ("90", "80"), None),
    ],
)  # fmt: skip
def test_other_balance_that_comes_to_another_sum_is_told(tmp_path, heading, cells, told):
    rows = [f'{i},2025-12-31,{100 * i},45,"{cell}"' for i, cell in enumerate(cells, 1)]
    notes = figures_of(write(tmp_path / "book.csv", HEADER + heading, *rows)).notes
    says = (
        f"The balances of book.csv are outstanding_balance, 300.00 USD over all rows, and {heading}, which is not read,"
    )
    assert [n for n in notes if n.startswith("The balances of book.csv")] == (
        [f"{says} comes to {told}."] if told else []
    )


@pytest.mark.parametrize(
    ("status", "days", "is_told"),
    [
        ("Late (31-120 days)", 5, True), ("90+ DPD", 0, True), ("90+ DPD", 10, True), ("Default", 10, True),
        ("NPA", 10, True), ("Substandard", 0, True), ("61-90 days", 5, True), ("Default", 31, False),
        ("Late (31-120 days)", 30, False), ("90+ DPD", 95, False), ("Late", 5, False), ("Current (0 DPD)", 0, False),
        ("Active", 5, False), ("Stage 2", 5, False),
    ],
)  # fmt: skip
def test_status_that_says_far_more_days_than_those_past_due_is_told(tmp_path, status, days, is_told):
    rows = [f"1,2025-12-31,100,{days},{status}", "2,2025-12-31,200,45,Late", "3,2025-12-31,300,0,Current"]
    notes = figures_of(write(tmp_path / "book.csv", HEADER + "loan_status", *rows)).notes
    told = [n.partition(": ")[2] for n in notes if n.startswith(NOT_LATE)]
    assert told == (["1 row (100.00 USD)."] if is_told else [])
    assert not [note for note in notes if note.startswith(SAYS[:30])]


def of_statuses(tmp_path, statuses, says):
    """Return what a report says, as `says` begins, of a file where a loan each has one of some statuses and 0 days."""
    rows = [f"{i},2025-12-31,100,0,{status}" for i, status in enumerate((*statuses, "Active", "Current"))]
    notes = figures_of(write(tmp_path / "book.csv", HEADER + "loan_status", *rows)).notes
    return [note.rpartition(": ")[2] for note in notes if note.startswith(says)]


def test_statuses_of_long_lateness_beside_no_days_are_told(tmp_path):
    late = ("NPL", "NPA", "Doubtful", "Legal action", "Repossessed", "Macet", "Contentieux", "Overdue 120 days",
            "Past due > 90 days", "120 DPD")  # fmt: skip
    assert of_statuses(tmp_path, late, NOT_LATE) == ["10 rows (1,000.00 USD)."]


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (("WRITTEN OFF: FRAUD", "Written off & settled", "Castigado - vendido", "Charged Off - Debt Sale", "Pre-closed",
          "Sold to Kestrel", "Cancelled before disbursement", "Closed on 2025-06-01", "Settled (OTS)", "Foreclosed",
          "Rejected by credit", "Paid off early"), ["12 rows (1,200.00 USD)."]),
        (("Paid up to date", "Approved & disbursed", "Pending payment", "Sold by agent", "Closed end", "Paid late",
          "Not written off: paying"), []),
    ],
)  # fmt: skip
def test_statuses_that_say_with_a_remark_that_a_loan_ended_are_told(tmp_path, statuses, told):
    assert of_statuses(tmp_path, statuses, ENDED) == told


def test_status_that_a_mapping_calls_current_says_no_end(tmp_path):
    book_ = write(tmp_path / "book.csv", "Loan,Open,Days,State", "1,100,0,Closed: group", "2,50,0,Open", "3,50,40,Late")
    columns = "loan_id: Loan, outstanding_balance: Open, days_past_due: Days"
    for words, told in (("", 1), (", words: {'Closed: group': Current}", 0)):
        mapping = f"columns: {{{columns}, loan_status: {{heading: State{words}}}}}"
        (tmp_path / "book.yml").write_text(f"title: book\nrows: loan\ncurrency: USD\n{mapping}\n")
        with mappings.trying(tmp_path / "book.yml"):
            notes = figures_of(book_).notes
        assert len([note for note in notes if note.startswith(ENDED)]) == told


def test_status_that_a_mapping_calls_current_says_no_days(tmp_path):
    book_ = write(tmp_path / "book.csv", "Loan,Open,Days,State", "1,100,0,90+ DPD", "2,50,0,Open", "3,50,40,Late")
    columns = "loan_id: Loan, outstanding_balance: Open, days_past_due: Days"
    for words, told in (("", 1), (", words: {90+ DPD: Current}", 0)):
        mapping = f"columns: {{{columns}, loan_status: {{heading: State{words}}}}}"
        (tmp_path / "book.yml").write_text(f"title: book\nrows: loan\ncurrency: USD\n{mapping}\n")
        with mappings.trying(tmp_path / "book.yml"):
            notes = figures_of(book_).notes
        assert len([note for note in notes if note.startswith(NOT_LATE)]) == told
