"""Amounts in several currencies: converted by a table of rates, exactly, or refused; who says the report's currency."""

import datetime as dt
import itertools
from decimal import ROUND_HALF_UP, Decimal

import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, quarantine, rate_table, reconciliation, roles
from abaco.ingest.currency import reporting_currency
from tests.ingest.test_cases import csv, loans, only, par, refused
from tests.support.exports import DATE, write
from tests.support.figures import figures_of

HEAD = "date,from,to,rate"
RATES = (HEAD, "2025-12-31,EUR,USD,1.0825", "2025-12-31,INR,USD,0.011905")
MIXED = ["EUR"] + ["usd"] * 8 + ["INR"]  # L001 is 1,500.50 at 35 days, L010 500.00 and not late
# 1,624.29 (1,624.29125) + 7,999.50 + 5.95 (5.9525), of them 1,624.29 at 35 days late and 499.50 at 120
RIGHT = {"Outstanding": 9629.74, "PAR30": 22.0545, "PAR90": 5.1871}


def book(folder, *rates, **columns):
    csv(folder / "in" / "loans.csv", loans(**columns))
    if rates:
        write(folder / "in" / "rates.csv", *rates)
    return folder / "in"


@pytest.mark.parametrize(
    "rates",
    [
        RATES,
        ("fecha,desde,hacia,tipo de cambio", *RATES[1:]),
        ("Fecha;Moneda origen;Moneda destino;Tasa", *(line.replace(",", ";") for line in RATES[1:])),
        (*RATES, "2025-12-31,USD,EUR,0.9238", "2025-12-31,EUR,USD,1.0825", "2024-01-01,EUR,USD,1"),
    ],
)
def test_amounts_are_converted_at_the_rate_of_their_date(tmp_path, rates):
    setting = "USD" if len(rates) > 3 else "auto"  # it leads to euros as well
    found = figures_of(book(tmp_path, *rates, currency=MIXED), currency=setting)
    assert only(found.values, RIGHT) == RIGHT
    assert found.currency == "USD"
    told = [note for note in found.notes if note.startswith("Amounts")]
    assert told == [
        "Amounts are in USD, as the setting run.currency says."
        if setting == "USD"
        else "Amounts are in USD, the currency that the rates of rates.csv lead to.",
        "Amounts in EUR are in USD at the rate of rates.csv of the day of each row, rounded to cents (days: 1; on "
        "2025-12-31, 1 EUR was 1.0825 USD).",
        "Amounts in INR are in USD at the rate of rates.csv of the day of each row, rounded to cents (days: 1; on "
        "2025-12-31, 1 INR was 0.011905 USD).",
    ]


def test_rows_of_dates_and_flows_have_the_rate_of_their_own_day(tmp_path):
    folder = tmp_path / "in"
    csv(folder / "par.csv", [[name.replace("usd", "inr") for name in par()[0]], *par()[1:3]])
    flows = "loan_id,{},principal,interest,other,fees,to_tax,add_balance,reduce_balance,currency"
    write(
        folder / "due.csv",
        flows.format("date_due"),
        "A-0,2025-12-30,10,0,0,0,0,0,0,INR",
        "A-0,2026-06-30,10,0,0,0,0,0,0,INR",
    )
    write(folder / "paid.csv", flows.format("transaction_type,date_paid"), "A-0,PAYMENT,2025-12-29,10,-1,0,0,0,0,0,INR")
    write(folder / "fx.csv", HEAD, *(f"2025-12-{31 - i},INR,USD,{i + 2}" for i in range(3)))
    found, _ = discovery.discover(folder)
    with DuckDB() as engine:
        rates = rate_table.exchange(found, engine, tmp_path)
        batches = roles.stage(found, DATE, engine, tmp_path, rates=rates)
        rejects, _ = quarantine.quarantine(batches, engine)
        rows = {b.format.name: b.accepted(engine).collect("pyarrow").to_native().to_pylist() for b in batches}
        books = {b.format.name: reconciliation.reconcile(b, rejects, engine) for b in batches}
        reporting = reporting_currency(batches, engine, rates=rates)
    assert [(row["total_receivable_usd"], row["dpd_30_60_usd"]) for row in rows["par_balances"]] == [(200, 200)] * 2
    assert [row["principal"] for row in rows["schedules"]] == [30, 20]  # an instalment to come: the rate of the report
    assert [(row["principal"], row["interest"]) for row in rows["transactions"]] == [(40, -4)]
    assert books["par_balances"]["amount_in"] == "400.00"
    assert [(one["date"], one["rate"]) for one in reporting.rates] == [
        ("2025-12-29", "4"), ("2025-12-30", "3"), ("2025-12-31", "2"),
    ]  # fmt: skip


