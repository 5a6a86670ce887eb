"""The email in a real browser: both forms show their pictures, at the width of a mail client and of a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support import browser as chromium


@pytest.fixture
def delivered(sent, tmp_path):
    """The HTML of the message as a client shows it: its pictures unpacked, their content ids replaced."""

    def unpack(**how):
        message = sent(**how)
        html = message.get_body(("html",)).get_content()
        for part in message.walk():
            if part["Content-ID"]:
                (tmp_path / part.get_filename()).write_bytes(part.get_content())
                html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", part.get_filename())
        path = tmp_path / "delivered.html"
        path.write_text(html, encoding="utf-8")
        return path

    return unpack


def loaded(page):
    return page.locator("img").evaluate_all("all => all.map(one => one.complete && one.naturalWidth)")


@pytest.mark.parametrize("width", [360, 600, 1280])
@pytest.mark.parametrize("language", ["en", "es"])
def test_message_shows_its_pictures_and_never_scrolls_sideways(browser, delivered, language, width):
    path = delivered(language=language)
    with chromium.opened(browser, path, width=width) as page:
        assert loaded(page) == [1100]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("table.letter").bounding_box()["width"] == min(width, 600)
        assert page.heard == []
        assert all(url.startswith("file:") for url in page.asked)


def test_file_opened_from_disk_shows_its_pictures(browser, written):
    with chromium.opened(browser, written() / "email.html") as page:
        assert loaded(page) == [1100]
        assert not page.locator("div.preview").is_visible()


def test_it_stays_in_shape_where_a_client_drops_the_style_sheet(browser, delivered):
    path = delivered()
    head, style, rest = path.read_text(encoding="utf-8").partition("<style")
    path.write_text(head + rest.partition("</style>")[2], encoding="utf-8")
    with chromium.opened(browser, path, width=360) as page:
        assert style
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("td.card").count() == 4


BROKEN = """root => {
    const broken = [], texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/[^\\s\\u00a0]+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(one => one.top)).size > 1) broken.push(word[0]);
        }
    }
    return broken;
}"""


@pytest.mark.parametrize("has_styles", [True, False])
def test_no_word_is_broken_on_a_phone(browser, delivered, has_styles):
    path = delivered(language="es")
    text = path.read_text(encoding="utf-8")
    path.write_text(text if has_styles else re.sub("<style.*?</style>", "", text, flags=re.DOTALL))
    with chromium.opened(browser, path, width=360) as page:
        shown = page.locator("table.figures").inner_text().replace("\u00a0", " ").replace("\u2060", "")
        assert "Monto 1,000–4,999 USD" in shown
        assert page.locator("table.letter").evaluate(BROKEN) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for width in range(320, 440, 10):  # as other fonts would have it
            page.set_viewport_size({"width": width, "height": 900})
            assert page.locator(".file").evaluate("name => name.getClientRects().length") == 1


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (768, "light"), (360, "light"), (360, "dark")])
def test_axe_finds_nothing(browser, delivered, width, scheme):
    with chromium.opened(browser, delivered(), width=width, color_scheme=scheme) as page:
        found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_dark_letter_is_dark_and_its_pictures_keep_their_white_ground(browser, delivered):
    ground = "element => getComputedStyle(element).backgroundColor"
    with chromium.opened(browser, delivered(), color_scheme="dark") as page:
        assert page.locator("table.letter").evaluate(ground) == "rgb(20, 25, 31)"
        assert page.locator("img").first.evaluate(ground) == "rgb(255, 255, 255)"
