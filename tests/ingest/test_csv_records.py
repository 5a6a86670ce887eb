"""Lines that hold no whole record are found, and every record's line is known."""

import pytest

from abaco.core.errors import InputError
from abaco.ingest.csv_records import OUT_OF_PLACE, is_whole, line_numbers, records, split_lines
from abaco.ingest.sources import Source
from tests.support.exports import SNAPSHOT, ingest, snapshot, write

BAD = snapshot("A-9", amount="abc")
MISSING = "line: missing columns"
MANY = "line: too many columns"
QUOTE = f"line: {OUT_OF_PLACE}"
NOT_A_NUMBER = "; ".join(f"{name}: not a number" for name in ("total_receivable_usd", "dpd_0_7_usd"))


def source(lines, delimiters=0, kind="csv", first_line=1, width=3):
    headings = tuple("abcde"[:width])
    return Source(
        "x.csv", "x.csv", kind, "snapshot", headings, 0, 0, 0, "", first_line, lines, delimiters, "utf-8", ","
    )  # fmt: skip


def text(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content.encode())
    return path


# Records


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", []),
        ("a,b,c\n", [(1, None)]),
        ("a,b,c\n1,2,3\n4,5,6", [(1, None), (2, None), (3, None)]),
        ("\ufeffa,b,c\n1,2,3\n", [(1, None), (2, None)]),
        ("a,b,c\n\n1,2,3\n\n\n4,5,6\n", [(1, None), (3, None), (6, None)]),
        ('a,b,c\n1,"two\nlines",3\n4,5,6\n', [(1, None), (2, None), (4, None)]),
        ('"a","b\nb",c\n1,2,3\n', [(1, None), (3, None)]),
        ("a,b,c\n1,2\n4,5,6\n", [(1, None), (2, "missing columns"), (3, None)]),
        ("a,b,c\n1,2,3,\n4,5,6\n", [(1, None), (2, "too many columns"), (3, None)]),
        ('a,b,c\n1,"2,3\n4,5,6\n7,8,9\n', [(1, None), (2, OUT_OF_PLACE), (3, None), (4, None)]),
        ('a,b,c\n1,"2,3\n4,5,6\n7,"8",9\n', [(1, None), (2, OUT_OF_PLACE), (3, None), (4, None)]),
        ('a,b,c\n1,"2"x,3\n4,5,6\n', [(1, None), (2, OUT_OF_PLACE), (3, None)]),
        ('a,b,c\n1,2" wide,3\n4,5,6\n', [(1, None), (2, None), (3, None)]),
        ('a,b,c\n1,"say ""hi""",3\n', [(1, None), (2, None)]),
        ('a,b,c\n1,"two\nlines",3,4\n4,5,6\n', [(1, None), (2, "too many columns"), (4, None)]),
        ("a,b,c\r1,2,3\r4,5\r", [(1, None), (2, None), (3, "missing columns")]),
        ("a,b,c\n1,2,3\r\n4,5,6\n", [(1, None), (2, None), (3, None)]),
    ],
)
def test_each_record_has_its_line_and_its_fault(tmp_path, content, found):
    assert [(line, fault) for line, _, fault in records(source(0), text(tmp_path, content))] == found


def test_field_beyond_any_measure_costs_its_own_line_only(tmp_path):
    content = 'a,b,c\n1,"' + "x\n" * 100_000 + "4,5,6\n"
    found = [(line, fault) for line, _, fault in records(source(0), text(tmp_path, content)) if line in (2, 100_002)]
    assert found == [(2, OUT_OF_PLACE), (100_002, None)]


def test_rows_of_a_workbook_are_counted_from_its_first_row_with_cells(tmp_path):
    content = 'a,b,c\n1,"two\nlines",3\n\n4,5,6\n'
    assert [line for line, *_ in records(source(None, kind="xlsx", first_line=3), text(tmp_path, content))] == [3, 4, 6]


