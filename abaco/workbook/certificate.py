"""The compliance certificate of a facility as rows of cells, from which the workbook and the PDF are made.

Formulas lead from the sums by reason to the availability, and from the months of a covenant to its level. A formula is
given only where all that it needs is known.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from abaco.core.currencies import current
from abaco.page.facilities import CASH, ENDS, FALLS, LEVELS, MOST_MONTHS, figure, lasting, measured
from abaco.page.language import phrase, say
from abaco.page.masthead import as_of, sample
from abaco.page.words import day
from abaco.workbook.book import place

WIDTHS = (46, 21, 20, 20, 17, 17, 14, 19, 9)  # characters of each column
NAME, AMOUNT, BASIS, RATE, LOANS = range(5)
VALUE, WARNING, TRIGGER, DEFAULT, RESULT, POINTS, USD, MONTHS = range(1, 9)
MONTH, ABOVE, BELOW, QUOTIENT = range(1, 5)
BASE_HEADS = ("Borrowing base", "Amount", "Of", "Rate or limit, %", "Loans")
COVENANT_HEADS = ("Covenant", "Value", "Warning", "Trigger", "Default", "Result", "Headroom", "Headroom, USD", "Months")
INPUT_HEADS = ("What covenants are computed from", "Month", "Numerator", "Denominator", "Value")
SIGNATURE_HEADS = ("Signatures", "Name", "", "Function", "", "Date", "", "Signature", "")
SIGNATURES = ("Prepared by", "Approved by")
FIRST = 6  # the row of the first line of the borrowing base, counted from 0
SIGNED = 2 + len(SIGNATURES)  # rows of the statement that is signed and of its signatures, the last
TOTALS = ("pool", "eligible", "net_eligible", "borrowing_base", "availability")
NAMES = {**ENDS, **FALLS, "eligible": "Eligible", "advance": "Advance: {name}", "cash": CASH}
UNKNOWN, ADVANCE = "Not known", "Advance"


@dataclass(frozen=True)
class Cell:
    """A value, what it is computed by, and its unit: that of a number, or empty."""

    value: Any = None
    formula: str = ""
    unit: str = ""
    decimals: int = 2


@dataclass(frozen=True)
class Row:
    """A row of cells, and its look: title, text, heads, line, total, signatures (their heads) or signature."""

    look: str
    cells: Sequence[Cell]


def certificate(
    key: str, metrics: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], inputs: Sequence[Mapping[str, Any]]
) -> list[Row]:
    """Return the certificate of a facility on the date of a report.

    Parameters
    ----------
    metrics
        The content of metrics.json, in words.
    lines, inputs
        The rows of the facility and date in the tables ``borrowing_base`` and ``covenant_inputs``.
    """
    one, date = metrics["facilities"][key], dt.date.fromisoformat(metrics["date"])
    rows = [
        Row("title", [Cell(say("Compliance certificate: {title}", title=one["title"]))]),
        *_facts(one, metrics),
        Row("text", [Cell(" ".join(one["verdict"]))]),
        *_base(lines, FIRST),
    ]
    if one["covenants"]:
        rows += _covenants(one, metrics, _linked(inputs, one, lines), len(rows), date)
    named = [Row("signature", [Cell(phrase(who))]) for who in SIGNATURES]
    stated = say(
        "We, the undersigned, certify for the borrower that this certificate is complete and correct as of {date}.",
        date=day(metrics["date"]),
    )
    return [*rows, Row("text", ()), Row("text", [Cell(stated)]), _heads(SIGNATURE_HEADS, "signatures"), *named]


def _facts(one: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[Row]:
    facts = say("Lender: {lender}. Figures of {date}, in {currency}. Report {run}.", lender=one["lender"],
                date=day(metrics["date"]), currency=current(), run=metrics["run_id"])  # fmt: skip
    remarks = " ".join(filter(None, (sample(metrics), as_of(metrics))))
    return [Row("text", [Cell(facts)]), Row("text", [Cell(remarks)] if remarks else ())]


def _heads(heads: Sequence[str], look: str = "heads") -> Row:
    return Row(look, [Cell(phrase(head) if head else None) for head in heads])


def _base(lines: Sequence[Mapping[str, Any]], first: int) -> list[Row]:
    """Return the borrowing base, line by line, of which the first stands in row `first`, counted from 0."""
    at = _places(lines, first)
    usd = {line["kind"]: line["amount_usd"] for line in lines}
    lines = [line | {"basis_at": _basis(line, usd, at)} for line in lines]
    return [Row("text", ()), _heads(BASE_HEADS), *(_line(line, first + i, at) for i, line in enumerate(lines))]


def _places(lines: Sequence[Mapping[str, Any]], first: int) -> dict[str, list[int]]:
    return {kind: [first + i for i, line in enumerate(lines) if line["kind"] == kind] for kind in _KINDS}


def _basis(line: Mapping[str, Any], usd: Mapping[str, Any], at: Mapping[str, Sequence[int]]) -> str:
    """Return the cell that the basis of a rate or limit comes from; "" for that of a class, which is given."""
    kind = _BASES.get(line["kind"])
    return _cell(at, kind) if kind and line["basis_usd"] is not None and line["basis_usd"] == usd[kind] else ""


def _linked(
    inputs: Sequence[Mapping[str, Any]], one: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return what covenants are computed from, with the cells of the lines of this borrowing base among it."""
    at, found = _places(lines, FIRST), []
    for row in inputs:
        entry = one["covenants"][row["covenant"]]
        sides = {"numerator": entry["line"], "denominator": entry["share_of"]}
        cells = {}
        for side, kind in sides.items():
            amounts = [line["amount_usd"] for line in lines if line["kind"] == kind]
            if row["month"] == row["date"] and amounts and None not in amounts and sum(amounts) == row[side]:
                cells[f"{side}_at"] = _cell(at, kind) if len(amounts) == 1 else _sum(at[kind])
        found.append({**row, **cells})
    return found


