"""Workbooks are looked at before they are read: none takes far more memory than its file, and no error is empty."""

import zipfile

import pytest

from abaco.core.errors import InputError
from abaco.ingest import workbooks
from abaco.ingest.worksheets import NO_VALUE
from tests.support.exports import SNAPSHOT, ingest, snapshot

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def save(path, *rows, sheet=None, **parts):
    """Save a workbook of rows of XML cells, or of the XML of its sheet, and with other parts."""
    body = "".join(f'<row r="{number}">{"".join(cells)}</row>' for number, cells in enumerate(rows, 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        sheets = '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets}</workbook>')
        for place, kind, target in (
            ("_rels/.rels", "officeDocument", "xl/workbook.xml"),
            ("xl/_rels/workbook.xml.rels", "worksheet", "worksheets/sheet1.xml"),
        ):
            relation = f'<Relationship Id="r1" Type="{OFFICE}/{kind}" Target="{target}"/>'
            archive.writestr(place, f'<Relationships xmlns="{PACKAGE}">{relation}</Relationships>')
        sheet = sheet or f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in parts.items():
            archive.writestr(f"xl/{name}.xml", content)
    return path


def written(path):
    target, book = path.with_suffix(".csv"), workbooks.Workbook(path, "xlsx", path.name)
    workbooks.write_csv(book, target, "S")
    return target.read_text(encoding="utf-8").splitlines()


def sheets(path):
    return workbooks.visible_sheets(workbooks.Workbook(path, "xlsx", path.name))[0]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ('<c r="B2" t="e"><v>#REF!</v></c>', "#REF!"),
        ("<c s='1' t='e' r='B2'><f>A1/0</f><v>#DIV/0!</v></c>", "#DIV/0!"),
        ('<c r="B2"><f>A1+1</f></c>', NO_VALUE),
        ('<c r="B2"><f>A1+1</f><v></v></c>', NO_VALUE),
        ('<c r="B2"><f t="shared" si="0"/><v/></c>', NO_VALUE),
        ('<c r="B2" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="B2" t="str"><f>A1</f></c>', NO_VALUE),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="B2" s="4"/>', ""),
    ],
)
def test_error_and_formula_without_a_value_are_not_empty(tmp_path, given, text):
    path = save(tmp_path / "x.xlsx", [cell("A1", "a"), cell("B1", "b")], [cell("A2", "x"), given])
    assert written(path) == ["a,b", f"x,{text}"]


def test_last_row_of_formulas_without_a_value_is_a_row(tmp_path):
    rows = [cell("A1", "a"), cell("B1", "b")], [], ['<c r="A3"><f>A2</f></c>', '<c r="B3" t="e"><v>#N/A</v></c>']
    assert written(save(tmp_path / "x.xlsx", *rows)) == ["a,b", "", f"{NO_VALUE},#N/A"]


def test_tags_may_have_a_prefix(tmp_path):
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1" t="e">'
        "<x:v>#NUM!</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    assert written(save(tmp_path / "x.xlsx", sheet=sheet)) == ["1,#NUM!"]


def test_row_with_an_error_is_rejected_as_in_csv(tmp_path):
    head, values = SNAPSHOT.split(","), snapshot(cash="5").split(",")
    place = dict(zip(head, "ABCDEFGHIJKLMNOP", strict=False))
    rows = [[cell(f"{place[name]}1", name) for name in head]]
    rows.append([cell(f"{place[name]}2", value) for name, value in zip(head, values, strict=True)])
    rows[1][head.index("dpd_7_30_usd")] = f'<c r="{place["dpd_7_30_usd"]}2" t="e"><v>#REF!</v></c>'
    assert ingest(save(tmp_path / "book.xlsx", *rows)).faults == [(2, "dpd_7_30_usd: not a number")]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('<c r="XFD1048576"><v>1</v></c>', "a cell in row 1,048,576, far from the others"),
        ('<c r="B1048576"><v>1</v></c>', "a cell in row 1,048,576, far from the others"),
        ('<c r="ZZZZZZZ99999999999"><v>1</v></c>', "far from the others"),
        (f'<c r="A{"9" * 5000}"><v>1</v></c>', "cannot be read as xlsx"),
    ],
)
def test_cell_far_from_the_others_is_an_error(tmp_path, extra, message):
    path = save(tmp_path / "x.xlsx", [cell("A1", "a")], [extra])
    assert path.stat().st_size < 5000
    with pytest.raises(InputError, match=message):
        sheets(path)


def test_dimension_that_a_sheet_only_claims_is_harmless(tmp_path):
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData><row r="1">{cell("A1", "a")}'
    path = save(tmp_path / "x.xlsx", sheet=f"{sheet}</row></sheetData></worksheet>")
    assert sheets(path)[0].rows == [(1, ["a"])]


def test_workbook_that_unpacks_to_far_more_is_an_error(tmp_path):
    path = save(tmp_path / "x.xlsx", [cell("A1", "a")], sharedStrings=b" " * (100 << 20))
    with pytest.raises(
        InputError, match=r"^x.xlsx unpacks to 100 MiB from \d+ KiB, which no sheet does: save it again"
    ):
        sheets(path)


@pytest.mark.parametrize(
    "sheet",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>',
        '<worksheet><sheetData><row r="1"/></sheetData></worksheet>'.encode("utf-16"),
        b"<html/>",
        b"",
    ],
)
def test_sheet_that_no_program_writes_is_an_error(tmp_path, sheet):
    with pytest.raises(InputError, match=r"^x.xlsx (cannot be read as xlsx|has no sheet with cells)"):
        sheets(save(tmp_path / "x.xlsx", sheet=sheet or b" "))
