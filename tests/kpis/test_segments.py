"""The book by segment: bands at their bounds, what is not given, and sums that are the whole book's."""

import pytest

from abaco.core.bands import TERMS, TICKETS, UNKNOWN
from abaco.kpis import segments
from tests.support.tapes import DECEMBER, NOVEMBER, book

FOUR_LOANS = """
    loan_id  company  product    total_receivable_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
    A-1      ALF      factoring  100.00                0.00           0.00           0.00
    A-2      ALF      -          50.00                 10.00          0.00           5.00
    B-1      BET      factoring  600.00                0.00           30.00          0.00
    B-2      GAM      factoring  0.00                  0.00           0.00           0.00
"""


def rows(frame, text):
    """Return the table's rows, without what the test has not written out."""
    found = segments.segments(book(frame, text)).to_pylist()
    return [tuple(None if v is None else str(v) for v in row.values()) for row in found]


def measured(frame, text, *names):
    found = segments.measure(book(frame, text), names or tuple(segments.MEASURES), {})
    return {day: (total.sums, total.counts) for day, total in found.items()}


@pytest.mark.parametrize(
    ("disbursed", "band"),
    [
        ("0.00", "below 1,000"),
        ("999.99", "below 1,000"),
        ("1000.00", "1,000–4,999"),
        ("4999.99", "1,000–4,999"),
        ("5000.00", "5,000–9,999"),
        ("9999.99", "5,000–9,999"),
        ("10000.00", "10,000–24,999"),
        ("25000.00", "25,000–49,999"),
        ("49999.99", "25,000–49,999"),
        ("50000.00", "50,000 and more"),
        ("-", None),
    ],
)
def test_ticket_is_in_the_band_that_begins_with_it(frame, disbursed, band):
    text = f"loan_id  total_receivable_usd  disbursed_usd\nA-1  1.00  {disbursed}\n"
    found = {row[1]: row[2] for row in rows(frame, text)}
    assert found == ({"ticket": band} if band else {})


@pytest.mark.parametrize(
    ("days", "band"),
    [
        ("0", "0–30"),
        ("30", "0–30"),
        ("31", "31–60"),
        ("60", "31–60"),
        ("61", "61–90"),
        ("90", "61–90"),
        ("91", "91–180"),
        ("180", "91–180"),
        ("181", "181–360"),
        ("360", "181–360"),
        ("361", "above 360"),
    ],
)
def test_term_is_in_the_band_that_ends_with_it(frame, days, band):
    text = f"loan_id  total_receivable_usd  term_days\nA-1  1.00  {days}\n"
    assert [row[1:3] for row in rows(frame, text)] == [("term", band)]


@pytest.mark.parametrize("bands", [TICKETS, TERMS])
def test_bands_rise_and_begin_with_nothing(bands):
    lows = [band.start for band in bands]
    assert lows[0] == 0
    assert lows == sorted(set(lows))


def test_segments_by_hand_largest_first(frame):
    date = str(DECEMBER)
    assert rows(frame, FOUR_LOANS) == [
        (date, "company", "BET", "1", "600.00", "80.0000", "5.0000", "0.0000"),
        (date, "company", "ALF", "2", "150.00", "20.0000", "10.0000", "3.3333"),
        (date, "company", "GAM", "0", "0.00", "0.0000", None, None),  # owes nothing: nothing to divide by
        (date, "product", "factoring", "2", "700.00", "93.3333", "4.2857", "0.0000"),
        (date, "product", UNKNOWN, "1", "50.00", "6.6667", "30.0000", "10.0000"),
    ]


def test_dimension_without_any_value_is_left_out(frame):
    assert {row[1] for row in rows(frame, FOUR_LOANS)} == {"company", "product"}


def test_dimension_is_left_out_on_the_dates_only_that_lack_it(frame):
    text = """
        measurement_date  loan_id  region  total_receivable_usd
        2025-11-30        A-1      -       10.00
        2025-12-31        A-1      North   10.00
    """
    assert [row[:3] for row in rows(frame, text)] == [(str(DECEMBER), "region", "North")]


