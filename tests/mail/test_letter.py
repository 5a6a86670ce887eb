"""The letter as HTML: small, whole without the network, the same twice, in both languages, and honest about gaps."""

import ast
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from abaco import mail
from abaco.mail.letter import plain
from tests.page import example
from tests.page.test_language import ALIKE, SPANISH, texts
from tests.support.facilities import codes, facilities

ROOT = Path(mail.__file__).parent


def soup(folder):
    return BeautifulSoup((folder / "email.html").read_text(encoding="utf-8"), "html.parser")


def told(folder):
    """Return the text of email.html with ordinary blanks."""
    return " ".join(soup(folder).body.get_text(" ").replace("\xa0", " ").split())


def test_files_stand_beside_one_another(written):
    run = written()
    found = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    assert found == ["email.eml", "email.html", "email/trend.png", "report.html"]
    assert [image["src"] for image in soup(run).find_all("img")] == ["email/trend.png"]
    assert soup(run).find("a")["href"] == "report.html"


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_stays_below_what_mail_clients_cut_off(written, language):
    size = (written(language=language) / "email.html").stat().st_size
    assert size < mail.MAX_BYTES < 102_400


def test_written_twice_every_file_has_the_same_bytes(written):
    one, other = written("one"), written("other")
    for path in sorted(path for path in one.rglob("*") if path.is_file()):
        assert path.read_bytes() == (other / path.relative_to(one)).read_bytes(), path.name


def test_pictures_say_nothing_of_time_or_program(compose):
    for picture in compose().drawn:
        kinds = re.findall(rb"(IHDR|IDAT|IEND|tEXt|iTXt|zTXt|tIME|eXIf|pHYs|sBIT)", picture.png)
        assert not {b"tEXt", b"iTXt", b"zTXt", b"tIME", b"eXIf"} & set(kinds)


def test_pictures_have_twice_the_pixels_that_they_are_shown_in(compose):
    for picture in compose().drawn:
        size = [int.from_bytes(picture.png[at : at + 4]) for at in (16, 20)]
        assert size[0] == 2 * picture.width == 1100
        assert abs(size[1] - 2 * picture.height) <= 2


def test_every_picture_has_a_text_alternative_with_its_figures(written):
    (trend,) = (image["alt"].replace("\xa0", " ") for image in soup(written()).find_all("img"))
    assert trend.startswith("Line chart. PAR30 rose from 3.46 % to 3.68 % (within its limits).")


def test_nothing_is_asked_of_the_network_and_nothing_runs(written):
    html = (written() / "email.html").read_text(encoding="utf-8")
    page = BeautifulSoup(html, "html.parser")
    assert not page.select("script, link, iframe, object, form, base, [onload], [onclick], [background]")
    assert "http" not in html
    assert not re.search(r"url\(|@import|@font-face", html)


def test_layout_is_tables_of_600_pixels_with_styles_of_their_own(written):
    page = soup(written())
    layout = [table for table in page.find_all("table") if "figures" not in table.get("class", [])]
    assert len(layout) == 4
    assert {table.get("role") for table in layout} == {"presentation"}
    assert "max-width: 600px" in page.select_one("table.letter")["style"]
    assert '<!--[if mso]><table role="presentation" width="600"' in str(page)
    unstyled = [one for one in page.select("p, h1, h2, img, .card, .state, .line") if not one.get("style")]
    assert unstyled == []


def test_style_that_cannot_be_inlined_is_kept(written):
    (style,) = soup(written()).find_all("style")
    assert "prefers-color-scheme: dark" in style.string
    assert "max-width: 480px" in style.string


def test_table_of_the_risk_reads_as_one(written):
    table = soup(written()).select_one("table.figures")
    assert table.get("role") is None
    assert [head["scope"] for head in table.thead.find_all("th")] == ["col"] * 4
    rows = ([plain(cell.get_text()) for cell in row] for row in table.tbody.find_all("tr"))
    assert list(rows) == [
        ["Company Abaco Factoring", "75.0 %", "99.9 %", "4.9 %"],
        ["Ticket 1,000–4,999 USD", "85.0 %", "91.8 %", "4.0 %"],
    ]


def test_letter_is_the_first_screen_and_nothing_more(written):
    headings = [heading.get_text() for heading in soup(written()).find_all("h2")]
    assert headings == ["Key figures", "Conclusion", "Where the risk is", "Arrears over time", "To note"]