HEAD = "a,b,c,d,e\n"
ROWS = ["1,x,3,4,5", "2,y,3,4,5", "3,z,3,4,5", "4,q,3,4,5"]


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 3), (1, 3), (2, 3)])
def test_quote_that_swallows_whole_rows_is_refused_with_its_line(tmp_path, first, last):
    rows = [*ROWS]
    rows[first] = rows[first].replace(",", ',"', 1)
    rows[last] = rows[last].replace(",3", '",3', 1)
    with pytest.raises(InputError, match=f"^x.csv: a quote opens in line {first + 2} and closes in another row"):
        list(records(source(0, width=5), text(tmp_path, HEAD + "\n".join(rows))))


@pytest.mark.parametrize(
    "cell", ["Calle 5, Centro\nLima, Perú", "a, b, c\nd, e", "two\n\nlines", "one, two\nthree, four, five\nsix", "\n"]
)
def test_text_of_several_lines_with_commas_is_left(tmp_path, cell):
    content = f'{HEAD}1,"{cell}",3,4,5\n'
    assert [fault for _, _, fault in records(source(0, width=5), text(tmp_path, content))] == [None, None]


def test_narrow_file_may_have_an_address_with_as_many_commas_as_a_row(tmp_path):
    content = 'a,b,c\n1,"Calle 5, Centro\nLima, Perú",3\n'
    assert [fault for _, _, fault in records(source(0), text(tmp_path, content))] == [None, None]


def test_export_of_which_a_quote_swallows_rows_is_refused(tmp_path):
    rows = [snapshot(f"A-{i}") for i in range(1, 7)]
    rows[1] = rows[1].replace("A-2", '"A-2', 1)
    rows[3] = rows[3].replace("A-4", 'A-4"', 1)
    with pytest.raises(InputError, match=r"book.csv: a quote opens in line 3"):
        ingest(write(tmp_path / "book.csv", SNAPSHOT, *rows).parent)


# Whole files


@pytest.mark.parametrize(
    ("lines", "delimiters", "total", "broken", "whole"),
    [
        (1, 2, 0, [], True),
        (3, 6, 2, [], True),
        (5, 6, 2, [], True),  # two blank lines
        (3, 7, 2, [], False),  # 1,2,3, was read as 1,2,3
        (4, 7, 2, ["1,2"], True),
        (4, 9, 2, ["1,2,3,4"], True),
        (4, 8, 2, ['1,"2,3",4'], True),
        (4, 8, 2, ["1,2"], False),
        (5, 7, 2, ["1,2"], False),  # the number of a line cannot be told from the number of the record
        (9, 5, 1, ['1,"2,3\n7,8,9\n4,5,6'], False),  # the quote took whole lines with it
        (9, None, 2, [], True),
    ],
)
def test_file_is_whole_when_lines_and_delimiters_add_up(lines, delimiters, total, broken, whole):
    assert is_whole(source(lines, delimiters), total, broken) is whole


def test_copy_holds_whole_records_only(tmp_path):
    content = 'a,b,c\r\n1,"x ""y"", z",3\n4,5\n"6,7,8\n9,"two\nlines",1,\n2,"two\nlines",4\n'
    copy = tmp_path / "copy.csv"
    written, broken = split_lines(source(0), text(tmp_path, content), copy)
    assert copy.read_bytes().decode() == 'a,b,c\n1,"x ""y"", z",3\n2,"two\nlines",4\n'
    assert written == 2
    assert broken == [(3, "missing columns"), (4, OUT_OF_PLACE), (5, "too many columns")]


# Line numbers


