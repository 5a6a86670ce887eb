"""Charts of the deep dives: what they say, and that an empty table gives a sentence."""

from decimal import Decimal

import pandas as pd
import pytest

from abaco.page import charts

MONTHS = pd.DataFrame(
    {"due_usd": [Decimal("2.00"), Decimal("1.00")], "paid_usd": [Decimal("1.50"), None]}, ["Jan", "Feb"]
)
STEPS = [
    {"term": "opening", "points": Decimal("3.50")},
    {"term": "new arrears", "points": Decimal("1.00")},
    {"term": "written off", "points": None},
    {"term": "cured", "points": Decimal("0.00")},
    {"term": "closing", "points": Decimal("4.50")},
]


@pytest.mark.parametrize("draw", [charts.lines, charts.bars])
def test_table_becomes_a_picture_with_its_finding_and_its_names(draw):
    drawn = draw(MONTHS, "Less was paid < due.", "paid")
    assert "Less was paid &lt; due." in drawn
    assert {name for name in ("due_usd", "paid_usd", "Jan", "Feb") if f">{name}<" in drawn} == {
        "due_usd", "paid_usd", "Jan", "Feb",
    }  # fmt: skip


@pytest.mark.parametrize("draw", [charts.lines, charts.bars])
def test_same_table_is_the_same_bytes(draw):
    assert draw(MONTHS, "Paid.", "paid") == draw(MONTHS, "Paid.", "paid")


@pytest.mark.parametrize("draw", [charts.lines, charts.bars])
def test_empty_table_gives_the_sentence_instead(draw):
    assert draw(MONTHS.head(0), "Paid.", "paid", "Add <payments>.") == "<p>Add &lt;payments&gt;.</p>"


def test_lines_without_any_value_give_the_sentence():
    assert charts.lines(MONTHS[["paid_usd"]].tail(1), "Paid.", "paid", "None.") == "<p>None.</p>"


def test_names_of_lines_that_end_together_stand_apart():
    same = pd.DataFrame({name: [1.0, 1.0] for name in "ABCDEF"})
    drawn = charts.lines(same, "Alike.", "alike")
    assert len({line for line in drawn.split("<text") if line.endswith("</g>") or ">A<" in line or ">F<" in line}) > 1


def test_limits_are_named():
    assert "PAR30 warning 5" in charts.lines(MONTHS, "Paid.", "paid", limits={"PAR30 warning": 5})


def test_bridge_shows_ends_and_signed_steps_and_leaves_out_what_is_not_known():
    drawn = charts.waterfall(STEPS, "It rose.", "bridge")
    assert all(f">{text}<" in drawn for text in ("3.50", "+1.00", "0.00", "4.50", "New arrears"))
    assert "<title>New arrears: +1.00</title>" in drawn
    assert "Written off" not in drawn


def test_bridge_without_steps_gives_the_sentence():
    assert charts.waterfall([], "It rose.", "bridge", "No dates.") == "<p>No dates.</p>"


def test_table_shows_whole_numbers_whole_where_one_is_not_known():
    shown = charts.table(pd.DataFrame({"cohort": ["a", "b"], "age": [9.0, None], "share": [0.5, None]}), "Ages")
    assert ">9<" in shown
    assert ">0.5000<" in shown


@pytest.mark.parametrize(("otherwise", "shown"), [("", "<p>Ages: none.</p>"), ("Add it.", "<p>Add it.</p>")])
def test_table_without_rows_gives_a_sentence(otherwise, shown):
    assert charts.table(pd.DataFrame({"age": []}), "Ages", otherwise) == shown