def _line(line: Mapping[str, Any], row: int, at: Mapping[str, Sequence[int]]) -> Row:
    usd = line["amount_usd"]
    formula = "" if usd is None or line["kind"] not in _KINDS else _KINDS[line["kind"]](row, at)
    is_given = line["kind"] in ("advance", "reserve", "cash") and line["rate_pct"] is None
    amount = Cell(phrase(UNKNOWN)) if usd is None else Cell(usd, "" if is_given else formula, current())
    cells = [Cell(_name(line)), amount, Cell(line["basis_usd"], line["basis_at"], current()), Cell(line["rate_pct"])]
    return Row("total" if line["kind"] in TOTALS else "line", [*cells, Cell(line["loans"], decimals=0)])


def _name(line: Mapping[str, Any]) -> str:
    if line["line"] == line["kind"] == "advance":
        return phrase(ADVANCE)
    return say(NAMES[line["kind"]], name=_worded(line["line"]))


def _sum(rows: Sequence[int]) -> str:
    return f"SUM({place(rows[0], AMOUNT)}:{place(rows[-1], AMOUNT)})" if rows else "0"


def _cell(at: Mapping[str, Sequence[int]], kind: str) -> str:
    return place(at[kind][0], AMOUNT)


def _share(row: int, at: Mapping[str, Sequence[int]]) -> str:
    return f"ROUND({place(row, BASIS)}*{place(row, RATE)}/100,2)"


# What the rate or limit of a line is of, where it is not of a class, cash or the commitment.
_BASES = {"excess": "eligible", "advance": "net_eligible", "reserve": "net_eligible"}
# What each line of a borrowing base is computed by; those without an entry, or with an empty one, are given.
_KINDS = {
    "pool": lambda row, at: "",
    "ineligible": lambda row, at: "",
    "eligible": lambda row, at: f"{_cell(at, 'pool')}-{_sum(at['ineligible'])}",
    "excess": lambda row, at: "",
    "net_eligible": lambda row, at: f"{_cell(at, 'eligible')}-{_sum(at['excess'])}",
    "advance": _share,
    "reserve": _share,
    "cash": _share,
    "borrowing_base": lambda row, at: f"{_sum(at['advance'])}-{_sum(at['reserve'])}+{_cell(at, 'cash')}",
    "over_commitment": lambda row, at: f"MAX({_cell(at, 'borrowing_base')}-{place(row, BASIS)},0)",
    "drawn": lambda row, at: "",
    "availability": lambda row, at: "-".join(_cell(at, k) for k in ("borrowing_base", "over_commitment", "drawn")),
}


def _covenants(
    one: Mapping[str, Any], metrics: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]], first: int, date: dt.date
) -> list[Row]:
    """Return the covenants, and below them the months that they are computed from."""
    begins, at = first + 2 + len(one["covenants"]) + 2, {}
    below = [Row("text", ()), _heads(INPUT_HEADS)]
    for name, entry in one["covenants"].items():
        own = sorted((row for row in inputs if row["covenant"] == name), key=lambda row: row["month"])
        formula = metrics["kpis"].get(entry["kpi"], {}).get("formula", "")
        told = f"{_worded(name)}: {figure(entry)}" + (f" = {formula}" if formula else "")
        if entry["reason"]:
            told += " – " + say("Not computable: {reason}.", reason=entry["reason"])
        below.append(Row("line", [Cell(told)]))
        at[name] = range(begins + 1, begins + 1 + len(own))
        below += [_month(row, entry, begins + 1 + i) for i, row in enumerate(own)]
        begins += 1 + len(own)
    rows = [Row("text", ()), _heads(COVENANT_HEADS)]
    for row, (name, entry) in enumerate(one["covenants"].items(), first + 2):
        has_below = any(one["covenant"] == name and one["denominator"] is not None for one in inputs)
        rows.append(_covenant(name, entry, row, at[name], has_below, date))
    return [*rows, *below]