@pytest.mark.parametrize(
    ("wanted", "broken", "expected"),
    [
        ([], [2], {}),
        ([0], [], {0: 2}),
        ([0, 1, 2], [2, 3], {0: 4, 1: 5, 2: 6}),
        ([0, 1, 2], [3, 5], {0: 2, 1: 4, 2: 6}),
        ([2, 0], [5, 6], {0: 2, 2: 4}),
    ],
)
def test_line_a_record_is_counted_past_the_broken_ones(tmp_path, wanted, broken, expected):
    lines = source(4 + len(broken))
    assert line_numbers(lines, tmp_path / "not read", wanted, 3, broken) == expected


def test_other_files_are_read_for_their_line_numbers(tmp_path):
    path = text(tmp_path, 'a,b,c\n\n1,"two\nlines",3\n4,5\n4,5,6\n7,8,9\n')
    assert line_numbers(source(7), path, [2, 0, 1], 3, [5]) == {0: 3, 1: 6, 2: 7}


# In ingestion


GOOD = [snapshot("A-1"), snapshot("A-2")]
QUOTED = snapshot("A-3") + ',"two\nlines"'


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ([SNAPSHOT, BAD, *GOOD], [(2, NOT_A_NUMBER)]),
        ([SNAPSHOT, *GOOD, BAD], [(4, NOT_A_NUMBER)]),
        ([SNAPSHOT, "1,2", *GOOD, "3", BAD], [(2, MISSING), (5, MISSING), (6, NOT_A_NUMBER)]),
        ([SNAPSHOT, snapshot("A-5") + ",7", BAD, *GOOD], [(2, MANY), (3, NOT_A_NUMBER)]),
        ([SNAPSHOT, snapshot("A-5") + ",", BAD, *GOOD], [(2, MANY), (3, NOT_A_NUMBER)]),
        ([SNAPSHOT, "", BAD, "", "", *GOOD, BAD.replace("9", "8", 1)],
         [(3, NOT_A_NUMBER), (8, NOT_A_NUMBER)]),
        ([SNAPSHOT, "", *GOOD, "", "1,2", "", BAD], [(6, MISSING), (8, NOT_A_NUMBER)]),
        ([SNAPSHOT + ",nota", *(g + "," for g in GOOD), QUOTED, BAD + ","], [(6, NOT_A_NUMBER)]),
        ([SNAPSHOT + ",nota", QUOTED, "1,2", *(g + "," for g in GOOD), BAD + ","],
         [(4, MISSING), (7, NOT_A_NUMBER)]),
        ([SNAPSHOT, '"' + snapshot("A-5"), *GOOD, BAD], [(2, QUOTE), (5, NOT_A_NUMBER)]),
        ([SNAPSHOT, '"A-5"x' + snapshot("", amount="1"), *GOOD, BAD], [(2, QUOTE), (5, NOT_A_NUMBER)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("written", [{}, {"end": "\r\n"}, {"encoding": "utf-8-sig"}], ids=["plain", "crlf", "bom"])
def test_rejected_rows_have_the_line_they_stand_on(tmp_path, lines, faults, written):
    result = ingest(write(tmp_path / "book.csv", *lines, **written))
    assert result.faults == faults
    assert {"A-1", "A-2"} <= {row["loan_id"] for row in result.tape}
    assert result.book["rows_in"] == result.book["accepted"] + len(faults)


def test_line_numbers_are_those_of_the_original_when_a_copy_in_utf8_was_read(tmp_path):
    lines = [SNAPSHOT + ",Cliente", snapshot() + ",Peña", "", BAD + ",Ñuño", "1,2"]
    result = ingest(write(tmp_path / "book.csv", *lines, encoding="cp1252"))
    assert result.faults == [(4, NOT_A_NUMBER), (5, MISSING)]


def test_rows_after_a_quote_that_is_never_closed_are_not_lost(tmp_path):
    path = write(tmp_path / "book.csv", SNAPSHOT, '"A-0' + snapshot(""), *(snapshot(f"A-{i}") for i in range(1, 2001)))
    result = ingest(path)
    assert result.book["rows_in"] == 2001
    assert result.book["accepted"] == 2000
    assert result.faults == [(2, QUOTE)]
