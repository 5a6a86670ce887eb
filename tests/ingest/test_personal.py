"""Nothing personal of a stranger's file gets out: by no error, note, quarantined row, sheet's name or file's name."""

import openpyxl
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.ingest.discovery import discover
from abaco.ingest.masking import Masking
from abaco.ingest.staging import stage_one
from abaco.review.check import inspect
from tests.support.exports import DATE, LOANS, PAR, SNAPSHOT, ingest, snapshot, write

NAME, EMAIL, PHONE = "Maria Inventada", "maria.inv@example.org", "+503 5550-0001"
PLANTED = ("Inventada", "inventada", "maria.inv", "5550-0001", "Supuesto", "supuesto", "juan.sup", "5550-0002")
ROWS = (
    f"L001,{NAME},{EMAIL},{PHONE},2025-02-15,3000.00,other",
    "L002,Juan Supuesto,juan.sup@example.org,+503 5550-0002,,,",
)


def plant(folder):
    """Write a good tape, and beside it strangers' files with personal values in every place that can be quoted."""
    good = [f"A-{i},2025-12-31,100.00,0,0,0,0,Cliente {NAME},x" for i in range(40)]
    bad = [f"A-98,31/31/2025,1.00,0,0,0,0,{NAME},x", f'A-99,"{NAME}, {PHONE},x']
    left = f"{EMAIL},{NAME},{NAME.lower()}"
    write(folder / "par.csv", f"{PAR},cliente,{left}", *(f"{row},1,1" for row in good), *bad)
    write(folder / f"{NAME}.csv", "a,b", "1,2")
    write(folder / f"Loans of {NAME}.txt", "a|b", "1|2")
    write(folder / "Juan Supuesto" / f"{NAME}.pdf", NAME)
    write(folder / "headerless.csv", *ROWS)
    write(folder / "semicolons.csv", *(row.replace(",", ";") for row in ROWS))
    write(folder / "pipes.txt", *(row.replace(",", "|") for row in ROWS))
    write(folder / "names.tsv", NAME, "Juan Supuesto")
    write(folder / "people.json", f'[{{"{NAME}": 1, "{EMAIL}": "{PHONE}"}}]')
    write(folder / "broker.csv", f"{NAME},Efectivo,San Miguel", "Juan Supuesto,Caja,Sonsonate")
    # names of people as loan ids, in capital letters within words, and a phone without a country
    write(
        folder / "ids.csv",
        PAR,
        f"{NAME},31/31/2025,1.00,0,0,0,0",
        *(f"B-{i},2025-12-31,1.00,0,0,0,0" for i in range(30)),
    )
    write(folder / "MariaInventada" / "JuanSupuesto.csv", PAR, "C-1,2025-12-31,1.00,0,0,0,0")
    write(folder / "par of 5550-0001.csv", PAR, "C-2,2025-12-31,1.00,0,0,0,0")
    write(folder / "half.csv", "Inventada,cash,principal,7", "Supuesto,cash,interest,8")
    write(folder / "list.json", f'["{NAME}", "{EMAIL}"]')
    write(folder / f"{EMAIL}.csv", "a,b", "1,2")
    write(folder / f"estado de {PHONE}.pdf", NAME)
    write(folder / "ledger.csv", "fecha,cuenta,monto", f"2025-12-31,{NAME},5.00", f"2025-12-31,{EMAIL},6.00")
    lines = (f"2025-12-31,{account},6.00" for account in ("Caja", EMAIL, f"Préstamo de {NAME}"))
    write(folder / "cash.csv", "fecha,cuenta,monto", *lines)
    book = openpyxl.Workbook()
    book.active.title = NAME
    book.active.append(ROWS[0].split(","))
    hidden = book.create_sheet("Juan Supuesto")
    hidden.sheet_state = "hidden"
    hidden.append([EMAIL])
    book.save(folder / "sheets.xlsx")
    # the same in lower case, in files that no format knows
    write(folder / f"{NAME.lower()}.csv", "a,b", "1,2")
    write(folder / "pagos_juan_supuesto.txt", "a|b", "1|2")
    write(folder / NAME.lower() / "juan supuesto.pdf", NAME)
    write(folder / "matrix.csv", f"loan_id,{NAME.lower()},juan supuesto", "A-1,3.00,4.00", "A-2,5.00,6.00")
    book = openpyxl.Workbook()
    for title in (NAME.lower(), "juan_supuesto"):
        book.create_sheet(title).append(["a", "b"])
    book.save(folder / "lower.xlsx")
    return folder


