"""The built page in a real browser: silent, self-contained, accessible, and usable on a phone and by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from abaco.page.render import render_page
from tests.support import browser as chromium
from tests.support.facilities import codes, facilities
from tests.support.projects import ROOT

from . import example
from .example import executed, render, tables
from .test_facilities import BRIDGES, LINES, LOANS

PHONE = {"width": 360, "height": 740}
PAGES = ("en", "es", "full", "sample", "front")


@pytest.fixture(scope="module")
def built(tmp_path_factory, finished):
    """Paths of the pages: every section in two languages, facilities, the sample with all exports and one, a front."""
    folder = tmp_path_factory.mktemp("built")
    lines = LINES.assign(amount_usd=LINES["amount_usd"] * 1000)
    pledged = {"borrowing_base": lines, "availability_bridges": BRIDGES, "availability_loans": LOANS}
    lent = {"facilities": facilities(), "reason_codes": example.metrics()["reason_codes"] | {"facilities": codes()}}
    for language in ("en", "es"):
        for name, more, rest in ((language, {}, {}), (f"facilities-{language}", lent, pledged)):
            cells = executed(example.metrics() | more, tables(example.history()) | rest, language)
            render(folder, cells, name=name, language=language)
    full = render_page(ROOT / "tests/golden/04_report.ipynb", folder / "out/full.html", metrics=example.metrics())
    return {
        "full": full,
        **{path.stem: path for path in (folder / "out").glob("*.html") if path.stem != "full"},
        "sample": finished.output / "2025-12-31" / "report.html",
        "front": finished.output / "2025-12-31" / "front.html",
    }


@pytest.fixture
def view(browser, built):
    """Open a page: `view("en", width=360)`."""
    contexts = []

    def open_page(name="en", **how):
        contexts.append(chromium.opened(browser, built[name], **how))
        return contexts[-1].__enter__()

    yield open_page
    for context in contexts:
        context.__exit__(None, None, None)


def shown(page, selector):
    return [element.is_visible() for element in page.query_selector_all(selector)]


def until(page, expression):
    """Wait for what an expression says; Playwright's own waiting evaluates text, which the page forbids."""
    for _ in range(1800):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {expression}")


def at(selector, limit):
    """Say that an element is at the top of what is seen, or no more than so many pixels below."""
    top = f"document.querySelector('{selector}').getBoundingClientRect().top"
    return f"0 <= {top} && {top} < {limit}"


def ground(page, selector="body"):
    """Return the background of an element as red, green and blue."""
    colour = page.eval_on_selector(selector, "element => getComputedStyle(element).backgroundColor")
    return [int(part) for part in colour.strip("rgb()").split(", ")]


@pytest.mark.parametrize("name", PAGES)
def test_page_says_nothing_and_asks_for_nothing_but_itself(view, built, name):
    page = view(name)
    page.mouse.wheel(0, 100_000)
    page.wait_for_timeout(200)
    assert page.heard == []
    assert page.asked == [built[name].resolve().as_uri()]


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("en", 1440, "dark"),
        ("sample", 360, "dark"),
        ("facilities-es", 360, "light"),
        *((n, w, "light") for n in PAGES for w in (1440, 768, 360)),
    ],
)
def test_axe_finds_nothing(view, name, width, scheme):
    found = Axe().run(view(name, width=width, color_scheme=scheme)).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_page_reads_without_script(view):
    page = view(java_script_enabled=False)
    assert page.locator("h2").count() == 19
    assert page.locator("svg.chart.wide").first.is_visible()


# Contents


def test_first_stop_of_the_keyboard_skips_the_contents(view):
    page = view()
    page.keyboard.press("Tab")
    assert page.locator("a.skip").evaluate("link => link === document.activeElement")
    assert page.locator("a.skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'main'")


def test_contents_work_by_keyboard_and_stay_in_sight(view):
    page = view()
    for _ in range(7):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "location.hash === '#why-arrears-moved'")
    until(page, at("#why-arrears-moved", 200))
    assert page.locator("nav.aside a").first.bounding_box()["y"] >= 0


def test_contents_of_a_phone_open_close_and_are_found_again(view):
    page = view(**PHONE)
    assert not any(shown(page, "nav.aside, nav.jump .contents a"))
    page.locator("nav.jump summary").focus()
    page.keyboard.press("Enter")
    assert all(shown(page, "nav.jump .contents a"))
    page.locator("nav.jump .contents a").nth(8).focus()
    page.keyboard.press("Enter")
    until(page, "location.hash === '#vintages'")
    until(page, at("#vintages", 100))
    page.locator("a.back").click()
    until(page, at("nav.jump .contents a", 200))


# The first screen


@pytest.mark.parametrize("name", PAGES)
def test_first_screen_holds_all_that_decides(view, name):
    page = view(name, width=1440, height=900)
    for selector in (".state .verdict", ".card .definition", ".said li", ".risk tbody tr", "#figure-trend svg.wide"):
        bottoms = page.locator(selector).evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
        assert bottoms and max(bottoms) <= 900, selector


