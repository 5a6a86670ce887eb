"""What the staged rows of an input hold that a reader should know: credit balances, write-offs, unknown values."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.quoting import frequent_word
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest import unread_columns, unread_lateness, write_offs, writing
from abaco.ingest.columns import COMPANY, IS_WRITTEN_OFF, LOAN_STATUS, REGION, WRITTEN_OFF_ON
from abaco.ingest.contract import with_amount
from abaco.ingest.file_names import check_names
from abaco.ingest.lateness import late_by
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch, Staged
from abaco.ingest.tape import complete
from abaco.ingest.write_offs import CLOSED, CONTESTED, ENDED_IN, LATE_IN, STANDING, UNKNOWN, WORD, WRITTEN_OFF

# A rate beyond 500 % a year is hardly a fraction: where more than this part of them are, some are per cent.
HIGH_RATE, MOST_HIGH = 5, 0.01
BASIS_POINTS = 400  # from here on per cent are unlikely
# Per cent beside fractions: some of 2 or more a year (1 a month), others below 1, so many times apart.
LEAST_PER_CENT, APART = {"year": 2, "month": 1}, 20
MAX_WORDS = 5
LATE_WITHOUT_DAYS, ENDED_WITH_BALANCE = "late_without_days", "ended_with_balance"
WRITE_OFFS = (LOAN_STATUS.name, IS_WRITTEN_OFF.name, WRITTEN_OFF_ON.name)  # columns that tell of them


def notes(batches: Iterable[Batch], date: dt.date, engine: Engine) -> list[Reason]:
    """Return what to say of the rows of an input that count in another way than they stand, or not at all.

    Parameters
    ----------
    date
        The measurement date.
    """
    found, batches = [], list(batches)
    for batch in batches:
        if batch.is_tape:
            found += [*_balances(batch, date, engine), *_dates(batch, date, engine)]
        else:
            found += _written_off_beside(batch, batches, date, engine)
        found += _unknown(batch)
    return found


def _written_off_beside(batch: Batch, batches: Iterable[Batch], date: dt.date, engine: Engine) -> Iterator[Reason]:
    """Yield the loans that an export beside the tape says are written off, and that the tape has as outstanding."""
    if batch.format.key != ("loan_id",) or batch.columns.isdisjoint(WRITE_OFFS):
        return
    off = batch.usable(engine).filter(nw.col(STANDING) == WRITTEN_OFF).select("loan_id").unique()
    owed = nw.col("total_receivable_usd")
    for tape in (one for one in batches if one.is_tape):
        own = tape.accepted(engine).filter((nw.col("measurement_date") == date) & (owed > 0))
        sums = own.join(off, on="loan_id", how="semi").select(rows=nw.len(), usd=owed.sum())
        [row] = sums.collect("pyarrow").to_native().to_pylist()
        if row["rows"]:
            rows = with_amount(row["rows"], row["usd"])
            yield Reason("written_off_beside", rows=rows, export=tape.format.title, other=batch.format.title)


def check_rates(batches: Iterable[Batch], engine: Engine, interest_rate: str) -> None:
    """Raise when the interest rates of an export look like per cent, and no setting says what they are.

    Those that are per cent in some rows and fractions in others are so whatever a setting or a mapping says.

    Parameters
    ----------
    interest_rate
        The setting: ``auto``, or what it declares.

    Raises
    ------
    InputError
        Naming both readings of a rate and the setting.
    """
    for batch in (batch for batch in batches if "interest_rate" in batch.columns):
        for staged in batch.staged:
            _check_mixed(batch, staged, engine, interest_rate)
        if interest_rate != writing.AUTO:
            continue
        rates = _rates(batch, engine)
        if rates["median"] is not None and rates["median"] >= 1:
            which, rate = "their median", rates["median"]
            if rate >= BASIS_POINTS:
                raise InputError(
                    f"The interest rates of the {batch.format.title} are per cent or basis points: {which} {rate:g} is "
                    f"{rate:g} % a year, or {rate / 100:g} %; say the first by PARAMS=ingestion.interest_rate=percent, "
                    'or have a mapping make fractions of the second: compute: "[heading] * 0.0001" (make map INPUT=…)'
                )
        elif rates["above_1"] and (rates["signed"] or rates["high"] > MOST_HIGH * rates["count"]):
            which, rate = f"of {rates['count']:,} rates {rates['above_1']:,} are 1 or more, and", rates["highest"]
        else:
            continue
        raise InputError(
            f"The interest rates of the {batch.format.title} are per cent or fractions: {which} {rate:g} is "
            f"{rate:g} % a year, or {100 * rate:g} %; say which by "
            "PARAMS=ingestion.interest_rate=percent or PARAMS=ingestion.interest_rate=fraction"
        )


def _check_mixed(batch: Batch, staged: Staged, engine: Engine, interest_rate: str) -> None:
    """Raise when some rates of a file without a percent sign are per cent, and others fractions."""
    source, origin = staged.source, staged.source.mapping.columns.get("interest_rate")
    if "interest_rate" not in source.columns or (origin and not origin.heading):
        return
    is_percent = origin.as_ == writing.PERCENT if source.says_rate else interest_rate == writing.PERCENT
    unit = (origin.factor if origin else 1) / Decimal(100 if is_percent else 1)
    least = LEAST_PER_CENT[origin.per if origin else "year"]
    rate, is_bare = nw.col("interest_rate"), ~nw.col("rate_has_sign").fill_null(False)
    rows = batch.usable(engine).filter((nw.col("source") == staged.index) & is_bare & (rate > 0))
    below = nw.when(rate < unit).then(rate)
    ends = rows.select(low=below.max(), high=nw.when(below.is_null()).then(rate).min())
    [found] = ends.collect("pyarrow").to_native().to_pylist()
    low, high = found["low"], found["high"]
    if low is None or high is None or high < least * unit or high < APART * low:
        return
    at = {}
    for end in (high, low):
        [row] = rows.filter(rate == end).select(nw.col("record").min()).collect("pyarrow").to_native().to_pylist()
        at[end] = lines(staged, [row["record"]])[row["record"]]
    raise InputError(
        f"The interest rates of {source.name} are per cent in some rows and fractions in others: "
        f"{source.columns['interest_rate']} is {float(high / unit):g} in line {at[high]} and {float(low / unit):g} in "
        f"line {at[low]}, which is less than 1 %, or a fraction; write all of them with %, or all as fractions"
    )


def _rates(batch: Batch, engine: Engine) -> dict[str, Any]:
    """Return what the rates come to of which neither a percent sign nor a mapping says what they are, and how many."""
    said = [staged.index for staged in batch.staged if staged.source.says_rate]
    is_said = nw.col("rate_has_sign").fill_null(False) | nw.col("source").is_in(said)
    rate, is_bare = nw.col("interest_rate").cast(nw.Float64()).abs(), ~is_said
    counted = {
        "count": is_bare,
        "above_1": is_bare & (rate >= 1),
        "high": is_bare & (rate >= HIGH_RATE),
        "signed": ~is_bare,
    }
    bare = nw.when(is_bare).then(rate)
    rates = batch.usable(engine).filter(nw.col("interest_rate") != 0)
    sums = {name: which.cast(nw.Int64()).sum() for name, which in counted.items()}
    [found] = rates.select(**sums, median=bare.median(), highest=bare.max()).collect("pyarrow").to_native().to_pylist()
    return found | {name: int(found[name] or 0) for name in counted}


def _balances(batch: Batch, date: dt.date, engine: Engine) -> Iterator[Reason]:
    """Yield the loans of the date that are overpaid, those that are written off by their status, and unknown statuses.

    Raises
    ------
    InputError
        When more is overpaid than owed: then the signs are turned; when a column may be one of regions or of statuses.
    """
    standing, amount = nw.col(STANDING), nw.col("amount_usd")
    present = batch.usable(engine).collect_schema().names()
    is_ended = (standing == CLOSED) | ~nw.col(ENDED_IN).is_null() if ENDED_IN in present else standing == CLOSED
    is_unknown, is_closed = standing == UNKNOWN, is_ended & (amount > 0)
    is_later = unread_lateness.says_more_days({s.index: s.source for s in batch.staged}, present)
    is_late = (write_offs.late_without_days(present, date) | is_later) & (amount > 0)
    has_companies, company = COMPANY.name in present and len(batch.staged) > 1, nw.col(COMPANY.name)
    files = (
        batch.usable(engine)
        .filter(nw.col("measurement_date") == date)
        .group_by("source")
        .agg(
            owed=amount.sum(),
            credit=nw.col("credit_usd").sum(),
            credits=nw.col("credit_usd").count(),
            lost=nw.col("lost_usd").sum(),
            losses=nw.col("lost_usd").count(),
            contested=nw.when(nw.col(CONTESTED)).then(nw.col("lost_usd")).sum(),
            contests=nw.when(nw.col(CONTESTED)).then(nw.col("lost_usd")).count(),
            closed=nw.when(is_closed).then(amount).sum(),
            closures=nw.when(is_closed).then(amount).count(),
            lateness=nw.when(is_late).then(amount).sum(),
            lates=nw.when(is_late).then(amount).count(),
            stated=standing.count(),
            unknown=nw.when(is_unknown).then(amount).sum(),
            unknowns=nw.when(is_unknown).then(amount).count(),
            **({"company": company.min(), "other_company": company.max()} if has_companies else {}),
        )
    )
    found = files.collect("pyarrow").to_native().to_pylist()
    stating = {s.index for s in batch.staged if not s.source.columns.keys().isdisjoint(WRITE_OFFS)}
    stating |= {row["source"] for row in found if row["closures"]}
    owing = {row["source"]: batch.names[row["source"]] for row in found if row["owed"]}
    check_names(owing.values(), [owing[index] for index in stating & {*owing}])
    of_regions = _of_regions(batch, found)
    of_one = [row["company"] for row in found if has_companies and row["company"] == row["other_company"]]
    if None not in of_one and len(of_one) == len(found) == len({*of_one}) > 1:
        yield Reason("files_of_companies", names=tuple(sorted(batch.names[row["source"]] for row in found)))
    told = [row for row in found if row["source"] not in of_regions]
    summed = ("owed", "credit", "credits", "lost", "losses", "contested", "contests", "closed", "closures")
    summed = (*summed, "lateness", "lates")
    sums = {name: sum(row[name] or 0 for row in found) for name in summed}
    sums |= {name: sum(row[name] or 0 for row in told) for name in ("unknown", "unknowns")}
    if sums["credit"] > sums["owed"]:
        raise InputError(
            f"Most balances of the {batch.format.title} are negative: the loans are overpaid, or the signs are turned; "
            "write what borrowers owe as positive amounts, or sign: reversed in the mapping"
        )
    for code, rows_, usd in (
        ("credit_balances", "credits", "credit"),
        ("written_off_by_status", "losses", "lost"),
        ("written_off_contested", "contests", "contested"),
        (ENDED_WITH_BALANCE, "closures", "closed"),
        (LATE_WITHOUT_DAYS, "lates", "lateness"),
        ("status_unknown", "unknowns", "unknown"),
    ):
        if sums[rows_]:
            more = {"words": _unknown_words(batch, date, of_regions, engine)} if code == "status_unknown" else {}
            if code == LATE_WITHOUT_DAYS:
                more |= {"usd": sums[usd] - _late_of(batch, date, is_late, engine)}
            if code == ENDED_WITH_BALANCE:
                more |= {"late_usd": sums[usd] - _late_of(batch, date, is_closed, engine), "added_usd": -sums[usd]}
            if code in (LATE_WITHOUT_DAYS, ENDED_WITH_BALANCE):
                which, said_in = (is_late, LATE_IN) if code == LATE_WITHOUT_DAYS else (is_closed, ENDED_IN)
                rows = batch.usable(engine).filter((nw.col("measurement_date") == date) & which)
                headings = {s.index: s.source.headings for s in batch.staged}
                yield from unread_columns.told(rows, said_in, batch.names, headings)
            yield Reason(code, rows=with_amount(int(sums[rows_]), sums[usd]), **more)


def _late_of(batch: Batch, date: dt.date, which: nw.Expr, engine: Engine) -> Decimal:
    """Return what is 30 or more days late of some loans, 0 where that is unknown."""
    rows = batch.usable(engine).filter((nw.col("measurement_date") == date) & which)
    [row] = complete(rows).select(late_by(30).sum().alias("usd")).collect("pyarrow").to_native().to_pylist()
    return row["usd"] or Decimal(0)


def _unknown_words(batch: Batch, date: dt.date, of_regions: Collection[int], engine: Engine) -> tuple[str, ...]:
    """Return the most frequent statuses that no list has, as a message may show them."""
    rows = batch.usable(engine).filter((nw.col("measurement_date") == date) & ~nw.col(WORD).is_null())
    found = rows.filter(~nw.col("source").is_in(sorted(of_regions))).group_by(WORD).agg(rows=nw.len())
    often = sorted(found.collect("pyarrow").to_native().to_pylist(), key=lambda row: (-row["rows"], row[WORD]))
    return tuple(dict.fromkeys(frequent_word(row[WORD], row["rows"]) for row in often[:MAX_WORDS]))


def _dates(batch: Batch, date: dt.date, engine: Engine) -> Iterator[Reason]:
    """Yield dates that may be wrong: later ones of a few rows, and those after the month in the name of their file."""
    if not batch.format.is_dated:
        return
    day = nw.col("measurement_date")
    rows = batch.rows(engine).filter(~day.is_null()).group_by("source", day).agg(rows=nw.len())
    counts: Counter[dt.date] = Counter()
    last: dict[int, dt.date] = {}
    for row in rows.collect("pyarrow").to_native().to_pylist():
        counts[row["measurement_date"]] += row["rows"]
        if row["measurement_date"] <= date:
            last[row["source"]] = max(row["measurement_date"], last.get(row["source"], row["measurement_date"]))
    ahead = sorted((one, count) for one, count in counts.items() if one > date and 2 * count < counts[date])
    if ahead:
        yield Reason("dates_ahead", date=str(date), names=tuple(f"{one} ({count})" for one, count in ahead))
    for staged in (one for one in batch.staged if one.source.named_date and one.index in last):
        said, newest = staged.source.named_date, last[staged.index]
        if dt.date.fromisoformat(said) < newest.replace(day=1):
            yield Reason("name_before_dates", name=staged.source.name, said=said[:7], last=str(newest))


def _of_regions(batch: Batch, found: Iterable[Mapping[str, Any]]) -> set[int]:
    """Return the files whose column ``estado`` holds regions.

    Raises
    ------
    InputError
        When it holds statuses and other words.
    """
    unclear = {s.index: s.source for s in batch.staged if s.source.is_region_or_status}
    of_regions = {row["source"] for row in found if row["source"] in unclear and row["stated"] == row["unknowns"]}
    for row in found:
        if row["source"] in unclear and row["source"] not in of_regions and row["unknowns"]:
            source = unclear[row["source"]]
            heading = source.columns[REGION.name]
            raise InputError(
                f"{source.name}: {heading} holds statuses of loans in {row['stated'] - row['unknowns']} rows and other "
                f"words in {row['unknowns']}: regions, or statuses that are not in params/loans.yml; name the column "
                "loan_status or region, or add the words there"
            )
    return of_regions


def _unknown(batch: Batch) -> list[Reason]:
    """Return how many values of each optional column could not be used."""
    counts = sum((Counter(found) for found in batch.unread.values()), Counter())
    export = batch.format.title
    return [Reason("values_unknown", column=name, export=export, count=n) for name, n in sorted(counts.items())]
