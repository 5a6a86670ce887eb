"""Where the late part of the book lies, and what is about to be very late: said when it matters, and only then."""

import pytest

from abaco.page import in_words, lateness

COMPANY = ("company", "ABF", 2.0, 50.0, 40.0)


def parts(*rows):
    """Return segments of the date: dimension, value, share of the book, PAR30 and PAR90."""
    names = ("dimension", "value", "share", "par30", "par90")
    return [{"date": "2025-12-31", **dict(zip(names, row, strict=True))} for row in rows]


def where(metrics, *rows):
    return lateness.where(in_words(metrics), parts(*rows)).replace("\u00a0", " ")


def outlook(metrics):
    return lateness.outlook(in_words(metrics)).replace("\u00a0", " ")


def test_part_that_holds_far_more_of_the_arrears_than_of_the_book_is_named(metrics):
    # 2 × 50 / 3.6773 and 2 × 40 / 3.25
    assert where(metrics, COMPANY, ("company", "ABT", 98.0, 2.73, 2.5)) == (
        "Loans lent by company ABF make up 2.0 % of the book, but 27.2 % of what is 30 days late or more "
        "and 24.6 % of what is 90 days late or more."
    )


def test_of_several_the_one_with_the_most_beyond_its_share_is_named(metrics):
    told = where(metrics, COMPANY, ("region", "Santa_Ana", 20.0, 12.0, 0.0), ("term", "0–30", 20.0, 11.0, 1.0))
    assert told == "Borrowers in region Santa Ana owe 20.0 % of the book, but 65.3 % of what is 30 days late or more."


@pytest.mark.parametrize(
    ("dimension", "value", "named"),
    [
        ("product", "business_loan", "Loans of product business loan make up"),
        ("segment", "SME", "Borrowers of segment SME owe"),
        ("ticket", "below 1,000", "Loans below 1,000 USD hold"),
        ("ticket", "1,000–4,999", "Loans of 1,000–4,999 USD hold"),
        ("ticket", "50,000 and more", "Loans of 50,000 USD and more hold"),
        ("term", "31–60", "Loans with a term of 31–60 days hold"),
        ("term", "above 360", "Loans with a term above 360 days hold"),
    ],
)
def test_part_is_called_by_its_dimension(metrics, dimension, value, named):
    assert where(metrics, (dimension, value, 10.0, 20.0, None)).startswith(f"{named} 10.0 % of the book")


@pytest.mark.parametrize(
    ("share", "par30", "is_told"),
    [
        (12.5, 7.3546, True),  # exactly twice as late, exactly a quarter of what is late
        (12.5, 7.3545, False),
        (12.4, 7.3546, False),
        (80.0, 4.5, False),
    ],
)
def test_part_is_told_from_twice_as_late_and_a_quarter_of_what_is_late(metrics, share, par30, is_told):
    metrics["kpis"]["PAR30"]["value"] = 3.6773
    assert bool(where(metrics, ("region", "Santa Ana", share, par30, 0.0))) is is_told


def test_part_within_the_limit_of_the_book_is_not_told(metrics):
    metrics["kpis"]["PAR30"]["value"] = 1.0
    assert where(metrics, ("region", "Santa Ana", 10.0, 5.0, 0.0)) == ""
    assert where(metrics, ("region", "Santa Ana", 10.0, 5.1, 0.0)) != ""
    metrics["kpis"]["PAR30"]["thresholds"] = None
    assert where(metrics, ("region", "Santa Ana", 10.0, 5.0, 0.0)) != ""


def test_empty_book_has_no_late_part(empty):
    assert where(empty, COMPANY) == outlook(empty) == ""


def test_nothing_is_told_of_what_is_not_known(metrics):
    assert where(metrics) == where(metrics, ("region", "not given", 10.0, 50.0, 50.0)) == ""
    assert where(metrics, ("region", "Santa Ana", 10.0, None, None)) == ""
    del metrics["kpis"]["PAR90"]
    assert where(metrics, COMPANY).endswith("but 27.2 % of what is 30 days late or more.")
    metrics["kpis"]["PAR30"]["value"] = 0.0
    assert where(metrics, COMPANY) == ""


def test_other_dates_are_not_meant(metrics):
    segments = [row | {"date": "2025-11-30"} for row in parts(COMPANY)]
    assert lateness.where(metrics, segments) == ""


@pytest.mark.parametrize(
    ("par90", "next_share", "told"),
    [
        (2.8, 0.25, "PAR90 comes to 3.05 % (warning above 3)."),
        (2.8, 0.2, ""),  # exactly on the limit is not past it
        (3.25, 0.25, ""),  # past it already
        (3.0, 0.01, "PAR90 comes to 3.01 % (warning above 3)."),
        (3.25, 2.0, "PAR90 comes to 5.25 % (critical above 5)."),
        (2.0, 4.0, "PAR90 comes to 6.00 % (critical above 5)."),
        (2.9, 0.1001, "PAR90 comes to 3.0001 % (warning above 3)."),
    ],
)
def test_next_to_be_very_late_are_told_when_they_pass_a_limit(metrics, par90, next_share, told):
    metrics["kpis"]["PAR90"]["value"] = par90
    metrics["aging"][3]["share"] = next_share
    assert outlook(metrics).partition("stays as large as it is, ")[2] == told


def test_nothing_is_foretold_without_figures_or_limits(metrics):
    metrics["aging"][3]["share"] = 9.0
    metrics["kpis"]["PAR90"]["thresholds"] = None
    assert outlook(metrics) == outlook(metrics | {"aging": []}) == ""
    del metrics["kpis"]["PAR90"]
    assert outlook(metrics) == ""


def test_both_in_spanish(metrics, spanish):
    metrics["kpis"]["PAR90"]["value"], metrics["aging"][3]["share"] = 2.8, 0.25
    assert where(metrics, ("ticket", "1,000–4,999", 10.0, 20.0, None)) == (
        "Los préstamos de 1,000–4,999 USD reúnen el 10.0 % de la cartera, pero el 54.4 % de lo que tiene 30 o más "
        "días de mora."
    )
    assert outlook(metrics) == (
        "Otro 0.25 % de la cartera tiene de 60 a 89 días de mora. Si nada de ello se paga en 30 días, y la cartera "
        "sigue del mismo tamaño, el PAR90 llegará a 3.05 % (alerta: más de 3)."
    )
