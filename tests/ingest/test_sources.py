"""Files are found and recognised, and give the same figures however they are written."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import containers, decimal_marks, discovery, fingerprint, reading, roles, sources, writing
from tests.support.exports import DATE, LOANS, PAR, SNAPSHOT, ingest, rows_of, snapshot, write

HEADINGS = [*SNAPSHOT.split(","), "Cliente"]
# 1234.50 late by 95 days, and 0.05 not late; cash is known for the first
CELLS = [
    ["A-1", "2025-12-31", "1234.50", "1234.50", "1200.00", "10.25", "0", "0", "0", "0", "1234.50",
     "Begoña Ruiz"],
    ["A-2", "2025-12-31", "0.05", "0.05", "0.05", "", "0.05", "0", "0", "0", "0", "José Peña"],
]  # fmt: skip
FIGURES = [
    {
        "loan_id": "A-1",
        "total_receivable_usd": Decimal("1234.50"),
        "discounted_balance_usd": Decimal("1200.00"),
        "cash_available_usd": Decimal("10.25"),
        "dpd_90_plus_usd": Decimal("1234.50"),
        "borrower_name": "Begoña Ruiz",
    },
    {
        "loan_id": "A-2",
        "total_receivable_usd": Decimal("0.05"),
        "discounted_balance_usd": Decimal("0.05"),
        "cash_available_usd": None,
        "dpd_90_plus_usd": Decimal("0.00"),
        "borrower_name": "José Peña",
    },
]


def figures(path):
    """Return what is read of a file, as the contract's kinds."""
    [source], _ = discovery.discover(path)
    kinds = {c.name: c.kind for c in source.format.columns if c.name in FIGURES[0]}
    unmasked = SimpleNamespace(mask=None)
    with DuckDB() as engine:
        text = reading.text_path(source, engine) if source.kind in ("csv", "xlsx") else None
        found = writing.of_sample(source, text, engine)
        rows = engine.typed(reading.read(source, engine, masking=unmasked), kinds, found.writings)
        return [{name: row[name] for name in FIGURES[0]} for row in rows_of(rows)]


def number(text, mark):
    """Write a plain number with a decimal comma or point, with or without thousands groups."""
    if mark == "groups":
        return f"{Decimal(text):,}" if text else text
    if mark == "comma groups":
        return f"{Decimal(text):,}".translate(str.maketrans(",.", ".,")) if text else text
    return text.replace(".", ",") if mark == "comma" else text


def csv_bytes(mark=".", delimiter=",", encoding="utf-8", end="\n"):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(HEADINGS)
    for row in CELLS:
        writer.writerow([cell if i in (0, 1, 11) else number(cell, mark) for i, cell in enumerate(row)])
    return text.getvalue().encode(encoding)


# The same figures