def test_first_screen_of_the_whole_sample_holds_the_notes_uncut(view):
    page = view("full", width=1440, height=900)
    assert page.evaluate("document.querySelector('.front .points').getBoundingClientRect().bottom") <= 900


def test_bars_of_the_riskiest_parts_name_their_line_and_no_note_tells_of_bars_that_a_phone_hides(view):
    assert view("full").locator(".risk thead .b").inner_text() == "│ limit 5"
    assert shown(view("full"), ".of-bars") == [True]
    assert shown(view("full", **PHONE), ".of-bars") == [False]


@pytest.mark.parametrize("name", PAGES)
def test_cards_stand_on_the_first_screen_of_a_phone(view, name):
    page = view(name, width=360, height=800)
    values = page.locator(".card :is(.value, .reason)")
    bottoms = values.evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    assert len(bottoms) == 4 and max(bottoms) <= 800


@pytest.mark.parametrize("name", PAGES)
def test_first_screen_prints_on_one_page(view, name):
    page = view(name)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 1009})  # A4 less the margins of the first page
    assert page.evaluate("document.querySelector('.front').getBoundingClientRect().bottom + scrollY") <= 1009


def test_page_of_the_whole_sample_is_small(built):
    assert built["full"].stat().st_size <= 300_000


def test_figures_of_a_phone_are_seen_without_scrolling_sideways(view):
    page = view("full", **PHONE)
    beyond = "[...document.querySelectorAll('{}')].map(cell => cell.getBoundingClientRect().right > innerWidth)"
    shown_first = ("table.kpis tr > :not(.c)", "table.stacked tr > *")
    for cells in shown_first:
        found = page.evaluate(beyond.format(cells))
        assert len(found) > 20 and not any(found)


# Widths


@pytest.mark.parametrize("name", PAGES)
def test_page_never_scrolls_sideways(view, name):
    page = view(name)
    for width in (320, 360, 720, 1216, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


OVERLAPS = """[...document.querySelectorAll('.card')].flatMap(card => {
  const boxes = [...card.children].map(piece => piece.getBoundingClientRect()).filter(box => box.height)
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
  return boxes.flatMap((box, i) => boxes.slice(i + 1).filter(other => meet(box, other)))
}).length"""


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", ["en", "sample"])
def test_no_text_of_a_card_lies_over_another(view, name, width):
    page = view(name, width=width)
    assert page.query_selector(".card .limits")
    assert page.evaluate(OVERLAPS) == 0


def test_charts_are_drawn_for_the_width(view):
    assert set(shown(view(), "svg.chart.wide")) == {True}
    assert set(shown(view(**PHONE), "svg.chart.wide")) == {False}
    assert set(shown(view(**PHONE), "svg.chart.narrow")) == {True}


@pytest.mark.parametrize(
    ("name", "tables", "found"),
    [
        ("sample", ".scroll:has(.waterfall)", 2),
        *((f"facilities-{language}", "section:has(.covenants) .scroll", 6) for language in ("en", "es")),
    ],
)
def test_bridges_and_tables_of_facilities_fit_a_phone(view, name, tables, found):
    boxes = view(name, **PHONE).locator(tables)
    assert boxes.count() == found
    assert boxes.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0


def test_wide_tables_of_a_phone_hint_that_they_scroll_and_do_by_keyboard(view):
    height = "parseFloat(getComputedStyle(document.querySelector('.provenance .scroll'), '::before').maxHeight)"
    page = view(**PHONE)
    until(page, f"{height} > 0")
    page.locator(".provenance .scroll").focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.activeElement.scrollLeft > 0")
    wide = view()
    wide.wait_for_timeout(200)
    assert wide.evaluate(height) == 0


# Themes and print


def test_dark_page_is_dark_and_its_charts_follow(view):
    dark, light = view(color_scheme="dark"), view(color_scheme="light")
    assert max(ground(dark)) < 60 < 200 < min(ground(light))
    line = "svg.chart.wide path[style*='--accent']"
    colour = "element => getComputedStyle(element).stroke + getComputedStyle(element).fill"
    assert dark.locator(line).first.evaluate(colour) != light.locator(line).first.evaluate(colour)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_is_light_and_without_contents(view, scheme):
    page = view(color_scheme=scheme)
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')") == "#ffffff"
    assert not any(shown(page, "nav, a.skip"))


@pytest.mark.parametrize("name", PAGES)
def test_page_prints_on_a4(view, name):
    page = view(name)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 1000})  # A4 less its margins, in pixels
    boxes = page.locator(".scroll").evaluate_all("boxes => boxes.map(box => box.scrollWidth - box.clientWidth)")
    assert max(boxes) <= 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
