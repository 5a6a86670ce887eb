"""Charts of the deep dives: what they say, and that an empty table gives a sentence."""

import datetime as dt
import re
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest

from abaco.page import charts

MONTHS = pd.DataFrame(
    {"due_usd": [Decimal("2.00"), Decimal("1.00")], "paid_usd": [Decimal("1.50"), None]}, ["Jan", "Feb"]
)


def test_lines_have_their_names_and_last_values_at_their_ends():
    drawn = charts.lines(MONTHS, "Less was paid < due.", "paid", unit=" USD")
    assert "Less was paid &lt; due." in drawn
    assert all(f">{name}<" in drawn for name in ("Due 1.00 USD", "Paid 1.50 USD", "Jan", "Feb"))
    assert "<title>Due, Jan: 2.00 USD</title>" in drawn


def test_history_says_the_unit_of_its_figures_and_no_figure_of_the_scale_is_cut():
    past = pd.DataFrame({"Average ticket": [5_130_290.0, 6_998_900.0]}, ["Jan", "Feb"])
    past.attrs[charts.UNIT] = " USD"
    drawn = charts.lines(past, "The ticket rose.", "ticket")
    assert ">Average ticket 6,998,900.00 USD<" in drawn and "%" not in drawn
    scale = re.findall(r'text-anchor: end[^>]* x="([\d.]+)"[^>]*>([\d,]+ USD)<', drawn)
    assert "6,000,000 USD" in dict(map(reversed, scale))
    assert all(float(x) > 7 * len(text) for x, text in scale)


def test_bars_have_their_names_above_them():
    drawn = charts.bars(MONTHS, "Paid.", "paid")
    assert all(f">{name}<" in drawn for name in ("Due", "Paid", "Jan", "Feb"))


def test_dates_are_named_at_ends_of_quarters():
    ends = [dt.date(2025, month, 1) - dt.timedelta(1) for month in range(2, 12)]
    drawn = charts.lines(pd.DataFrame({"a": range(10)}, ends), "Up.", "up").replace("\u00a0", " ")
    assert re.findall(r">(\w+ 2025)<", drawn) == ["Mar 2025", "Jun 2025", "Sep 2025"]


def test_whole_numbers_are_named_at_even_steps_from_0():
    drawn = charts.lines(pd.DataFrame({"a": range(19)}), "Up.", "up")
    assert re.findall(r'y="[34]\d\d[^>]*>(\d+)<', drawn) == ["0", "3", "6", "9", "12", "15", "18"]


def test_table_has_the_words_of_the_page():
    frame = pd.DataFrame(
        {"opening": ["7–30", "Not Provided"], "30–60": [1.5, None], "unpaid_usd": [Decimal("2.00")] * 2}
    )
    shown = charts.table(frame, "Moves").replace("\u2060", "").replace("\u00a0", " ")
    assert all(f">{text}<" in shown for text in ("Opening", "30–60 days", "Unpaid, USD", "not given (missing data)"))
    assert ">7–29 days<" in shown


@pytest.mark.parametrize("draw", [charts.lines, charts.bars])
def test_same_table_is_the_same_bytes(draw):
    assert draw(MONTHS, "Paid.", "paid") == draw(MONTHS, "Paid.", "paid")


@pytest.mark.parametrize("draw", [charts.lines, charts.bars])
def test_empty_table_gives_the_sentence_instead(draw):
    assert draw(MONTHS.head(0), "Paid.", "paid", "Add <payments>.") == "<p>Add &lt;payments&gt;.</p>"


def test_lines_without_any_value_give_the_sentence():
    assert charts.lines(MONTHS[["paid_usd"]].tail(1), "Paid.", "paid", "None.") == "<p>None.</p>"


def test_names_of_lines_that_end_together_stand_apart():
    drawn = charts.lines(pd.DataFrame({name: [1.0, 1.0] for name in "ABCDEF"}), "Alike.", "alike")
    heights = sorted(float(at) for at in re.findall(r'y="([\d.]+)"[^>]*>[A-F] 1\.00 %<', drawn))
    assert len(heights) == 6
    assert min(high - low for low, high in pairwise(heights)) >= 14


def test_limits_are_named():
    assert "PAR30 warning 5" in charts.lines(MONTHS, "Paid.", "paid", limits={"PAR30 warning": 5})


def test_table_shows_whole_numbers_whole_where_one_is_not_known():
    shown = charts.table(pd.DataFrame({"cohort": ["a", "b"], "age": [9.0, None], "share": [0.5, None]}), "Ages")
    assert ">9<" in shown
    assert ">0.5000<" in shown


@pytest.mark.parametrize(("otherwise", "shown"), [("", "<p>Ages: none.</p>"), ("Add it.", "<p>Add it.</p>")])
def test_table_without_rows_gives_a_sentence(otherwise, shown):
    assert charts.table(pd.DataFrame({"age": []}), "Ages", otherwise) == shown
