"""Hostile inputs: small books of every format in every kind of file, with cells and files damaged at random."""

import contextlib
import csv
import gzip
import io
import json
import random
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tools.reliability.workbooks import write_ods, write_xls

ROWS = 200  # of a file, about every second one with a hostile cell
# Headings of each format by kind; the first format of a folder gives the tape.
FORMATS = {
    "snapshot": {
        "loan_id": "id", "customer_name": "personal", "measurement_date": "date", "total_receivable_usd": "owed",
        "total_eligible_usd": "extra", "discounted_balance_usd": "extra", "cash_available_usd": "extra",
        "dpd_0_7_usd": "bucket", "dpd_7_30_usd": "bucket", "dpd_30_60_usd": "bucket", "dpd_60_90_usd": "bucket",
        "dpd_90_plus_usd": "bucket",
    },
    "par_balances": {
        "loan_id_raw": "id", "email": "personal", "reporting_date": "date", "outstanding_balance_usd": "owed",
        "par_7_balance_usd": "past", "par_30_balance_usd": "past", "par_60_balance_usd": "past",
        "par_90_balance_usd": "past",
    },
    "loans": {
        "loan_id": "id", "customer_id": "personal", "phone": "personal", "disburse_date": "date",
        "interest_rate": "rate", "disburse_principal": "extra", "outstanding_balance": "owed", "dpd": "days",
    },
    "schedules": {
        "loan_id": "id", "date_due": "date", "principal": "amount", "interest": "extra", "fees": "extra",
        "to_tax": "extra",
    },
    "transactions": {
        "loan_id": "id", "transaction_type": "type", "date_paid": "date", "principal": "amount", "interest": "extra",
        "fees": "extra", "to_tax": "extra",
    },
    "payments": {
        "Loan ID": "id", "Cliente": "personal", "True Payment Date": "date", "True Total Payment": "extra",
        "True Principal Payment": "amount", "True Interest Payment": "extra", "True Fee Payment": "extra",
    },
    "statements": {"reporting_date": "date", "metric": "metric", "value": "extra"},
    "statements_wide": {
        "reporting_date": "statement date", "efectivo": "extra", "pasivos": "extra", "patrimonio": "extra",
    },
    "mapped": {
        "Ref": "id", "Holder": "personal", "As At": "date", "Drawn": "owed", "Repaid": "repaid", "Late": "days",
    },
}  # fmt: skip
MAPPING = """title: a lender of the fuzzer
rows: loan and date
recognise: [Ref, Holder, As At, Drawn, Repaid, Late]
not_late: negative
columns:
  loan_id: Ref
  borrower_name: Holder
  measurement_date: As At
  outstanding_balance: {compute: Drawn - Repaid}
  days_past_due: Late
"""
MISTAKES = ("", "[", "*x", "\t", "123", "null", "{a: b}")
TAPES = ("snapshot", "par_balances", "loans", "mapped")
MONEY = ("owed", "past", "bucket", "amount", "repaid", "extra")  # an extra amount may be unknown
NUMBERS = (*MONEY, "rate")
FIRST = ("0", "7", "30", "60", "90")  # days late from which a balance counts in each bucket
TEXTS = ("id", "type", "metric")
KINDS = ("csv", "json", "jsonl", "xlsx", "xls", "ods", "parquet", "zip", "gz")
# What stands in a cell where an amount, a date or a number of days belongs.
AMOUNTS = [
    "", " ", "abc", "NaN", "inf", "-inf", "1e5", "1.5E+2", "0x1F", "1_000", "１２３", "٣", "1,234.50", "1.234,50",
    "1 234,50", "1'234.50", "$100", "100 USD", "(100.00)", "100-", "--5", "1.2.3", "99999999999999999999", "1e400",
    "0.005", "-0.005", "-0", "+7", "=1+1", "null", "N/A", "true", "\x1b[31m", "5;6", "5,6",
    "12.3456", "-12.50", "9" * 400, "½", "1٫5", "1\u00a0000", "1e-3", ".5", "5.", "0,5", "%", "10%", "#DIV/0!",
]  # fmt: skip
UNPROVEN = ["1.500", "1,500", "100.005"]  # a thousand or decimals: they refuse most files
DATES = [
    "", "2025-02-30", "2025-13-01", "31/12/2025", "20251231", "2025-12-31T00:00:00", "2025-12-31 23:59:59-06:00",
    "2025/12/31", "2025-1-5", "0000-00-00", "9999-12-31", "45000", "today", "null", "2025-12-31x", "２０２５-12-31",
    "2024-02-29", "12-31-2025",
]  # fmt: skip
DAYS = ["", "-1", "3.5", "35.0", "35 days", "1e2", "abc", "99999999999", "NaN", "1,000", "2 días", "0x10", "7 30"]
RATES = ["", "24%", "0.24%", "abc", "-0.1", "1e-1", "NaN", "0,24", "24 %"]
HOSTILE = {
    "date": DATES, "statement date": DATES, "days": DAYS, "rate": RATES, "type": ["", "PAYMENT ", "refund", "#N/A"],
    "id": [
        "", " ", "Ünïcode-1", "<script>x</script>", "a'b\"c", "\x1b]0;x\x07", "=cmd", "x" * 900, "#REF!", " #¡VALOR! ",
    ],
}  # fmt: skip