def test_amounts_at_a_rate_are_exact_and_rounded_half_up_once(tmp_path):
    amounts = [f"{whole}.{cents:02}" for whole, cents in itertools.product((0, 1, 999_999_999), (1, 5, 49, 50, 99))]
    rates = ("0.5", "1.005", "0.333333333333", "0.000061728395")
    for number, rate in enumerate(rates):
        folder = tmp_path / str(number)
        columns = "loan_id,disburse_date,interest_rate,disburse_principal,outstanding_balance,dpd,currency,customer_id"
        lines = [f"L{i},2025-01-01,0.1,1,{amount},0,CLP,C" for i, amount in enumerate(amounts)]
        write(folder / "in" / "loans.csv", columns, *lines)
        write(folder / "in" / "rates.csv", HEAD, f"2025-12-31,CLP,USD,{rate}")
        found, _ = discovery.discover(folder / "in")
        with DuckDB() as engine:
            given = rate_table.exchange(found, engine, folder)
            [batch] = roles.stage(found, DATE, engine, folder, rates=given)
            rows = batch.accepted(engine).select("loan_id", "total_receivable_usd").collect("pyarrow").to_native()
        expected = [(Decimal(a) * Decimal(rate)).quantize(Decimal("0.01"), ROUND_HALF_UP) for a in amounts]
        assert rows["total_receivable_usd"].to_pylist() == expected
        assert rows["loan_id"].to_pylist() == [f"L{i}" for i in range(len(amounts))]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (RATES[:2], "loans.csv has amounts in INR of 2025-12-31, but rates.csv no rate: add the line "
         "2025-12-31,INR,USD,<rate>"),
        ((HEAD, "2025-12-30,EUR,USD,1.08", RATES[2]), "loans.csv has amounts in EUR of 2025-12-31, but rates.csv no "
         "rate: add the line 2025-12-31,EUR,USD,<rate>"),
        ((HEAD, "2025-12-31,INR,EUR,0.01"), "loans.csv has amounts in USD of 2025-12-31, but rates.csv no rate"),
        ((*RATES, "2025-12-31,EUR,USD,1.09"), "rates.csv: EUR to USD on 2025-12-31 has the rates 1.0825 and 1.09: "),
        ((*RATES, "2025-12-31,USD,EUR,0.93"), "rates.csv: EUR to USD on 2025-12-31 is 1.0825, and back 0.93: "),
        ((*RATES, "2025-12-31,INR,EUR,0.011"), "The rates of rates.csv lead to EUR and USD: set run.currency to"),
        ((HEAD,), "The rates of rates.csv lead to no currency: set run.currency to"),
        ((*RATES, "2025-12-30,EUR,EUR,1"), "rates.csv: '2025-12-30,EUR,EUR,1' is not"),
        ((*RATES, "2025-12-30,EUR,dollars,1"), "rates.csv: '2025-12-30,EUR,dollars,1' is not"),
        ((*RATES, "31 of December,EUR,USD,1"), "rates.csv: '31 of December,EUR,USD,1' is not"),
        *(((*RATES, f"2025-12-30,EUR,USD,{rate}"), f"rates.csv: the rate of '2025-12-30,EUR,USD,{rate}' is not")
          for rate in ("0", "-1.08", "NaN", "1e8", "x", "0.1234567890123")),
    ],
)  # fmt: skip
def test_rates_that_are_missing_or_can_be_read_in_two_ways_are_refused(tmp_path, lines, message):
    assert refused(book(tmp_path, *lines, currency=MIXED)).startswith(message)


