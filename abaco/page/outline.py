"""The built page put in order: sections, headings, names for pictures, nothing that runs or loads."""

import re

from bs4 import BeautifulSoup, Tag

FORBIDDEN = ("script", "iframe", "frame", "object", "embed", "base", "noscript", "form")
FORBIDDEN_IN_MAIN = ("style", "link", "meta")
SCRIPT, OUTSIDE = re.compile(r"\s*(javascript|vbscript):", re.IGNORECASE), re.compile(r"url\((?!\s*['\"]?#)")
WORDS = ("alt", "aria-label", "title", "class", "id")
LOADING = ("src", "srcset", "poster", "background", "action", "data", "ping")


def put_in_order(html: str) -> BeautifulSoup:
    """Return a whole page tidied; the result depends on `html` alone."""
    soup = BeautifulSoup(html, "html.parser")
    remove_what_runs_or_loads(soup)
    put_headings_in_order(soup)
    wrap_sections(soup)
    move_absent(soup)
    name_pictures(soup)
    scroll_tables(soup)
    number_ids(soup)
    for footer in of_class(soup.main, "footer", "provenance"):
        soup.main.insert_after(footer.extract())
    list_contents(soup)
    return soup


def keep_front(soup: BeautifulSoup) -> None:
    """Take out of a page put in order all that is beside and below its first screen."""
    kept = (soup.main, *of_class(soup.main, "div", "front"))
    for node in [*soup.body.children, *soup.main.children]:
        if not any(node is one for one in kept):
            node.extract()


def remove_what_runs_or_loads(soup: BeautifulSoup) -> None:
    """Take out scripts, frames, handlers and whatever a browser would fetch; links to click stay."""
    for place, names in ((soup, FORBIDDEN), (soup.main, FORBIDDEN_IN_MAIN)):
        for element in [element for element in place.find_all(True) if element.name in names]:
            element.decompose()
    for element in soup.find_all(True):
        for name, value in list(element.attrs.items()):
            text = " ".join(value) if isinstance(value, list) else value
            if name in WORDS:
                continue
            runs = name.startswith("on") or SCRIPT.match(text)
            loads = name in LOADING and not text.startswith("data:image/")
            reaches_out = OUTSIDE.search(text) or "@import" in text
            outside = (
                element.name in ("use", "image") and name.endswith("href") and not text.startswith(("#", "data:image/"))
            )
            if runs or loads or reaches_out or outside:
                del element[name]
    for image in soup.find_all("img", src=False):
        image.replace_with("[A picture was left out: the page holds only pictures of its own.]")


def put_headings_in_order(soup: BeautifulSoup) -> None:
    """Leave one h1, and no heading more than one level below the one before it."""
    level = 0
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        wanted = int(heading.name[1])
        level = min(max(wanted, 2), level + 1) if level else 1
        heading.name = f"h{level}"


def wrap_sections(soup: BeautifulSoup) -> None:
    """Put each h2 of the page's own level and what follows it into a section that bears its name."""
    section = None
    for node in list(soup.main.children):
        if isinstance(node, Tag) and node.name == "h2":
            node["id"] = node.get("id") or slug(node.get_text())
            section = soup.new_tag("section", attrs={"aria-labelledby": node["id"]})
            node.insert_before(section)
        if section is not None and not (isinstance(node, Tag) and node.name == "footer"):
            section.append(node.extract())


def move_absent(soup: BeautifulSoup) -> None:
    """Remove each empty section, and list its sentence among the suggested additions."""
    wanted = next(iter(of_class(soup, "ul", "wanted")), None)
    if wanted is None:
        return
    for section in soup.main.find_all("section", recursive=False):
        said = of_class(section, "p", "absent")
        unset = of_class(section, "p", "unset")
        shown = [node for node in section.find_all(True, recursive=False) if node.name not in ("h2", "p")]
        if not (said or unset) or shown:
            continue
        for text in dict.fromkeys(paragraph.get_text() for paragraph in said):
            wanted.append(item := soup.new_tag("li"))
            item.string = text
        section.decompose()
    for nothing in of_class(wanted, "li", "nothing") if len(wanted.find_all("li")) > 1 else ():
        nothing.decompose()


def list_contents(soup: BeautifulSoup) -> None:
    """Fill every list of contents with links to the sections."""
    headings = [heading for heading in soup.find_all("h2") if heading.parent.name in ("section", "footer")]
    for place in of_class(soup, "ol", "contents"):
        for heading in headings:
            link = soup.new_tag("a", href=f"#{heading['id']}")
            link.string = heading.get_text(" ", strip=True)
            place.append(item := soup.new_tag("li"))
            item.append(link)


def of_class(place: Tag, name: str, css_class: str) -> list[Tag]:
    """Return the elements of a name and class within a place, as `select` does at ten times the cost."""
    return [element for element in place.find_all(name) if css_class in element.get("class", ())]


def slug(text: str) -> str:
    """Return a heading as an id: 'Key figures' → 'key-figures'."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section"


def name_pictures(soup: BeautifulSoup) -> None:
    """Give a picture that came without a text alternative one from its section's heading."""
    for picture in (element for element in soup.find_all(True) if element.name in ("img", "svg")):
        key = "alt" if picture.name == "img" else "aria-label"
        if picture.get(key) or picture.get("aria-hidden") == "true":
            continue
        heading = picture.find_previous(["h2", "h3", "h1"])
        picture[key] = f"Chart in “{heading.get_text(' ', strip=True)}”" if heading else "Chart"
        if picture.name == "svg":
            picture["role"] = "img"


def scroll_tables(soup: BeautifulSoup) -> None:
    """Let a table that came without a box of its own scroll in one."""
    for table in soup.find_all("table"):
        if not table.find_parent(class_="scroll"):
            label = table.caption.get_text(" ", strip=True) if table.caption else "Table"
            table.wrap(
                soup.new_tag("div", attrs={"class": "scroll", "role": "group", "aria-label": label, "tabindex": "0"})
            )


def number_ids(soup: BeautifulSoup) -> None:
    """Make every id unique: the second 'trend' becomes 'trend-2'."""
    seen = {}
    for element in soup.find_all(id=True):
        name = element["id"]
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            element["id"] = f"{name}-{seen[name]}"
            if element.parent.get("aria-labelledby") == name:
                element.parent["aria-labelledby"] = element["id"]