@dataclass
class Case:
    """One input of the fuzzer: its rows as they were meant, what was done to it, and the personal values in it.

    Parameters
    ----------
    cells
        The rows as they were written, where there is no second reader of the kind.
    mapping
        The mapping by which the file is read, if it needs one.
    """

    format: str
    kind: str
    path: Path
    rows: list[dict[str, str]]
    touched: dict[int, str]
    mark: str = "."
    delimiter: str = ","
    damage: str = "none"
    planted: list[str] = field(default_factory=list)
    cells: list[dict[str, object]] = field(default_factory=list)
    mapping: str = ""


def make(rng: random.Random, folder: Path) -> Case:
    """Write one hostile input into a new folder; beside a format that is no tape lies a sound tape."""
    format_, kind = rng.choice(list(FORMATS)), rng.choice(KINDS)
    columns = FORMATS[format_]
    number = 14 if format_ == "statements_wide" else ROWS
    planted = [f"Zoltana Quirinus{rng.randrange(10**9)}", f"q{rng.randrange(10**9)}@planted.example",
               f"+503 7{rng.randrange(10**7):07} 5"]  # fmt: skip
    rows = [_row(rng, format_, i, planted) for i in range(number)]
    touched = {}
    amounts = AMOUNTS + (UNPROVEN if rng.random() < 0.1 else [])
    if rng.random() < 0.85:
        for i in range(number):
            if rng.random() < 0.5:
                heading = rng.choice(list(columns))
                choices = HOSTILE.get(columns[heading], amounts)
                is_planted = columns[heading] not in TEXTS and rng.random() < 0.05
                rows[i][heading] = rng.choice(planted) if is_planted else rng.choice(choices)
                touched[i] = heading
    name = f"export.{'csv.' if kind == 'gz' else ''}{kind}"
    case = Case(format_, kind, folder / name, rows, touched, planted=planted)
    case.mapping = MAPPING if format_ == "mapped" else ""
    if format_ not in TAPES:
        _write_tape(folder, [f"F-{i}" for i in range(ROWS)])
    _WRITERS[kind](rng, case)
    if rng.random() < 0.3:
        _damage(rng, case)
    elif case.mapping and rng.random() < 0.3:
        case.damage, case.mapping = "mapping changed", _changed(rng, case.mapping)
    return case


