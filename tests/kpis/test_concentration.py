"""How much a few borrowers owe: ties, small books, and balances whose borrower nobody knows."""

from decimal import Decimal

import pytest

from abaco.core.errors import NotComputableError
from abaco.kpis import concentration
from abaco.kpis.catalog import load
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate
from tests.support.tapes import BORROWERS, DECEMBER, NOVEMBER, book, shown, written

MEASURES = tuple(concentration.MEASURES)
THREE = """
    borrower  borrower_id  balance_usd  loans
    1         C-1          50.00        2
    2         C-2          30.00        1
    3         C-3          20.00        1
"""


def borrowed(frame, text):
    """Return a book of what borrowers owe; rows without a date are of December."""
    table = written(text, BORROWERS, {"measurement_date": DECEMBER})
    return book(frame, "loan_id\n", exports={"borrowers": frame(table)})


def total(usd):
    return Totals(4, {"total_receivable_usd": usd and Decimal(usd)}, {"total_receivable_usd": 4})


def measured(frame, text, usd="100.00", names=MEASURES):
    """Return the sums and counts of December, where the book comes to so many USD."""
    found = concentration.measure(borrowed(frame, text), names, {DECEMBER: total(usd)})[DECEMBER]
    return shown(found.sums), found.counts


def test_measures_by_hand(frame):
    sums, counts = measured(frame, THREE)
    assert sums == {
        "active_borrowers": "3",
        "top_borrower_usd": "50.00",
        "top_10_borrowers_usd": "100.00",  # fewer than ten: all of them
        "borrower_squares": "3800.0000",  # 2,500 + 900 + 400
    }
    assert counts == dict.fromkeys(MEASURES, 3)


def test_only_what_is_asked_for_is_returned(frame):
    assert measured(frame, THREE, names=("borrower_squares",))[0] == {"borrower_squares": "3800.0000"}


@pytest.mark.parametrize(
    ("largest", "squares"),
    [
        ("999999999999999.99", "999999999999999980000000000000.0002"),  # 0.0001 of it of the other borrower
        ("1000000000000000.00", None),
        ("9999999999999999.99", None),
    ],
)
def test_squares_are_exact_or_have_too_many_digits(frame, largest, squares):
    rows = f"borrower  borrower_id  balance_usd  loans\n1  C-1  {largest}  1\n2  C-2  0.01  1\n"
    sums, _ = measured(frame, rows, str(Decimal(largest) + Decimal("0.01")))
    assert sums["top_borrower_usd"] == largest
    assert sums["borrower_squares"] == squares


def test_eleventh_borrower_is_not_among_ten(frame):
    rows = "\n".join(f"{n}  C-{n:02}  10.00  1" for n in range(1, 12))
    sums, _ = measured(frame, f"borrower  borrower_id  balance_usd  loans\n{rows}\n", "110.00")
    assert (sums["active_borrowers"], sums["top_10_borrowers_usd"]) == ("11", "100.00")


def test_largest_of_a_date_is_not_the_largest_of_all(frame):
    text = """
        measurement_date  borrower  borrower_id  balance_usd  loans
        2025-11-30        1         C-1          90.00        1
        2025-12-31        1         C-1          1.00         1
        2025-12-31        2         C-2          9.00         1
    """
    before = {NOVEMBER: total("90.00"), DECEMBER: total("10.00")}
    found = concentration.measure(borrowed(frame, text), MEASURES, before)
    assert [shown(t.sums) for t in found.values()] == [
        {
            "active_borrowers": "1",
            "top_borrower_usd": "90.00",
            "top_10_borrowers_usd": "90.00",
            "borrower_squares": "8100.0000",
        },
        {
            "active_borrowers": "2",
            "top_borrower_usd": "9.00",
            "top_10_borrowers_usd": "10.00",
            "borrower_squares": "82.0000",
        },
    ]


def test_squares_of_large_balances_are_exact(frame):
    text = "borrower  borrower_id  balance_usd  loans\n1  C-1  9999999999.99  1\n2  C-2  0.01  1\n"
    sums, _ = measured(frame, text, "10000000000.00", ("borrower_squares",))
    # (10¹⁰ − 0.01)² + 0.0001 = 10²⁰ − 2·10⁸ + 0.0002
    assert sums == {"borrower_squares": "99999999999800000000.0002"}


def test_square_of_a_cent_is_not_rounded_away(frame):
    text = "borrower  borrower_id  balance_usd  loans\n1  C-1  0.01  1\n"
    assert measured(frame, text, "0.01", ("borrower_squares",))[0] == {"borrower_squares": "0.0001"}


@pytest.mark.parametrize("usd", ["100.01", "99.99", None])
def test_balance_without_a_borrower_leaves_nothing_known(frame, usd):
    sums, counts = measured(frame, THREE, usd)
    assert sums == dict.fromkeys(MEASURES)
    assert counts == dict.fromkeys(MEASURES, 0)


