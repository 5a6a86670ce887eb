"""The units of amounts that headings, titles and names say."""

import pytest

from abaco.ingest.scales import scales_in

SAID = {
    "minor units": [
        "balance_cents", "Balance (in cents)", "Outstanding (paise)", "Importes en centavos",
        "All amounts in US cents", "Saldo en céntimos", "principalCents", "Encours (centimes)", "Saldo (kobo)",
        "dalam sen", "amount_minor", "Betrag in Cent", "All amounts are in minor units", "amountMinor",
        "loans_cents.csv", "(Cents)", "Amounts: cents",
    ],
    "thousands": [
        "Principal $'000", "Saldo_en_miles", "Encours (k€)", "Beträge in TEUR", "k USD", "cartera_miles.csv",
        "pos_in_k", "Saldo (R$ mil)", "Valores em R$ mil", "(em mil)", "w tys. zł", "dalam ribuan", "in 1.000 EUR",
        "x 1,000", "Amounts in USD K", "Balance (K)", "Betrag (T EUR)",
        "Unit: 1,000", "Unidad = MXN 1000", "(Units: 1.000 EUR)",
    ],
    "lakhs": ["(Rs. in Lakhs)"],
    "millions": [
        "Balance (USD mn)", "Exposure $m", "Pokok (juta)", "Cifras en MDP", "Saldo (MM COP)", "MM$", "Saldo (MM$)",
        "Cifras en MM", "en MM de pesos", "Saldo (MM)", "COP MM", "Saldo (MM de pesos)", "Saldo MMUSD",
    ],
    "crores": ["INR Crore", "Rs. Cr"],
    "billions": ["(miles de millones COP)", "Beträge in Mrd. EUR", "USD bn", "en mil millones",],
}  # fmt: skip


@pytest.mark.parametrize(("scale", "text"), [(scale, text) for scale, texts in SAID.items() for text in texts])
def test_unit_that_a_text_says(scale, text):
    assert scales_in([text]) == [scale]


@pytest.mark.parametrize(
    "text",
    [
        "10 000", "Miles Davis", "export_USD_000.csv", "Minneapolis, MN", "K. Eur", "Credit EUR", "Mrs (m)",
        "Mil Cumbres", "in 1,000 loans", "percentage", "recent balance", "incentive", "docente", "Cost centre",
        "accent", "Rate per cent", "rate_per_cent", "Taux (pour cent)", "Amounts in dollars and cents",
        "pesos y centavos", "amounts_in_dollars_and_cents", "Montos sin centavos", "euros et centimes",
        "Report month (MM/YYYY)", "Dates in MM/DD/YYYY", "Arjun Sen", "Zona Paisa", "Adolescent", "Balance m",
        "Minor children", "Balance", "Absent", "Unit 1000", "Units: 1,000 loans", "Unit: 1",
    ],
)  # fmt: skip
def test_text_that_says_no_unit(text):
    assert scales_in([text]) == []


@pytest.mark.parametrize("text", ["Saldo (M COP)", "Balance ($M)", "Saldo (M)", "Cifras en M", "M USD", "Saldo (M$)"])
def test_m_alone_is_thousands_or_millions(text):
    assert scales_in([text]) == ["thousands", "millions"]