def _worded(name: str) -> str:
    return name.replace("_", " ")


def _month(row: Mapping[str, Any], entry: Mapping[str, Any], at: int) -> Row:
    unit = current() if entry["headroom_usd"] is not None else ""
    above, below = (Cell(row[name], row.get(f"{name}_at", ""), unit) for name in ("numerator", "denominator"))
    if row["numerator"] is None:
        value = Cell(row["value"], decimals=entry["precision"])
    else:
        scale = 100 if entry["unit"] == "%" else 1
        text = f"{scale}*{place(at, ABOVE)}" + (f"/{place(at, BELOW)}" if row["denominator"] is not None else "")
        exact = scale * row["numerator"] / (1 if row["denominator"] is None else row["denominator"])
        value = Cell(exact, text, decimals=entry["precision"])
    return Row("line", [Cell(), Cell(row["month"]), above, below, value])


def _covenant(
    name: str, entry: Mapping[str, Any], row: int, months: Sequence[int], has_below: bool, date: dt.date
) -> Row:
    title = Cell(f"{_worded(name)}: {measured(entry)} ({phrase(entry['unit'])})")
    limits = [Cell(entry[f"{level}_at"], decimals=entry["precision"]) for level in ("warning", "trigger", "default")]
    if entry["value"] is None:
        return Row("line", [title, Cell(), *limits, Cell(phrase(LEVELS["not_computable"]))])
    cells = f"{place(months[0], QUOTIENT)}:{place(months[-1], QUOTIENT)}"
    is_mean = entry["window"] and entry["window"]["take"] == "mean"
    exact = f"AVERAGE({cells})" if is_mean else f"SUM({cells})"
    value = place(row, VALUE)
    sign = "<" if entry["better"] == "higher" else ">"
    set_ = {n: place(row, c) for n, c in _LEVELS.items() if entry[f"{n}_at"] is not None}
    limit = _next_limit(value, sign, set_)
    room = f"({limit}-{{}})" if sign == ">" else f"({{}}-{limit})"
    points = Cell(entry["headroom_points"], room.format(value), decimals=entry["precision"])
    usd = Cell()
    if entry["headroom_usd"] is not None:
        whole = f"*{place(months[-1], BELOW)}" if has_below else ""
        per = len(months) if is_mean else 1
        scale = "" if entry["unit"] == "%" else "*100"
        text = f"INT(ROUND({room.format(exact)}*{per}{whole}{scale},4))/100"
        usd = Cell(Decimal(entry["headroom_usd"]), text, current())
    result = Cell(phrase(LEVELS[entry["level"]]), _result(value, sign, set_, entry, date))
    shown = Cell(entry["value"], f"ROUND({exact},{entry['precision']})", decimals=entry["precision"])
    months = entry["headroom_months"]
    months = Cell(months if months is None or months <= MOST_MONTHS else lasting(months), decimals=1)
    return Row("line", [title, shown, *limits, result, points, usd, months])


_LEVELS = {"warning": WARNING, "trigger": TRIGGER, "default": DEFAULT}


def _next_limit(value: str, sign: str, levels: Mapping[str, str]) -> str:
    """Return the limit that headroom is to: the first contractual one that is not passed, or else the last."""
    binding = [cell for name, cell in levels.items() if name != "warning"] or list(levels.values())
    return f"IF({value}{sign}{binding[0]},{binding[1]},{binding[0]})" if len(binding) > 1 else binding[0]


def _result(value: str, sign: str, levels: Mapping[str, str], entry: Mapping[str, Any], date: dt.date) -> str:
    text = _quoted("ok")
    for name, cell in levels.items():
        word = _quoted(name)
        if name == "default" and entry["cure_until"]:
            until = dt.date.fromisoformat(entry["cure_until"])
            days = "DATE({0.year},{0.month},{0.day})"
            word = f"IF({days.format(date)}<={days.format(until)},{_quoted('curing')},{word})"
        text = f"IF({value}{sign}{cell},{word},{text})"
    return text


def _quoted(level: str) -> str:
    return '"' + phrase(LEVELS[level]).replace('"', '""') + '"'
