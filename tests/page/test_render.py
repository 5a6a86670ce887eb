"""The whole page, from small notebooks whose outputs are given by hand: no kernel is needed."""

import base64
import re
from collections import Counter
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from . import example
from .example import executed, nothing, render, shown, tables

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
PNG = base64.b64encode(b"\x89PNG not really a picture").decode()


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    cells = executed(example.metrics(), tables(example.history()))
    return render(tmp_path_factory.mktemp("page"), cells)


def test_page_is_self_contained(html):
    body = html.split("</head>")[1]
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert not re.search(r"url\((?!#)", html)
    assert not re.search(r"\bsrc=", body)
    assert "<link" not in body
    assert not re.search(r"\son\w+=", body)


def test_page_forbids_the_network_itself(html):
    assert """content="default-src 'none'; style-src 'unsafe-inline'; img-src data:\"""" in html


def test_page_holds_no_code_and_no_python(html):
    assert "SECRET_SOURCE" not in html
    assert "Figure size" not in html
    assert "In [" not in html
    assert "{{" not in html


def test_headings_are_in_order(html):
    soup = BeautifulSoup(html, "html.parser")
    levels = [int(heading.name[1]) for heading in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [h2.get_text() for h2 in soup.find_all("h2")] == [
        "Key figures", "Conclusion", "Where the risk is", "Arrears over time", "To note", "Why arrears moved",
        "How late the book is",
        "Where each bucket went", "Vintages", "Collection by month", "Concentration", "Parts of the book",
        "All other figures", "Earlier dates", "Where every row went", "From one balance to the next", "Data quality",
        "What to add to see more", "Where the figures come from",
    ]  # fmt: skip


def test_contents_link_to_every_section(html):
    soup = BeautifulSoup(html, "html.parser")
    headings = soup.find_all("h2")
    for contents in soup.select("ol.contents"):
        links = contents.find_all("a")
        assert [link.get_text() for link in links] == [heading.get_text() for heading in headings]
        assert [link["href"] for link in links] == [f"#{heading['id']}" for heading in headings]
    assert len(soup.select("ol.contents")) == 2
    assert soup.body.a["href"] == "#main"


def test_sections_with_nothing_to_show_give_way_to_what_can_be_added(tmp_path, metrics, history):
    soup = BeautifulSoup(render(tmp_path, executed(metrics, nothing(history))), "html.parser")
    assert [h2.get_text() for h2 in soup.find_all("h2")] == [
        "Key figures", "Conclusion", "Arrears over time", "To note", "How late the book is", "All other figures",
        "Earlier dates", "Where every row went", "Data quality", "What to add to see more",
        "Where the figures come from",
    ]  # fmt: skip
    wanted = [item.get_text() for item in soup.select(".wanted li")]
    assert len(wanted) == 9
    assert any(item.startswith("To see vintages, add what the input lacks of these: when") for item in wanted)
    assert not soup.select(".absent")


@pytest.mark.parametrize(("lost", "begins"), [((), "Nothing is missing"), (("vintages",), "To see vintages, add")])
def test_nothing_is_missing_only_when_every_section_is_there(tmp_path, metrics, history, lost, begins):
    metrics["missing"] = []
    given = tables(history) | {name: [] for name in lost}
    soup = BeautifulSoup(render(tmp_path, executed(metrics, given)), "html.parser")
    (item,) = soup.select(".wanted li")
    assert item.get_text().startswith(begins)


def test_landmarks(html):
    soup = BeautifulSoup(html, "html.parser")
    assert soup.html["lang"] == "en"
    assert soup.title.get_text() == "Loan book at 10\u00a0December\u00a02025 (December so far)"
    assert [child.name for child in soup.body.find_all(recursive=False)] == ["a", "nav", "nav", "main", "footer"]
    sections = soup.main.find_all("section")
    assert len(sections) == 18
    assert all(soup.find(id=section["aria-labelledby"]).name == "h2" for section in sections)


def test_every_picture_has_a_text_alternative(html):
    pictures = BeautifulSoup(html, "html.parser").select("svg, img")
    assert len(pictures) == 2 * 3 + 2  # three charts, wide and narrow; two courses, on the cards
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 30 for picture in pictures)


def test_every_table_has_a_caption_and_row_headings(html):
    found = BeautifulSoup(html, "html.parser").find_all("table")
    assert len(found) == 19
    assert all(
        table.caption.get_text() and table.find("th", scope="col") and table.find("th", scope="row") for table in found
    )


def test_ids_are_unique(html):
    ids = Counter(element["id"] for element in BeautifulSoup(html, "html.parser").find_all(id=True))
    assert ids.most_common(1)[0][1] == 1


def test_same_notebook_same_bytes(tmp_path, metrics, history, html):
    assert render(tmp_path, executed(metrics, tables(history)), name="again") == html


def test_page_is_small(html):
    assert len(html.encode()) < 150_000


