"""Expected loss: risk parameters as a setting writes them, and cents that are exact."""

from decimal import Decimal

import pytest

from abaco.core.errors import InputError
from abaco.ingest.columns import BUCKETS
from abaco.kpis import losses
from abaco.kpis.book import Book
from abaco.kpis.totals import Totals
from tests.support.tapes import DECEMBER, NOVEMBER

CHANCES = tuple(Decimal(chance) for chance in ("0.5", "2", "10", "30", "100"))


def measured(*owed, chances=CHANCES, severity="100"):
    """Return the expected loss of December for what the buckets owe."""
    sums = {name: usd and Decimal(usd) for name, usd in zip(BUCKETS, owed, strict=False)}
    parameters = {"default_probability_pct": chances, "loss_given_default_pct": Decimal(severity)}
    book = Book(None, [DECEMBER], DECEMBER, **parameters)
    return losses.measure(book, ("expected_loss_usd",), {DECEMBER: Totals(3, sums, {})})[DECEMBER]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5, 2, 10, 30, 100", CHANCES),
        (" 0.5,2,10 ,30,100 ", CHANCES),
        ("0,0,0,0,0", (Decimal(0),) * 5),
        ("100,100,100,100,100.000", (Decimal(100),) * 5),
        ("", None),
        ("  ", None),
    ],
)
def test_probabilities_are_read_from_text(text, expected):
    assert losses.probabilities(text) == expected


@pytest.mark.parametrize(
    "text",
    ["1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,", "1;2;3;4;5", "a,b,c,d,e", "1,2,3,4,100.01", "-0.01,2,3,4,5", "5",
     "nan,2,3,4,5", "1,2,3,4,sNaN", "1,2,3,4,inf", "1 %,2,3,4,5", "0,5,2,10,30,100", ",,,,", "1,2,3,\n4,x"],
)  # fmt: skip
def test_fault_in_the_probabilities_is_one_line_that_names_the_setting(text):
    with pytest.raises(InputError) as caught:
        losses.probabilities(text)
    message = str(caught.value)
    assert message.startswith(f"calculation.default_probability_pct is {text!r}: write five numbers")
    assert len(message.splitlines()) == 1


def test_loss_by_hand():
    found = measured("1000.00", "500.00", "200.00", "100.00", "50.00")
    # 5.00 + 10.00 + 20.00 + 30.00 + 50.00
    assert (str(found.sums["expected_loss_usd"]), found.counts) == ("115.00", {"expected_loss_usd": 3})


@pytest.mark.parametrize(
    ("owed", "chance", "severity", "lost"),
    [
        ("0.01", "100", "100", "0.01"),
        ("0.01", "50", "100", "0.01"),  # half a cent is rounded up
        ("0.01", "49.99", "100", "0.00"),
        ("123456789.99", "33.333", "45", "18518333.31"),  # 123,456,789.99 · 0.14999850 = 18,518,333.3133…
        ("1000.00", "10", "0", "0.00"),
        ("1000.00", "0", "100", "0.00"),
        ("0.00", "100", "100", "0.00"),
    ],
)
def test_loss_is_exact_to_the_cent(owed, chance, severity, lost):
    found = losses.expected_loss([Decimal(owed)], [Decimal(chance)], Decimal(severity))
    assert str(found) == lost


def test_without_parameters_there_is_no_loss():
    found = measured("1000.00", "500.00", "200.00", "100.00", "50.00", chances=None)
    assert found.sums == {"expected_loss_usd": None}


@pytest.mark.parametrize("place", range(5))
def test_without_one_of_the_buckets_there_is_no_loss(place):
    owed = ["1.00"] * 5
    owed[place] = None
    assert measured(*owed).sums == {"expected_loss_usd": None}


def test_book_of_zero_loses_nothing():
    assert measured(*["0.00"] * 5).sums == {"expected_loss_usd": Decimal("0.00")}


def test_as_many_probabilities_as_exposures():
    with pytest.raises(ValueError, match="zip"):
        losses.expected_loss([Decimal(1)], CHANCES, Decimal(100))


def test_each_date_loses_its_own_and_no_dates_nothing():
    sums = dict.fromkeys(BUCKETS, Decimal("0.00"))
    before = {
        NOVEMBER: Totals(1, {**sums, BUCKETS[4]: Decimal("7.00")}, {}),
        DECEMBER: Totals(1, {**sums, BUCKETS[4]: Decimal("9.00")}, {}),
    }
    book = Book(None, [NOVEMBER, DECEMBER], DECEMBER, default_probability_pct=CHANCES)
    found = losses.measure(book, ("expected_loss_usd",), before)
    assert [str(total.sums["expected_loss_usd"]) for total in found.values()] == ["7.00", "9.00"]
    assert losses.measure(book, ("expected_loss_usd",), {}) == {}