def test_report_beside_strangers_files_shows_none_of_their_values(project):
    done = project.report("--input", plant(project.root / "in"))
    assert done.returncode == 0, done.stderr
    shown = [("terminal", done.stdout + done.stderr), ("log", project.log)]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in project.output.rglob("*") if path.is_file()]
    leaks = [(place, value) for place, text in shown for value in PLANTED if value in text]
    assert leaks == []
    page = (project.output / "2025-12-31" / "report.html").read_text(encoding="utf-8")
    assert "headerless.csv was not used: it fits no known format: its first line (cells: 7) has no known column" in page
    assert "….csv" in page
    assert "sheets.xlsx" in page


def test_check_of_strangers_files_shows_none_of_their_values(tmp_path, monkeypatch, copied_project):
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    told = "\n".join(inspect(plant(tmp_path / "in"), "2025-12-31"))
    assert "headerless.csv was not used" in told
    assert [value for value in PLANTED if value in told] == []


REFUSED = {
    "loans.csv": ROWS,
    f"{EMAIL}.csv": [LOANS, "A-1,C,31/31/2025,0.2,1,1,1"],
    f"{PHONE}.csv": ["loan_id,colour", "1,red"],
    "book.csv": [f"{SNAPSHOT},{EMAIL},Cliente", f"{snapshot(amount='x')},1,{NAME}"],
    "damaged.parquet": [f"{NAME} {EMAIL}"],
    "damaged.json": [f'{{"{NAME}": {EMAIL}}}'],
    "damaged.xlsx": [f"{NAME} {EMAIL}"],
}


def test_refusals_show_no_value(project):
    for number, (name, lines) in enumerate(REFUSED.items()):
        done = project.report("--input", write(project.root / str(number) / name, *lines).parent)
        assert done.returncode == 2
        assert not [value for value in PLANTED if value in done.stdout + done.stderr + project.log]


OF_PARTS = "producto,region,company,segmento,facility,documents"


def test_personal_values_in_columns_of_parts_of_the_book_are_shown_nowhere(project):
    rows = [f"A-{i},2025-12-31,100.00,0,0,0,0,C{i},Capital,Norte,ABF,PYME,Senior,complete" for i in range(60)]
    rows[0] = f"A-0,2025-12-31,100.00,90,90,90,90,C0,{EMAIL},{PHONE},7890-1234,01234567-8,{EMAIL},Juan {PHONE}"
    rows[1] = rows[0].replace("A-0", "A-99").replace("100.00", "x")
    write(project.root / "in" / "par.csv", f"{PAR},customer_id,{OF_PARTS}", *rows)
    loans = [f"A-{i},C{i},2025-01-31,0.2,500,100,0,{EMAIL},{EMAIL},Nombre{i} Supuesto" for i in range(60)]
    write(project.root / "in" / "loans.csv", f"{LOANS},is_restructured,frequency,region", *loans)
    done = project.report("--input", project.root / "in")
    assert done.returncode == 0, done.stderr
    shown = [("terminal", done.stdout + done.stderr), ("log", project.log)]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in project.output.rglob("*") if path.is_file()]
    planted = (*PLANTED, "7890-1234", "01234567-8", "Nombre7", "Supuesto")
    assert [(place, value) for place, text in shown for value in planted if value in text] == []
    page = (project.output / "2025-12-31" / "report.html").read_text(encoding="utf-8")
    assert "Values under producto in par.csv that look like addresses, phones or document numbers of people" in page
    assert "region in loans.csv has 60 different values for 60 borrowers or loans" in page


def _staged(engine, tmp_path, regions, borrowers):
    rows = (f"A-{i},2025-12-31,1,0,0,0,0,{region},C{i % borrowers}" for i, region in enumerate(regions))
    [source], _ = discover(write(tmp_path / "par.csv", f"{PAR},region,customer_id", *rows))
    staged = stage_one(source, 0, True, DATE, engine, tmp_path, Masking.of_pass(None))
    regions = engine.scan(staged.path).select("region").collect("pyarrow")["region"].to_list()
    return regions, [reason.code for reason in staged.told]


@pytest.mark.parametrize(
    ("region", "is_hidden"),
    [
        ("ana@example.org", True), ("of ana@example.org", True), ("+503 7777 8888", True), ("7777-8888", True),
        ("(503) 777-8888", True), ("77778888", True), ("01234567-8", True), ("0614-010190-101-1", True),
        ("PELJ900101HDFRPN09", True), ("12.345.678-5", True), ("0801-1990-12345", True), ("5512345678", True),
        ("2024-2025", False), ("1000-4999", False), ("10001-25000", False), ("94110", False), ("20251231", False),
        ("San Salvador", False), ("Retail @ 12%", False), ("61-90", False), ("PYME 2025", False), ("01-0001-01", False),
    ],
)  # fmt: skip
def test_values_that_look_personal_are_hidden(embedded, tmp_path, region, is_hidden):
    regions, told = _staged(embedded, tmp_path, [region, "Norte", region], 3)
    assert regions == (["…", "Norte", "…"] if is_hidden else [region, "Norte", region])
    assert told == ["values_hidden"] * is_hidden