def test_hostile_names_are_shown_and_not_run(tmp_path, metrics, history):
    metrics["inputs"][0]["name"] = HOSTILE
    metrics["quality"]["columns_left_behind"] = {HOSTILE: [HOSTILE]}
    metrics["reason_codes"]["rejects"] = [{"reason": {"code": "missing", "column": HOSTILE}, "rows": 1}]
    metrics["quality"]["nulls"] = {HOSTILE: 1}
    metrics["quality"]["pii_columns"] = [HOSTILE]
    metrics["kpis"]["PAR30"].update(title=HOSTILE, note=HOSTILE, formula=HOSTILE)
    metrics["kpis"]["CollectionRate"]["reason"] = HOSTILE
    metrics["missing"][0]["add"] = HOSTILE
    soup = BeautifulSoup(render(tmp_path, executed(metrics, tables(history))), "html.parser")
    assert soup.find("script") is None
    assert soup.find("img") is None
    assert soup.get_text().count("<script>alert('x')</script>") >= 10
    assert soup.select_one("svg.chart")["aria-label"].startswith("Line chart.")


def test_empty_portfolio_renders(tmp_path, empty):
    soup = BeautifulSoup(render(tmp_path, executed(empty, nothing())), "html.parser")
    assert "0 of 4 limits checked; none of these is passed" in soup.get_text()
    assert soup.find("svg") is None
    assert soup.h1.get_text() == "Loan book at 10\u00a0December\u00a02025 December so far"


def test_cells_of_analysts_stay_out(tmp_path):
    html = render(
        tmp_path,
        [
            new_markdown_cell("# For analysts", metadata={"tags": ["analyst"]}),
            shown("<p>checked</p>", tags=["analyst"]),
            shown("<h1>Report</h1>"),
        ],
    )
    assert "For analysts" not in html
    assert "checked" not in html
    assert "<h1>Report</h1>" in html


def test_prints_scraps_and_figure_names_stay_out(tmp_path):
    printed = new_code_cell(
        "print(1)", outputs=[new_output("stream", name=name, text=f"printed {name}") for name in ("stdout", "stderr")]
    )
    scrap = {"application/scrapbook.scrap.json+json": {"name": "rows", "data": 4711, "encoder": "json", "version": 1}}
    html = render(
        tmp_path,
        [
            printed,
            shown(scrap, scrapbook={"name": "rows"}),
            shown("<p>glued</p>", scrapbook={"name": "x"}),
            shown({}, "execute_result"),
        ],
    )
    assert "printed" not in html
    assert "4711" not in html
    assert "glued" not in html
    assert "Figure" not in html


def test_chart_that_an_analyst_adds_flows_into_the_page(tmp_path):
    drawn = '<g id="axes_1"><text>tickets</text></g>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{drawn}</svg>'
    soup = BeautifulSoup(
        render(
            tmp_path,
            [
                shown("<h1>Report</h1>"),
                new_markdown_cell("## Tickets\n\nHow *large* they are."),
                shown({"image/png": PNG + "\n"}),
                shown({"image/png": PNG}, alt='Half are "small"'),
                shown({"image/svg+xml": svg}),
                shown({"text/markdown": "### By region"}),
                shown("<table class='dataframe'><tr><td>1</td></tr></table>"),
            ],
        ),
        "html.parser",
    )
    section = soup.section
    assert section.h2.get_text() == "Tickets"
    assert section.em.get_text() == "large"
    assert [img["src"] for img in section.find_all("img")] == [f"data:image/png;base64,{PNG}"] * 2
    assert [img["alt"] for img in section.find_all("img")] == ["Chart in “Tickets”", 'Half are "small"']
    assert section.svg["aria-label"] == "Chart in “Tickets”"
    assert section.svg.get_text() == "tickets"
    assert section.h3.get_text() == "By region"
    assert section.find("table").parent["class"] == ["scroll"]


def test_what_runs_or_loads_is_taken_out_of_analysts_cells(tmp_path):
    html = render(
        tmp_path,
        [
            shown(
                "<h1>R</h1><script>1</script><iframe src='https://a.example'></iframe><style>p{background:url(x.png)}</style>"
                "<p onclick='x()' style='background: url(https://a.example/b.png)'>text</p><img src='https://a.example/c.png'>"
                "<img src='chart.png'><a href='javascript:x()'>link</a>"
            )
        ],
    )
    for gone in ("<script", "<iframe", "onclick", "a.example", "x.png", "chart.png", "javascript:"):
        assert gone not in html
    assert "<p>text</p>" in html
    assert html.count("A picture was left out") == 2


def test_headings_of_analysts_are_fitted_in(tmp_path):
    html = render(
        tmp_path,
        [
            shown("<h1>Report</h1>"),
            new_markdown_cell("# Big"),
            new_markdown_cell("#### Deep"),
            new_markdown_cell("## Big"),
        ],
    )
    soup = BeautifulSoup(html, "html.parser")
    assert [(heading.name, heading.get_text()) for heading in soup.find_all(re.compile("^h[1-6]$"))] == [
        ("h1", "Report"), ("h2", "Big"), ("h3", "Deep"), ("h2", "Big"),
    ]  # fmt: skip
    assert [section["aria-labelledby"] for section in soup.find_all("section")] == [
        h2["id"] for h2 in soup.find_all("h2")
    ]
    assert len({h2["id"] for h2 in soup.find_all("h2")}) == 2