def _row(rng: random.Random, format_: str, number: int, planted: list[str]) -> dict[str, str]:
    place, row = rng.randrange(5), {}
    owed, month = Decimal(rng.randrange(1, 5_000_000)) / 100, rng.randrange(1, 13)
    for heading, kind in FORMATS[format_].items():
        days = heading.split("_")[1] if kind in ("past", "bucket") else "0"
        is_late, is_bucket = place >= FIRST.index(days), place == FIRST.index(days)
        row[heading] = {
            "id": f"F-{number}",
            "personal": rng.choice(planted),
            "date": "2025-12-31" if format_ in TAPES else f"2025-{month:02}-{rng.randrange(1, 29):02}",
            "statement date": f"{2024 + (number > 11)}-{number % 12 + 1:02}-28",
            "owed": f"{owed:.2f}",
            "past": f"{owed if is_late else 0:.2f}",
            "bucket": f"{owed if is_bucket else 0:.2f}",
            "repaid": f"{owed * rng.randrange(50) / 100:.2f}",
            "amount": f"{Decimal(rng.randrange(0, 9_000_000)) / 100:.2f}",
            "extra": f"{Decimal(rng.randrange(0, 9_000_000)) / 100:.2f}",
            "rate": f"0.{rng.randrange(10, 60)}",
            "days": str(rng.randrange(0, 200)),
            "type": "PAYMENT",
            "metric": f"Cuenta {number}",
        }[kind]
    return row


def _write_tape(folder: Path, ids: list[str]) -> None:
    headings = ",".join(heading for heading in FORMATS["par_balances"] if heading != "email")
    lines = [headings, *(f"{id_},2025-12-31,100.00,0.00,0.00,0.00,0.00" for id_ in ids)]  # fmt: skip
    (folder / "tape.csv").write_text("\n".join(lines) + "\n")


# Writers


def _headings(rng: random.Random, case: Case) -> dict[str, str]:
    """Return how the headings are written: as they are, or in another case and with stray blanks."""
    forms = [str, str.upper, str.title, lambda h: f" {h}  ", lambda h: h.replace("_", " ")]
    form = rng.choice(forms)
    names = list(FORMATS[case.format])
    if rng.random() < 0.3:
        rng.shuffle(names)
    return {name: form(name) for name in names}


def _write_csv(rng: random.Random, case: Case) -> None:
    case.delimiter, names = rng.choice(",,;\t"), _headings(rng, case)
    case.mark = "," if case.delimiter == ";" and rng.random() < 0.6 else "."
    swap = str.maketrans(",.", ".,") if case.mark == "," else {}
    kinds = FORMATS[case.format]
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    text = io.StringIO()
    writer = csv.writer(text, delimiter=case.delimiter, lineterminator=rng.choice(["\n", "\r\n"]), quoting=quoting)
    writer.writerow(names.values())
    for i, row in enumerate(case.rows):
        own = {n: kinds[n] in NUMBERS and case.touched.get(i) != n for n in names}
        writer.writerow([row[n].translate(swap) if own[n] else row[n] for n in names])
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "cp1252"])
    data = text.getvalue().encode(encoding, errors="replace")
    if case.kind == "zip":
        with zipfile.ZipFile(case.path, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            archive.writestr(rng.choice(["export.csv", "2025/Export of December.csv"]), data)
            archive.writestr("__MACOSX/._export.csv", b"\0")
    else:
        case.path.write_bytes(gzip.compress(data) if case.kind == "gz" else data)


def _value(rng: random.Random, text: str, kind: str) -> object:
    if kind in (*MONEY, "days") and rng.random() < 0.7:
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            return text
    return None if text == "null" else text


def _write_json(rng: random.Random, case: Case) -> None:
    names, kinds = _headings(rng, case), FORMATS[case.format]
    rows = []
    for row in case.rows:
        cells = {names[n]: _value(rng, row[n], kinds[n]) for n in names}
        if rng.random() < 0.1:
            cells = {key: cell for key, cell in cells.items() if cell not in (None, "")}
        rows.append(cells | ({"note": {"deep": [1, 2]}} if rng.random() < 0.05 else {}))
    if case.kind == "jsonl":
        case.path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        case.path.write_text(json.dumps(rows, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1])))