def test_facilities_say_what_may_be_drawn(written, metrics):
    metrics |= {"facilities": facilities(), "reason_codes": metrics["reason_codes"] | {"facilities": codes()}}
    letter = told(written())
    assert "Senior line: 1,200.50 USD more is drawn than may be." in letter
    assert "Covenant “late” at 4.50 % is past its warning level of 4 %. Its trigger is at 5 %." in letter


def test_four_cards_with_reason_where_there_is_no_value(written):
    cards = soup(written()).select("td.card")
    assert [card.select_one(".name").get_text() for card in cards] == [
        "Portfolio at risk, 30 days PAR30", "Portfolio at risk, 90 days PAR90", "Cash coverage CollectionRate",
        "Arrears-and-cash index PortfolioHealth",
    ]  # fmt: skip
    assert cards[1].select_one(".sign").get_text() == "! Warning"
    assert cards[2].select_one(".reason").get_text() == "No cash figures"
    assert cards[2].select_one(".value") is None


def test_figures_that_are_older_than_their_date_say_so(written, metrics):
    assert "The figures are as of 10 December 2025, and the month is counted up to that day." in told(written("older"))
    metrics["as_of"] = metrics["date"]
    assert "as of" not in told(written("exact"))


def test_one_date_gives_a_sentence_for_the_trend(written, metrics):
    for kpi in metrics["kpis"].values():
        kpi.update(previous=None, change=None)
    run = written(history=[], bridges=[])
    assert "No trend can be drawn yet: fewer than two dates have a value (PAR30, PAR90)." in told(run)
    assert "No earlier date to compare with" in told(run)


def test_empty_portfolio_gives_sentences_and_no_picture(written, metrics):
    for kpi in metrics["kpis"].values():
        kpi.update(value=None, status="not_computable", reason="no balance is outstanding", previous=None, change=None)
    for bucket in metrics["aging"]:
        bucket.update(amount="0.00", share=None)
    metrics["book"] = {"outstanding": None, "loans_with_balance": None, "rows": 0}
    metrics |= example.judged(metrics)
    run = written(history=[], bridges=[])
    assert soup(run).find_all("img") == []
    assert not (run / "email").exists()
    assert "Incomplete: 0 of 4 limits checked; none of these is passed." in told(run)
    assert "No trend can be drawn yet" in told(run)
    assert len(soup(run).select(".reason")) == 4


def test_book_of_one_loan_and_of_none_told_apart(written, metrics):
    metrics["book"] |= {"loans_with_balance": 1}
    assert "10,000 USD outstanding in 1 loan." in told(written("one"))
    metrics["book"] |= {"loans_with_balance": None}
    assert "10,000 USD outstanding." in told(written("unknown"))


# Spanish


def test_nothing_english_is_left_in_the_spanish_letter(written, metrics):
    for kpi in metrics["kpis"].values():
        kpi["note"] = ""
    lost = {"code": "on_date", "reason": {"code": "not_given", "what": ["the cash available"]}, "date": "2025-12-31"}
    metrics["reason_codes"]["kpis"] = {"CollectionRate": lost, "PortfolioHealth": lost}
    found = {
        language: texts((written(language, language=language) / "email.html").read_text(encoding="utf-8"))
        for language in ("en", "es")
    }
    run = re.compile(r"PAR30|PAR90|report\.html|%|[!✓✕–]")
    left = {text for text in found["en"] & found["es"] if not ALIKE.fullmatch(text) and not run.fullmatch(text)}
    assert {text for text in left if not text.startswith("[if mso]") and text != "html"} == {"CollectionRate"} & left
    assert "Lo que no se puede calcular se muestra con el motivo, nunca como 0." in " ".join(found["es"])


def _said():
    """Yield every text that the code of the email says; limits and moves are the page's own."""
    for path in ROOT.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("say", "phrase"):
                given = call.args[0]
                options = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
                yield from (text.value for text in options if isinstance(text, ast.Constant))
    for path in (ROOT / "templates").glob("*.j2"):
        yield from re.findall(r"""say\("([^"]+)\"""", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", sorted(set(_said())))
def test_every_text_of_the_email_has_a_translation(text):
    assert text in SPANISH