def test_only_the_date_with_an_unknown_borrower_is_left_out(frame):
    text = """
        measurement_date  borrower  borrower_id  balance_usd  loans
        2025-11-30        1         C-1          90.00        1
        2025-12-31        1         C-1          1.00         1
    """
    before = {NOVEMBER: total("90.00"), DECEMBER: total("1.01")}
    found = concentration.measure(borrowed(frame, text), ("top_borrower_usd",), before)
    assert [shown(t.sums) for t in found.values()] == [{"top_borrower_usd": "90.00"}, {"top_borrower_usd": None}]


def test_book_without_borrower_ids_has_no_value_and_says_what_to_add(frame):
    before = {DECEMBER: total("100.00")}
    for given in (book(frame, "loan_id\n"), borrowed(frame, "borrower\n")):
        found = concentration.measure(given, MEASURES, before)[DECEMBER]
        assert found.sums == dict.fromkeys(MEASURES)
    kpis = {name: kpi for name, kpi in load().items() if name in ("ActiveBorrowers", "TopBorrower", "HHI")}
    reasons = {name: str(kpi["reason"]) for name, kpi in evaluate(kpis, found, DECEMBER).items()}
    assert reasons == {
        "ActiveBorrowers": "the input does not give the number of borrowers with a balance on 2025-12-31",
        "TopBorrower": "the input does not give the balance of the largest borrower on 2025-12-31",
        "HHI": "the input does not give the squares of what borrowers owe on 2025-12-31",
    }


@pytest.mark.parametrize(
    ("squares", "book_usd", "points"),
    [
        ("10000.00", "100.00", "10000"),  # one borrower
        ("5000.00", "100.00", "5000"),  # two of 50.00
        ("0.0001", "0.01", "10000"),  # one of a cent
        ("100.00", "100.00", "100"),  # a hundred of 1.00
    ],
)
def test_index_is_the_sum_of_squared_shares(squares, book_usd, points):
    assert concentration.herfindahl(Decimal(squares), Decimal(book_usd)) == Decimal(points)


@pytest.mark.parametrize("book_usd", ["0.00", "-0.01"])
def test_book_of_nothing_has_no_index(book_usd):
    with pytest.raises(NotComputableError, match="nothing is outstanding"):
        concentration.herfindahl(Decimal("0.00"), Decimal(book_usd))


# The table


def table(frame, text, **usd):
    """Return rank, borrower, loans, amount, share and late part by row, for books of so many USD by month."""
    days = {"november": NOVEMBER, "december": DECEMBER}
    totals = {days[month]: total(amount) for month, amount in usd.items()}
    found = concentration.concentration(borrowed(frame, text), totals).to_pylist()
    return [tuple(str(value) for value in row.values()) for row in found]


def test_table_ranks_the_borrowers_of_each_date(frame):
    text = """
        measurement_date  borrower  borrower_id  balance_usd  par_30_usd  loans
        2025-12-31        1         C-1          1.00         1.00        1
        2025-12-31        2         C-2          9.00         -           3
        2025-11-30        1         C-1          90.00        0.00        2
    """
    assert table(frame, text, november="90.00", december="30.00") == [
        ("2025-11-30", "1", "C-1", "2", "90.00", "100.0000", "0.00"),
        ("2025-12-31", "1", "C-2", "3", "9.00", "30.0000", "None"),
        ("2025-12-31", "2", "C-1", "1", "1.00", "3.3333", "1.00"),
    ]


def test_of_equal_borrowers_the_lower_number_comes_first(frame):
    text = """
        borrower  borrower_id  balance_usd  loans
        3         C-1          5.00         1
        1         C-3          5.00         1
        2         C-2          5.00         1
    """
    assert [row[2] for row in table(frame, text, december="15.00")] == ["C-3", "C-2", "C-1"]


def test_table_ends_with_the_tenth(frame):
    rows = "\n".join(f"{n}  C-{n:02}  10.00  1" for n in range(1, 13))
    found = table(frame, f"borrower  borrower_id  balance_usd  loans\n{rows}\n", december="120.00")
    assert [(row[1], row[2]) for row in found] == [(str(n), f"C-{n:02}") for n in range(1, 11)]
    assert {row[5] for row in found} == {"8.3333"}


def test_redacted_borrowers_go_by_their_number(frame):
    text = THREE.replace("C-1", "redacted").replace("C-2", "redacted").replace("C-3", "redacted")
    assert [row[2] for row in table(frame, text, december="100.00")] == ["Borrower 1", "Borrower 2", "Borrower 3"]


def test_table_is_empty_without_borrowers(frame):
    assert table(frame, "borrower\n", december="1.00") == []
    assert concentration.concentration(book(frame, "loan_id\n"), {}).num_rows == 0
