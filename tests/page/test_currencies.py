"""Amounts as currencies and languages write them."""

import pytest

from abaco.core import currencies, settings
from abaco.core.errors import InputError
from abaco.page import kpi_cards, masthead, words
from abaco.page.language import speaking


@pytest.mark.parametrize(
    ("currency", "language", "value", "shown"),
    [
        ("USD", "en", "1234567.895", "1,234,567.90 USD"),
        ("USD", "es", "-1234.5", "-1,234.50 USD"),
        ("MXN", "es", "1234.5", "1,234.50 MXN"),
        ("EUR", "en", "-1234.56", "-€ 1,234.56"),
        ("EUR", "es", "-1234567.8", "-1.234.567,80 €"),
        ("CLP", "es", "1234567.5", "1.234.568 CLP"),
        ("CLP", "en", "1234567.5", "1,234,568 CLP"),
        ("CRC", "es", "1234567.5", "1\u00a0234\u00a0567,50 CRC"),
        ("JPY", "en", "0.4", "0 JPY"),
        ("INR", "en", "500010", "₹ 5,00,010.00"),
        ("INR", "en", "-12345678901.005", "-₹ 12,34,56,78,901.01"),
        ("INR", "en", "-0.001", "₹ 0.00"),
        ("INR", "en", "999", "₹ 999.00"),
        ("INR", "en", "1000", "₹ 1,000.00"),
        ("INR", "en", "100000", "₹ 1,00,000.00"),
        ("KWD", "en", "1.5", "1.50 KWD"),
    ],
)
def test_amount(currency, language, value, shown):
    with currencies.using(currency, language):
        assert currencies.amount(value) == shown


def test_all_numbers_of_a_page_have_the_marks_of_its_currency():
    with speaking("es", "EUR"):
        found = [
            words.percent(3.6773),
            words.plain(1.5),
            words.count(12345),
            words.money("1234.5"),
            words.usd("-9.5", 0),
        ]
    assert [one.replace(words.NBSP, " ") for one in found] == ["3,68 %", "1,5", "12.345", "1.234,50", "−10 €"]
    with speaking("en", "JPY"):
        assert words.money("1234.5") == "1,235"


@pytest.mark.parametrize(
    ("language", "currency", "shown"),
    [("en", "INR", "₹ 10,000"), ("es", "EUR", "10.000 €"), ("en", "JPY", "10,000 JPY")],
)
def test_page_of_another_currency_has_no_dollars(metrics, language, currency, shown):
    with speaking(language, currency):
        page = masthead(metrics) + kpi_cards(metrics, [])
    assert shown in page.replace("\u00a0", " ").replace("&nbsp;", " ")
    assert "USD" not in page


def test_currency_is_unknown_until_it_is_set():
    with currencies.using(None):
        assert (currencies.known(), currencies.current()) == (None, "USD")


@pytest.mark.parametrize(("text", "code"), [("inr", "INR"), ("auto", "auto"), ("US$", "USD")])
def test_setting_is_a_code(text, code):
    assert settings.load({"run": {"currency": text}})["run"]["currency"] == code


@pytest.mark.parametrize("text", ["dollars", "", "XXX"])
def test_setting_that_is_no_code_is_refused(text):
    with pytest.raises(InputError, match=r"run\.currency: .*it is auto, or a code of ISO 4217 such as USD"):
        settings.load({"run": {"currency": text}})
