"""The units of amounts that headings, titles and names say."""

import pytest

from abaco.ingest.scales import scales_in

SAID = {
    "minor units": [
        "balance_cents", "Balance (in cents)", "Outstanding (paise)", "Importes en centavos",
        "All amounts in US cents", "Saldo en céntimos", "principalCents", "Encours (centimes)", "Saldo (kobo)",
        "dalam sen", "amount_minor", "Betrag in Cent", "All amounts are in minor units", "amountMinor",
        "loans_cents.csv", "(Cents)", "Amounts: cents", "balance_cts",
    ],
    "hundreds": ["Values in hundreds", "Balance (hundreds)"],
    "thousands": [
        "Principal $'000", "Saldo_en_miles", "Encours (k€)", "Beträge in TEUR", "k USD", "cartera_miles.csv",
        "pos_in_k", "Saldo (R$ mil)", "Valores em R$ mil", "(em mil)", "w tys. zł", "dalam ribuan", "in 1.000 EUR",
        "x 1,000", "Amounts in USD K", "Balance (K)", "Betrag (T EUR)",
        "Unit: 1,000", "Unidad = MXN 1000", "(Units: 1.000 EUR)",
        "GHS k", "PEN k", "Ksh. 000", "Saldo (₱000)", "Outstanding KSh k", "Balance (thou.)", "Balance thsd",
        "Zůstatek (tis. Kč)", "Balance k", "Amounts shown in 1,000s", "amounts in 1000s", "Amounts divided by 1,000",
        "Amounts /1000", "Scale: 1000", "Scale factor 1e3", "unit=1000", "Outstanding 10^3",
    ],
    "lakhs": ["(Rs. in Lakhs)"],
    "millions": [
        "Balance (USD mn)", "Exposure $m", "Pokok (juta)", "Cifras en MDP", "Saldo (MM COP)", "MM$", "Saldo (MM$)",
        "Cifras en MM", "en MM de pesos", "Saldo (MM)", "COP MM", "Saldo (MM de pesos)", "Saldo MMUSD",
        "Loan tape, PHP mn", "Amounts in ₱ mn", "TZS mn", "₦ mn", "Outstanding (₦m)", "Loan book ($m)",
        "All amounts in Mn", "in Mn", "(Mn)", "Outstanding [Mn]", "Outstanding (in Mn)", "Outstanding_Balance_Mn",
        "outstanding_balance_mn", "Outstanding 10^6", "Scale: 1,000,000",
    ],
    "crores": ["INR Crore", "Rs. Cr"],
    "billions": ["(miles de millones COP)", "Beträge in Mrd. EUR", "USD bn", "en mil millones", "UGX bn",
                 "Outstanding Bn", "Amounts in UGX Bn", "Outstanding (VND bn)"],
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
        "SMS cost 10 cents each and thousands of thanks to all", "Branch K", "Grade K", "Sex M", "Term M", "Albn",
        "St. Paul (MN)", "ABN", "Company BN", "loans_MN.csv", "all m", "Top M", "Prepared by Bob M.", "Page 1/1000",
        "Scale: 1", "In 1000 cases", "Batch x100",
    ],
)  # fmt: skip
def test_text_that_says_no_unit(text):
    assert scales_in([text]) == []


@pytest.mark.parametrize("text", ["Saldo (M COP)", "Balance ($M)", "Saldo (M)", "Cifras en M", "M USD", "Saldo (M$)",
                                  "PHP M", "₦M", "S/ M"])  # fmt: skip
def test_m_alone_is_thousands_or_millions(text):
    assert scales_in([text]) == ["thousands", "millions"]


def test_times_a_hundred_is_cents_or_hundreds():
    assert scales_in(["Outstanding (x100)"]) == ["minor units", "hundreds"]