@pytest.mark.parametrize(
    ("columns", "more", "message"),
    [
        ({}, {}, "loans.csv has rows that state no currency, 10 rows, the first in line 2, and there are exchange "
         "rates: add a column currency, or set run.currency to what they are in"),
        ({"currency": ["EUR"] * 9 + [""]}, {}, "loans.csv has rows that state no currency, 1 row, the first in line "
         "11, and there are exchange rates: write the currency of each"),
        ({"currency": ["EUR"] * 8 + ["", " "]}, {"currency": "USD"}, "loans.csv has rows that state no currency, 2 "
         "rows, the first in line 10, and there are exchange rates: write the currency of each"),
        ({"currency": ["EUR"] * 9 + ["money"]}, {}, "loans.csv: its column of currencies holds more than codes"),
        *(({"currency": ["USD", "#REF!", "#N/A"] + ["USD"] * 7}, more, "loans.csv: its column of currencies holds "
           "more than codes of ISO 4217, such as USD, in 2 rows, the first in line 3: write the currency of each")
          for more in ({}, {"currency": "USD"})),
        ({"currency": ["EUR"] * 10, "outstanding_balance": lambda cell: f"$ {cell}"}, {},
         "loans.csv has amounts with $ in rows that are in EUR: "),
    ],
)  # fmt: skip
def test_currency_of_a_row_is_never_guessed(tmp_path, columns, more, message):
    assert refused(book(tmp_path, *RATES, **columns), **more).startswith(message)


def test_rows_without_an_amount_need_no_currency(tmp_path):
    amounts = {"outstanding_balance": ["100.00"] * 9 + ["0"], "disburse_principal": ["0"] * 10}
    path = book(tmp_path, *RATES, currency=["EUR"] * 9 + [""], **amounts)
    assert figures_of(path).values["Outstanding"] == figures_of(path, currency="USD").values["Outstanding"] == 974.25


def test_blank_currencies_are_those_of_the_setting_where_nothing_is_converted(tmp_path):
    path = book(tmp_path, *RATES, currency=["USD"] * 9 + [""])
    assert figures_of(path, currency="USD").values["Outstanding"] == 10000.0


def test_headings_and_column_that_disagree_are_refused(tmp_path):
    csv(tmp_path / "in" / "par.csv", par(currency=["EUR"] * 20))
    write(tmp_path / "in" / "rates.csv", *RATES)
    message = "par.csv says USD in its headings, title, name or mapping, and EUR in currency: state one of them"
    assert refused(tmp_path / "in") == message


def test_amount_too_large_at_its_rate_is_refused(tmp_path):
    rates = (HEAD, "2025-12-31,EUR,USD,9999999")
    message = refused(book(tmp_path, *rates, currency=["EUR"] * 10, outstanding_balance=["9999999999.00"] * 10))
    assert message == "loans.csv has an amount in EUR of more than 16 digits in USD: correct it"


@pytest.mark.parametrize(
    ("columns", "setting", "expected"),
    [
        ({}, "auto", ("USD", [])),
        ({}, "JPY", ("JPY", ["Amounts are in JPY, as the setting run.currency says."])),
        ({"currency": ["INR"] * 10}, "auto", ("INR", ["Amounts are in INR, as stated in loans.csv."])),
        ({"currency": ["INR"] * 10}, "INR", ("INR", ["Amounts are in INR, as the setting run.currency says."])),
    ],
)
def test_currency_is_told_with_who_says_so(tmp_path, columns, setting, expected):
    found = figures_of(book(tmp_path, **columns), currency=setting)
    assert (found.currency, [note for note in found.notes if note.startswith("Amounts")]) == expected
    assert found.values["Outstanding"] == 10000.0


def test_another_currency_than_that_of_the_setting_is_refused_or_converted(tmp_path):
    path = book(tmp_path, currency=["EUR"] * 10)
    message = (
        "Amounts in EUR in loans.csv, but run.currency is USD: add a table of exchange rates (date, from, to, rate)"
    )
    assert refused(path, currency="USD").startswith(message)
    write(path / "rates.csv", *RATES)
    assert figures_of(path, currency="USD").values["Outstanding"] == 10825.0


def test_files_without_a_currency_are_in_that_of_the_setting(tmp_path):
    found = figures_of(book(tmp_path, *RATES), currency="USD")
    assert (found.values["Outstanding"], found.currency) == (10000.0, "USD")


def test_rates_of_later_days_do_not_matter(tmp_path):
    rows = (*RATES, f"{DATE + dt.timedelta(1)},EUR,USD,2")
    assert figures_of(book(tmp_path, *rows, currency=MIXED)).values["Outstanding"] == RIGHT["Outstanding"]
