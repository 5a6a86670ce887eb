"""Figures in words."""

import ast
import datetime
import re

import nbformat
import pytest
import yaml

from abaco.core.reasons import ENGLISH
from abaco.page import language, words
from tests.support.projects import ROOT

# a term, and words that would say the same another way
TERMS = {
    "late": r"delinquen|in arrear\b",
    "written off": r"charged?[- ]?off",
    "borrower": r"\b(debtor|obligor|customer|(?<!mail )client)s?\b",
    "rejected": r"quarantined",
    "past a limit": r"breach|\b(red|amber)\b",
    "facility": r"\b(tranche|warehouse line)s?\b",
    "deudor": r"\b(prestatario|cliente|moroso)s?\b",
    "castigado": r"condonad|incobrabl",
    "rechazado": r"en cuarentena",
    "límite": r"umbral",
}


@pytest.fixture(scope="module")
def told():
    """All that people read: page, email, terminal, service and workbook in two languages, alerts, and notebooks."""
    parts = yaml.safe_load((language.FOLDER / "es.yml").read_text(encoding="utf-8")).values()
    texts = [text for part in parts for pair in part.items() for text in pair] + [*ENGLISH.values()]
    for path in ROOT.glob("notebooks/*.ipynb"):
        texts += [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"]
    for path in ROOT.glob("abaco/delivery/*rules.py"):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts += [node.value for node in tree if isinstance(node, ast.Constant) and " " in str(node.value)]
    return [re.sub(r"\w+_\w+|tables/\S+", "", str(text)) for text in texts]  # columns and tables keep their names


@pytest.mark.parametrize("other", TERMS.values(), ids=TERMS)
def test_a_term_is_one_word_in_all_that_people_read(told, other):
    assert len(told) > 2000
    assert [text for text in told if re.search(other, text, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (3.6773, 2, "3.68"),
        (3.675, 2, "3.68"),  # half up in decimal, where a binary float would give 3.67
        ("7275898.35", 2, "7,275,898.35"),
        (-0.25, 1, "−0.3"),
        (-0.001, 2, "0.00"),
        (5000, 0, "5,000"),
    ],
)
def test_number(value, decimals, shown):
    assert words.number(value, decimals) == shown


@pytest.mark.parametrize(("value", "shown"), [(5, "5"), (5.0, "5"), (1.5, "1.5"), (30, "30"), (1000000, "1,000,000")])
def test_plain_number_has_no_decimals_to_spare(value, shown):
    assert words.plain(value) == shown


@pytest.mark.parametrize("date", ["2025-12-31", datetime.date(2025, 12, 31), datetime.datetime(2025, 12, 31, 5)])
def test_day(date):
    assert words.day(date) == "31\u00a0December\u00a02025"


def test_unknown_amounts_are_dashes():
    assert [words.count(None), words.money(None), words.usd(None), words.percent(None)] == ["–", "–", "–", "–"]


def test_listing():
    assert [words.listing(["a"]), words.listing(["a", "b"]), words.listing(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_day_in_spanish_keeps_its_number_and_month_together(spanish):
    assert words.day("2025-12-31") == "31\u00a0de\u00a0diciembre de\u00a02025"


@pytest.mark.parametrize(
    ("items", "shown"), [(["a", "b"], "a y b"), (["a", "interés"], "a e interés"), (["a", "hielo"], "a y hielo")]
)
def test_listing_in_spanish(spanish, items, shown):
    assert words.listing(items) == shown


def test_short_dates_and_quarters(spanish):
    assert words.month("2025-01-31") == "ene\u00a02025"
    assert words.short_day("2025-01-31") == "31\u00a0ene\u00a025"
    assert words.quarter("2024 Q1") == "T1\u00a02024"
    assert words.quarter("older") == "older"


def test_tokens_are_shown_by_their_first_digits():
    assert words.code("tok_" + "0123456789abcdef" * 2) == "01234567…"
    assert words.code("Loan 1") == "Loan 1"


@pytest.mark.parametrize(
    "name",
    [
        "el PAR30", "la cobertura de efectivo", "el índice de mora y efectivo", "la mayor región", "el mayor deudor",
        "los diez mayores deudores", "lo castigado en 12 meses", "la rotación", "los días para cobrar",
        "los préstamos activos", "la deuda sobre patrimonio", "los meses de efectivo", "el capital pagado a tiempo",
    ],
)  # fmt: skip
def test_names_of_figures_have_their_article_in_spanish(name, spanish):
    assert words.the(name.partition(" ")[2]) == name


def test_names_of_figures_have_no_article_in_english():
    assert words.the("PAR30") == "PAR30"