@pytest.mark.parametrize(
    ("values", "loans", "is_kept"), [(50, 50, True), (51, 102, True), (51, 101, False), (51, 51, False)]
)
def test_column_with_a_value_for_every_other_loan_is_no_part_of_the_book(embedded, tmp_path, values, loans, is_kept):
    given = [f"Region {i % values}" for i in range(loans)]
    regions, told = _staged(embedded, tmp_path, given, loans)
    assert regions == (given if is_kept else [None] * loans)
    assert told == ([] if is_kept else ["no_dimension"])


def test_parts_are_counted_by_borrower_where_the_file_knows_them(embedded, tmp_path):
    regions, told = _staged(embedded, tmp_path, [f"Nombre {i % 60}" for i in range(240)], 60)
    assert (set(regions), told) == ({None}, ["no_dimension"])


def _ids(project, **environment):
    header = "loan_id,reporting_date,outstanding_balance,dpd,borrower_name,product,loan_status,Promotor"
    ids = (EMAIL, PHONE, "RAMJ800101HDFMRN09", "123.456.789-09")
    rows = [f"{one},2025-12-31,{1000 + i},{40 * i},{NAME},{NAME},{NAME},Juan Supuesto" for i, one in enumerate(ids)]
    rows += [f"LOAN251231{i:03},2025-12-31,100,0,N/A,N/A,Active,Juan Supuesto" for i in range(20)]
    write(project.root / "in" / "book.csv", header, *rows)
    return project.report("--input", project.root / "in", **environment)


def test_ids_of_loans_that_are_personal_become_tokens_or_are_refused(project):
    done = _ids(project)
    assert done.returncode != 0
    assert "book.csv: of the loans' numbers under loan_id 4 look like addresses, phones or document" in done.stderr
    done = _ids(project, ABACO_PII_KEY="a-key-of-more-than-thirty-two-characters")
    assert done.returncode == 0, done.stderr
    shown = [("terminal", done.stdout + done.stderr), ("log", project.log)]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in project.output.rglob("*") if path.is_file()]
    planted = (*PLANTED, "RAMJ800101", "123.456.789")
    assert [(place, value) for place, text in shown for value in planted if value in text] == []
    tape = pq.read_table(project.output / "2025-12-31" / "tables" / "tape.parquet")
    assert sum(one.startswith("tok_") for one in tape["loan_id"].to_pylist()) == 4
    assert set(tape["product"].to_pylist()) == {"…", "N/A"}


def _numbers(folder, *ids):
    """Return the file of some loans with such ids."""
    rows = [f"{one},2025-12-31,{1000 + i},{40 * i}" for i, one in enumerate(ids)]
    return write(folder / "book.csv", "loan_id,reporting_date,outstanding_balance,dpd", *rows)


@pytest.mark.parametrize(
    "ids",
    [
        ("44051401359", "02070803628"),
        ("52998224725", "11144477735"),
        ("234123412346", "3456 7890 1238", "9876-5432-1096"),
        ("GOMR850101AB1", "LOPD900202CD2"),
        ("RAMJ800101HDFMRN09", "LOPD900202MDFRRN01"),
        ("AB123456C", "JG 10 37 59 A"),
    ],
)
def test_numbers_of_documents_of_people_are_no_ids_of_loans(tmp_path, ids):
    with pytest.raises(InputError, match=rf"book.csv: of the loans' numbers under loan_id {len(ids)} look like"):
        ingest(_numbers(tmp_path, *ids))


@pytest.mark.parametrize(
    "ids",
    [
        ("44051401359", "02070803620", "10000000003"),
        ("10000000001", "10000000002", "10000000003"),
        ("234123412346", "345678901234"),
        tuple(f"2341234123{i:02}" for i in range(40)),
        tuple(f"LOAN2512310{i:02}" for i in range(8)),
        tuple(f"LN00012{i}A" for i in range(5)),
        ("44051401359",),
    ],
)
def test_numbers_that_are_no_documents_stay_as_they_are(tmp_path, ids):
    assert {row["loan_id"] for row in ingest(_numbers(tmp_path, *ids)).tape} == {*ids}