@pytest.mark.parametrize("mark", ["point", "comma", "groups", "comma groups"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_gives_the_same_figures_however_it_is_written(tmp_path, delimiter, encoding, mark):
    path = tmp_path / "book.csv"
    path.write_bytes(csv_bytes(mark, delimiter, encoding))
    assert figures(path) == FIGURES


@pytest.mark.parametrize("name", ["book.csv", "book.CSV", "book.tsv", "book.txt"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_suffix_do_not_matter(tmp_path, end, name):
    (tmp_path / name).write_bytes(csv_bytes(end=end))
    assert figures(tmp_path / name) == FIGURES


def test_line_ends_may_be_mixed(tmp_path):
    head, first, second = csv_bytes().splitlines()
    (tmp_path / "book.csv").write_bytes(head + b"\n" + first + b"\r\n" + second + b"\n")
    assert [row["loan_id"] for row in ingest(tmp_path / "book.csv").tape] == [row["loan_id"] for row in FIGURES]


def test_last_line_needs_no_line_end(tmp_path):
    (tmp_path / "book.csv").write_bytes(csv_bytes().rstrip(b"\n"))
    assert figures(tmp_path / "book.csv") == FIGURES


@pytest.mark.parametrize("kind", [pa.decimal128(18, 2), pa.decimal128(38, 6), pa.float64(), pa.string()])
def test_parquet_gives_the_same_figures_from_any_type(tmp_path, kind):
    columns = {}
    for i, heading in enumerate(HEADINGS):
        cells = [row[i] or None for row in CELLS]
        if i in (0, 1, 11) or pa.types.is_string(kind):
            columns[heading] = pa.array(cells)
        else:
            columns[heading] = pa.array([c and Decimal(c) for c in cells], pa.decimal128(38, 6)).cast(kind)
    columns["measurement_date"] = pa.array([DATE, DATE])
    pq.write_table(pa.table(columns), tmp_path / "book.parquet")
    assert figures(tmp_path / "book.parquet") == FIGURES


@pytest.mark.parametrize("stamp", [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.string()])
def test_parquet_dates_may_be_timestamps_or_text(tmp_path, stamp):
    table = pa.table({h: [row[i] for row in CELLS] for i, h in enumerate(HEADINGS)})
    dates = pa.array([DATE, DATE]).cast(pa.timestamp("us")).cast(stamp)
    pq.write_table(table.set_column(1, "measurement_date", dates), tmp_path / "book.parquet")
    assert figures(tmp_path / "book.parquet") == FIGURES


@pytest.mark.parametrize("zone", ["UTC", "America/El_Salvador", "-06:00", "+05:30"])
def test_day_of_a_parquet_time_is_the_local_one(tmp_path, zone):
    local = dt.datetime.combine(DATE, dt.time(23, 30), tzinfo=ZoneInfo(zone) if zone[0].isalpha() else offset(zone))
    table = pa.table({h: [row[i] for row in CELLS] for i, h in enumerate(HEADINGS)})
    times = pa.array([local, local.replace(hour=0)], pa.timestamp("us", zone))
    pq.write_table(table.set_column(1, "measurement_date", times), tmp_path / "book.parquet")
    assert figures(tmp_path / "book.parquet") == FIGURES


def offset(zone):
    """Return the time zone of an offset such as -06:00."""
    return dt.datetime.strptime(zone, "%z").tzinfo


@pytest.mark.parametrize("form", ["array", "lines", "numbers"])
def test_json_gives_the_same_figures(tmp_path, form):
    rows = [dict(zip(HEADINGS, cells, strict=True)) for cells in CELLS]
    if form == "numbers":
        rows = [
            {k: v if i in (0, 1, 11) else float(v) if v else None for i, (k, v) in enumerate(r.items())} for r in rows
        ]
    text = "\n".join(map(json.dumps, rows)) if form == "lines" else json.dumps(rows)
    path = write(tmp_path / ("book.jsonl" if form == "lines" else "book.json"), text)
    assert figures(path) == FIGURES


def test_json_key_counts_wherever_it_first_appears(tmp_path):
    rows = [dict(zip(HEADINGS[:-1], CELLS[0], strict=False)) for _ in range(30_000)]
    rows[-1]["Cliente"] = "José Peña"
    path = write(tmp_path / "book.jsonl", "\n".join(map(json.dumps, rows)))
    assert figures(path)[-1]["borrower_name"] == "José Peña"


@pytest.mark.parametrize("name", ["book.csv", "book.json", "book.parquet"])
def test_folder_named_like_a_column_is_no_column(tmp_path, name):
    path = tmp_path / "total_receivable_usd=1" / "region=eastus" / name
    path.parent.mkdir(parents=True)
    rows = [dict(zip(HEADINGS, cells, strict=True)) for cells in CELLS]
    if name.endswith("csv"):
        path.write_bytes(csv_bytes())
    elif name.endswith("json"):
        write(path, json.dumps(rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    assert figures(path) == FIGURES
    assert "region" not in discovery.discover(path)[0][0].headings


@pytest.mark.parametrize("form", ["text", "numbers"])
def test_xlsx_gives_the_same_figures(tmp_path, form):
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    for cells in CELLS:
        numbers = [c if i in (0, 11) else DATE if i == 1 else float(c) if c else None for i, c in enumerate(cells)]
        book.active.append(cells if form == "text" else numbers)
    book.save(tmp_path / "book.xlsx")
    assert figures(tmp_path / "book.xlsx") == FIGURES


def test_no_amount_goes_through_a_float(tmp_path):
    largest = "9999999999999999.99"
    path = write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1", amount=largest), snapshot("A-2", amount="0.01"))
    assert [row["total_receivable_usd"] for row in ingest(path).tape] == [Decimal(largest), Decimal("0.01")]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1,5"], ","),
        (["1.5"], "."),
        (["0,403"], ","),
        (["0.403"], "."),
        (["1.234,56"], ","),
        (["1,234.56"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["12345,6789"], ","),
        (["-3,10"], ","),
        (["1,5", "1.5"], "."),
        (["1,5", "2,5", "1.5"], ","),
        (["1,5", "1.500"], ","),
        (["1.5", "1.500", "0.125"], "."),
        (["1.5e3"], "."),
        (["1.234"], None),
        (["1,234"], None),
        (["1.234", "1,234"], None),
        (["1.5", "1,5", "1.234"], None),
        (["100"], "."),
        (["31.12.2025", "Calle 5,5 b"], "."),
        ([], "."),
    ],
)
def test_decimal_mark_is_what_the_values_of_a_column_prove(tmp_path, cells, mark):
    path = write(tmp_path / "loans.csv", LOANS.replace(",", ";"), *(f"L;C;2025-01-01;1;1;{cell};1" for cell in cells))
    [source], _ = discovery.discover(path)
    found = {"outstanding_balance": decimal_marks.evidence(cells)}
    if mark is None:
        with pytest.raises(InputError, match=r'^loans.csv: numbers such as "1[.,]500" under outstanding_balance are'):
            decimal_marks.decimal_marks(source, found)
    else:
        assert decimal_marks.decimal_marks(source, found)["outstanding_balance"] == mark
    assert set(decimal_marks.decimal_marks(source, found, "comma").values()) == {","}


def test_rate_is_never_a_thousand(tmp_path):
    path = write(tmp_path / "loans.csv", LOANS, "L,C,2025-01-01,1.234,1,1,1")
    [source], _ = discovery.discover(path)
    found = {"interest_rate": decimal_marks.evidence(["1.234"])}
    assert decimal_marks.decimal_marks(source, found)["interest_rate"] == "."


# What is known of a file


def _shorten(path):
    path.write_bytes(path.read_bytes()[:-40])


def _swap(path):
    """Put a file of the same size and time in its place, as a copy that keeps times does."""
    stat, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(b"1", b"2"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _swap_and_restore(path):
    content = path.read_bytes()
    _swap(path)
    path.write_bytes(content)


@pytest.mark.parametrize("change", [_shorten, _swap, _swap_and_restore, Path.unlink])
def test_file_that_changes_while_it_is_read_is_named(tmp_path, change):
    path = tmp_path / "book.csv"
    path.write_bytes(csv_bytes())
    planned = [source.as_dict() for source in discovery.discover(path)[0]]
    sources.check_unchanged(planned, planned)
    change(path)
    with pytest.raises(InputError, match=r"^book.csv changed while it was read: wait until it is complete"):
        sources.check_unchanged(planned, planned)


def test_file_that_comes_or_goes_while_a_folder_is_read_is_named(tmp_path):
    (tmp_path / "book.csv").write_bytes(csv_bytes())
    planned = [source.as_dict() for source in discovery.discover(tmp_path)[0]]
    for read in ([], [*planned, {"name": "later.csv", "sha256": "0"}], [{**planned[0], "sha256": "0"}]):
        with pytest.raises(InputError, match=r"^(book|later).csv changed while it was read"):
            sources.check_unchanged(planned, read)


def test_source_knows_its_fingerprint_and_form(tmp_path):
    path = write(tmp_path / "book.csv", SNAPSHOT.replace(",", ";"), snapshot().replace(",", ";"), encoding="utf-8-sig")
    [source], skipped = discovery.discover(path)
    content = path.read_bytes()
    assert skipped == []
    assert (source.sha256, source.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (source.encoding, source.delimiter, source.lines, source.delimiters) == ("utf-8", ";", 2, 20)
    assert source.headings == tuple(SNAPSHOT.split(","))


@pytest.mark.parametrize("at", [-2, -1, 0, 1])
def test_encoding_is_told_across_the_edges_of_what_is_read_at_once(tmp_path, monkeypatch, at):
    head = SNAPSHOT + ",nota\n" + snapshot() + ","
    monkeypatch.setattr(fingerprint, "CHUNK", len(head) + 1)
    content = head + "x" * (1 + at) + "ñ" + "\n" if at >= -1 else head[:-1] + ",ñ\n"
    path = tmp_path / "book.csv"
    for encoding, expected in (("utf-8", "utf-8"), ("cp1252", "cp1252")):
        path.write_bytes(content.encode(encoding))
        assert discovery.discover(path)[0][0].encoding == expected


def test_columns_that_no_contract_names_are_listed(tmp_path):
    header = f"Nota del gestor,{SNAPSHOT},tin_foil, Cliente "
    [source], _ = discovery.discover(write(tmp_path / "book.csv", header, f"x,{snapshot()},y,Ana"))
    assert source.left_behind == ["Nota del gestor", "tin_foil"]
    assert source.layout.inputs["borrower_name"] == 13


def test_file_seen_before_is_not_read_again(tmp_path):
    path = write(tmp_path / "book.csv", SNAPSHOT, snapshot())
    [source], _ = discovery.discover(path)
    known = json.loads(json.dumps([source.as_dict() | {"sha256": "as it was"}]))
    assert discovery.discover(path, known=known)[0][0].sha256 == "as it was"
    write(path, SNAPSHOT, snapshot(), snapshot("A-2"))
    assert discovery.discover(path, known=known)[0][0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_copy_in_utf8_belongs_to_the_content_that_it_was_made_of(tmp_path):
    path, work = tmp_path / "book.csv", tmp_path / "work"
    work.mkdir()
    for amount in ("1.00", "2.00"):
        write(path, SNAPSHOT + ",Cliente", snapshot(amount=amount) + ",Peña", encoding="cp1252")
        [source], _ = discovery.discover(path)
        with DuckDB(spill=work) as engine:
            rows = reading.read(source, engine).collect("pyarrow").to_native().to_pylist()
        assert rows[0]["total_receivable_usd"] == amount


# Folders


def test_folder_gives_each_export_and_says_why_the_rest_is_none(tmp_path):
    write(tmp_path / "b.csv", SNAPSHOT, snapshot())
    write(tmp_path / "a.csv", PAR, "A-1,2025-12-31,1,0,0,0,0")
    write(tmp_path / "other.csv", "x,y", "1,2")
    write(tmp_path / "list.json", '["x", "y"]')
    write(tmp_path / "README.md", "# exports")
    write(tmp_path / ".hidden.csv", "x")
    write(tmp_path / "~$book.xlsx", "x")
    write(tmp_path / "sub" / "c.csv", SNAPSHOT, snapshot())
    found, skipped = discovery.discover(tmp_path)
    assert [(s.name, s.format_name) for s in found] == [
        ("a.csv", "par_balances"), ("b.csv", "snapshot"), ("sub/c.csv", "snapshot"),
    ]  # fmt: skip
    assert [s.name for s in skipped] == ["README.md", "list.json", "other.csv"]
    assert skipped[0].reason == "not a table"
    assert skipped[1].reason == "list.json holds no table: write a list of objects, one a row"
    assert skipped[2].reason.startswith("other.csv fits no known format")


def test_overview_has_a_row_a_file(tmp_path):
    write(tmp_path / "book.csv", SNAPSHOT + ",nota", snapshot() + ",x")
    found, _ = discovery.discover(tmp_path)
    assert roles.overview(found, roles.roles(found)).to_dict("records") == [
        {
            "file": "book.csv",
            "format": "canonical snapshot",
            "used for": "tape",
            "bytes": (tmp_path / "book.csv").stat().st_size,
            "columns left behind": "nota",
        }
    ]


# Errors


def fails(path):
    with pytest.raises(InputError) as error:
        discovery.discover(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing_file_is_named(tmp_path):
    path = tmp_path / "none.csv"
    assert fails(path) == f"Input file not found: {path}: check INPUT, or leave it out to run on the sample"


@pytest.mark.parametrize("suffix", containers.KINDS)
def test_empty_file_is_an_error(tmp_path, suffix):
    (tmp_path / f"book{suffix}").touch()
    assert fails(tmp_path / f"book{suffix}") == f"book{suffix} is empty (0 bytes): export it again"


@pytest.mark.parametrize("content", [b"\n", b"\n\n", b"\xef\xbb\xbf", b" , ,\n1,2,3\n"])
def test_file_without_header_is_an_error(tmp_path, content):
    (tmp_path / "book.csv").write_bytes(content)
    assert fails(tmp_path / "book.csv") == "book.csv has no header line: the first line must name the columns"


def test_wrong_columns_are_named(tmp_path):
    message = fails(write(tmp_path / "book.csv", "loan_id,colour", "1,red"))
    assert message.startswith("book.csv fits no known format: it has the columns loan_id, colour; the nearest format")


PERSON = ["Maria Invented Perez", "maria@example.org", "+503 5550-0001", "2025-02-15", "L001", "0.24", "other"]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("first", [PERSON, PERSON[:1], PERSON[:2], [*PERSON[:6], "interest"]])
def test_first_line_that_holds_values_is_not_shown(tmp_path, first, delimiter):
    message = fails(write(tmp_path / "book.csv", delimiter.join(first), delimiter.join(first)))
    assert not [cell for cell in first if cell in message]
    assert "has no known column name; write the names of the columns there" in message


@pytest.mark.parametrize("first", ["Rosa Planted,Efectivo,San Miguel", "Elaborado por,Rosa Planted,estado"])
def test_of_a_line_that_may_be_no_header_only_known_names_are_shown(tmp_path, first):
    message = fails(write(tmp_path / "book.csv", first, "Hugo Planted,Caja,Sonsonate", "Eva Planted,Caja,Ahuachapán"))
    assert "Planted" not in message and " and 2 more; " in message
    below = fails(write(tmp_path / "book.csv", first, "Hugo Planted,Caja,12.50"))  # an amount stands below a word
    assert "Planted" not in below and "San Miguel" not in below


def test_unknown_headings_above_values_are_shown_but_for_those_that_may_name_people(tmp_path):
    message = fails(write(tmp_path / "book.csv", "Tipo garantia,Rosa Planted,estado,Sales Agent", "x,y,z,12.50"))
    assert "it has the columns Tipo garantia, estado, Sales Agent and 1 more; " in message


def test_heading_that_looks_like_a_value_is_not_shown(tmp_path):
    message = fails(write(tmp_path / "book.csv", "loan_id,interest_rate,ana@example.org,colour", "1,1,1,1"))
    assert "it has the columns loan_id, interest_rate, colour and 1 more; " in message
    header = f"{SNAPSHOT},ana@example.org,+503 5550-0001,15-Feb-2025,nota"
    [source], _ = discovery.discover(write(tmp_path / "book.csv", header, f"{snapshot()},1,1,1,1"))
    assert source.left_behind == ["nota"]


def test_name_of_a_file_is_shown_without_addresses_and_phone_numbers(tmp_path):
    names = ("ana@example.org.csv", "eva@example.org.csv", "of +503 5550-0001.csv", "par 2025-12-31.csv", "x@y.z.pdf")
    for name in names[:4]:
        write(tmp_path / name, PAR, "A-1,2025-12-31,1,0,0,0,0")
    write(tmp_path / names[4], "")
    found, skipped = discovery.discover(tmp_path)
    assert [s.name for s in (*found, *skipped)] == ["….csv", "1 ….csv", "of ….csv", "par 2025-12-31.csv", "….pdf"]
    assert len(ingest(tmp_path).tape) == 1
    write(tmp_path / "y" / "ana@example.org.csv", "a,b", "1,2")
    assert "ana" not in fails(tmp_path / "y" / "ana@example.org.csv")
    assert fails(write(tmp_path / "z" / "of 254712345678.csv", "a,b", "1,2")).startswith("of ….csv")


def test_suffix_must_be_known(tmp_path):
    message = fails(write(tmp_path / "book.pdf", SNAPSHOT, snapshot()))
    assert message.startswith("book.pdf is not one of .csv, .tsv, .txt, .parquet, .json")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", SNAPSHOT.encode("utf-32"), b"PK\3\4\n\0\0\0"])
def test_binary_file_named_csv_is_an_error(tmp_path, content):
    (tmp_path / "book.csv").write_bytes(content)
    assert fails(tmp_path / "book.csv").startswith("book.csv is not a text file (it holds binary data, or UTF-16")


def test_text_in_neither_encoding_is_an_error_wherever_it_is(tmp_path):
    message = "book.csv is neither UTF-8, UTF-16 nor Windows-1252 text: export it again as CSV in UTF-8"
    path = tmp_path / "book.csv"
    path.write_bytes(SNAPSHOT.encode() + b",nota\n" + snapshot().encode() + b",\x81\n")
    assert fails(path) == message
    rows = "".join(snapshot(f"A-{i}") + ",\n" for i in range(6000)).encode()
    assert len(rows) > fingerprint.SAMPLE
    path.write_bytes(SNAPSHOT.encode() + b",nota\n" + rows + snapshot().encode() + b",\x81\n")
    with pytest.raises(InputError) as error:
        ingest(path)
    assert str(error.value) == message


def test_truncated_parquet_is_an_error(tmp_path):
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table({h: ["1"] for h in HEADINGS}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert fails(path).startswith("book.parquet cannot be read as parquet: ")


@pytest.mark.parametrize("content", ["{", "loan_id,x\n1,2", '{"a": 1}}', "\0\0\0"])
def test_broken_json_is_an_error(tmp_path, content):
    assert fails(write(tmp_path / "book.json", content)).startswith("book.json cannot be read as json: ")


@pytest.mark.parametrize("content", ["5", "[]", "{}", "[1, 2]", '"x"'])
def test_json_that_is_no_table_is_an_error(tmp_path, content):
    assert fails(write(tmp_path / "book.json", content)).startswith("book.json holds no table")


@pytest.mark.parametrize("heading", ["dpd_0_7_usd", "DPD 0-7 USD", " dpd_0_7_usd "])
def test_contract_heading_given_twice_is_an_error(tmp_path, heading):
    path = write(tmp_path / "book.csv", f"{SNAPSHOT},{heading}", snapshot() + ",1")
    assert fails(path) == "book.csv has the column dpd_0_7_usd more than once: keep one of them"


def test_other_heading_given_twice_does_not_matter(tmp_path):
    path = write(tmp_path / "book.csv", f"nota,{SNAPSHOT},nota", f"x,{snapshot()},y")
    assert len(ingest(path).tape) == 1


def test_empty_folder_is_an_error(tmp_path):
    assert fails(tmp_path) == f"No usable export in the folder {tmp_path}: it is empty"


def test_folder_without_a_usable_file_says_why_for_each(tmp_path):
    write(tmp_path / "x.csv", "a,b", "1,2")
    write(tmp_path / "notes.md", "x")
    message = fails(tmp_path)
    assert message.startswith(f"No usable export in the folder {tmp_path}: notes.md: not a table; x.csv fits no")


@pytest.mark.parametrize(
    ("headings", "is_of_loans"),
    [
        ("loan_id,measurement_date,TR (total),dpd_0_7_usd,dpd_90_plus_usd", True),
        ("Loan No,Days Late,Remarks", True),
        ("Loan No,Collateral,Value", False),
        ("branch,outstanding", False),
    ],
)
def test_table_that_is_not_used_may_be_one_of_loans(tmp_path, headings, is_of_loans):
    write(tmp_path / "tape.csv", SNAPSHOT, snapshot("A-1"))
    write(tmp_path / "south.csv", headings, ",".join("1" for _ in headings.split(",")))
    _, [skipped] = discovery.discover(tmp_path)
    assert (skipped.name, skipped.is_of_loans) == ("south.csv", is_of_loans)