def _write_workbook(rng: random.Random, case: Case) -> None:
    names, kinds = _headings(rng, case), FORMATS[case.format]
    rows = [
        [_clean(_value(rng, row[n].lstrip("=") if kinds[n] in TEXTS else row[n], kinds[n])) for n in names]
        for row in case.rows
    ]
    if case.kind == "xlsx":
        book = openpyxl.Workbook()
        for row in [list(names.values()), *rows]:
            book.active.append(row)
        book.save(case.path)
        return
    (write_ods if case.kind == "ods" else write_xls)(case.path, [list(names.values()), *rows])
    case.cells = [dict(zip(names, row, strict=True)) for row in rows]


def _clean(cell: object) -> object:
    if isinstance(cell, str):
        return openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell)
    is_beyond = isinstance(cell, int | float) and not abs(cell) < 1e300  # not a number either
    return str(cell) if is_beyond else cell


def _write_parquet(rng: random.Random, case: Case) -> None:
    names = _headings(rng, case)
    columns = {}
    for name in names:
        texts = [row[name] for row in case.rows]
        columns[names[name]] = pa.array(texts, pa.string())
        if FORMATS[case.format][name] in MONEY and not rng.randrange(3):
            with contextlib.suppress(ArithmeticError, pa.ArrowInvalid):
                columns[names[name]] = pa.array([Decimal(t) for t in texts], pa.decimal128(20, 2))
    pq.write_table(pa.table(columns), case.path, compression=rng.choice(["zstd", "snappy", "none"]))


_WRITERS = {
    "csv": _write_csv,
    "json": _write_json,
    "jsonl": _write_json,
    "xlsx": _write_workbook,
    "xls": _write_workbook,
    "ods": _write_workbook,
    "parquet": _write_parquet,
    "zip": _write_csv,
    "gz": _write_csv,
}

# Damages of whole files


def _damage(rng: random.Random, case: Case) -> None:
    data = case.path.read_bytes()
    choices = {
        "truncated": lambda: data[: rng.randrange(len(data))],
        "bytes changed": lambda: _flipped(rng, data),
        "empty": lambda: b"",
        "garbage": lambda: rng.randbytes(200),
        "binary zeros": lambda: data[:50] + b"\0" * 20 + data[50:],
        "twice": lambda: data + data,
    }
    if case.kind == "csv":
        lines = data.splitlines(keepends=True)
        place = rng.randrange(1, len(lines))
        choices |= {
            "header gone": lambda: b"".join(lines[1:]),
            "header only": lambda: lines[0],
            "header repeated": lambda: b"".join([*lines[:place], lines[0], *lines[place:]]),
            "quote never closed": lambda: b"".join([*lines[:place], b'"' + lines[place], *lines[place + 1 :]]),
            "field too many": lambda: b"".join(
                [*lines[:place], case.delimiter.encode() + lines[place], *lines[place + 1 :]]
            ),
            "blank lines": lambda: b"\n".join([*lines[:place], b"", *lines[place:]]),
            "rows shuffled": lambda: b"".join([lines[0], *rng.sample(lines[1:], len(lines) - 1)]),
        }
    if case.kind in ("parquet", "xls"):
        del choices["bytes changed"]  # no reader of a format without checksums can tell
    case.damage = rng.choice(list(choices))
    case.path.write_bytes(choices[case.damage]())


def _changed(rng: random.Random, mapping: str) -> str:
    """Return a mapping with a mistake: a line gone, twice, cut off, or with a word in the place of another one."""
    lines = mapping.splitlines()
    place, words = rng.randrange(len(lines)), mapping.split()
    return rng.choice([
        lambda: "\n".join(lines[:place] + lines[place + 1 :]),
        lambda: "\n".join([*lines[:place], lines[place], *lines[place:]]),
        lambda: mapping[: rng.randrange(len(mapping))],
        lambda: mapping.replace(rng.choice(words), rng.choice([*words, *MISTAKES]), 1),
    ])()  # fmt: skip


def _flipped(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        changed[rng.randrange(len(changed))] = rng.randrange(1, 256)
    return bytes(changed)