def test_empty_text_is_not_given(frame):
    text = "loan_id  region  total_receivable_usd\nA-1  North  1.00\nA-2  ''  2.00\n"
    assert [row[2] for row in rows(frame, text)] == [UNKNOWN, "North"]


def test_equal_segments_are_in_the_order_of_their_names(frame):
    text = "loan_id  region  total_receivable_usd\nA-1  West  1.00\nA-2  East  1.00\nA-3  North  1.00\n"
    assert [row[2] for row in rows(frame, text)] == ["East", "North", "West"]


def test_every_dimension_adds_up_to_the_book_of_its_date(frame):
    text = """
        measurement_date  loan_id  company  region  disbursed_usd  term_days  total_receivable_usd
        2025-11-30        A-1      ALF      North   1000.00        30         33.33
        2025-11-30        A-2      BET      -       -              31         33.34
        2025-12-31        A-1      ALF      North   1000.00        30         0.01
        2025-12-31        A-2      -        South   999.99         -          999.98
        2025-12-31        A-3      ALF      South   999.99         400        7.00
    """
    found = segments.segments(book(frame, text)).to_pylist()
    sums, loans = {}, {}
    for row in found:
        key = str(row["date"]), row["dimension"]
        sums[key] = sums.get(key, 0) + row["outstanding_usd"]
        loans[key] = loans.get(key, 0) + row["loans"]
    dimensions = ("company", "region", "ticket", "term")
    assert {key: str(usd) for key, usd in sums.items()} == {
        **{(str(NOVEMBER), d): "66.67" for d in dimensions},
        **{(str(DECEMBER), d): "1006.99" for d in dimensions},
    }
    assert set(loans.values()) == {2, 3}


def test_rows_without_loan_ids_are_no_loans(frame):
    assert rows(frame, "region  total_receivable_usd\nNorth  1.00\n")[0][3:5] == ("0", "1.00")


def test_book_without_a_balance_has_no_shares(frame):
    found = rows(frame, "loan_id  region  total_receivable_usd  dpd_90_plus_usd\nA-1  North  0.00  0.00\n")
    assert found == [(str(DECEMBER), "region", "North", "0", "0.00", None, None, None)]


def test_buckets_beyond_a_small_balance_are_shown_as_they_are(frame):
    # a row whose buckets miss its receivable is a warning and no more
    found = rows(
        frame,
        "loan_id  region  total_receivable_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd\n"
        "A-1  North  0.01  0.00  0.00  5000.00\n",
    )
    assert found == [(str(DECEMBER), "region", "North", "1", "0.01", "100.0000", *["50000000.0000"] * 2)]


def test_empty_tape_has_no_segments(frame):
    assert rows(frame, "loan_id  region  total_receivable_usd\n") == []


# The largest


def test_largest_is_of_those_with_a_name(frame):
    text = FOUR_LOANS.replace("A-2      ALF      -          50.00 ", "A-2      ALF      -          5000.00")
    sums, counts = measured(frame, text, "largest_product_usd")[DECEMBER]
    assert {name: str(usd) for name, usd in sums.items()} == {"largest_product_usd": "700.00"}
    assert counts == {"largest_product_usd": 2}


def test_dimension_without_any_value_has_no_largest(frame):
    sums, counts = measured(frame, FOUR_LOANS)[DECEMBER]
    assert {name: usd and str(usd) for name, usd in sums.items()} == {
        "largest_company_usd": "600.00",
        "largest_product_usd": "700.00",
        "largest_segment_usd": None,
        "largest_region_usd": None,
    }
    assert (counts["largest_company_usd"], counts["largest_segment_usd"]) == (3, 0)


def test_each_date_has_its_own_largest(frame):
    text = """
        measurement_date  loan_id  region  total_receivable_usd
        2025-11-30        A-1      North   10.00
        2025-11-30        A-2      South   4.00
        2025-12-31        A-1      North   1.00
        2025-12-31        A-2      South   5.00
    """
    found = measured(frame, text, "largest_region_usd")
    assert {day: str(sums["largest_region_usd"]) for day, (sums, _) in found.items()} == {
        NOVEMBER: "10.00",
        DECEMBER: "5.00",
    }
