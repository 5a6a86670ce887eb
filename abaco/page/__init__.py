"""The page that people read: each part of it, and the report that they make together."""

from abaco.page.aging import aging_chart, aging_table
from abaco.page.cards import kpi_cards
from abaco.page.glossary import glossary
from abaco.page.history import history_table
from abaco.page.markup import Html, notebook_style
from abaco.page.masthead import masthead
from abaco.page.provenance import provenance
from abaco.page.quality import data_quality, missing_list
from abaco.page.readings import FIRST_KPIS
from abaco.page.reconciliation import reconciles, reconciliation_table
from abaco.page.status import overall_status, status_line
from abaco.page.svg import COLOURS, canvas, picture
from abaco.page.tables import figures, frame_table
from abaco.page.trend import trend_chart

__all__ = [
    "COLOURS",
    "FIRST_KPIS",
    "Html",
    "aging_chart",
    "aging_table",
    "canvas",
    "data_quality",
    "figures",
    "frame_table",
    "glossary",
    "history_table",
    "kpi_cards",
    "masthead",
    "missing_list",
    "notebook_style",
    "overall_status",
    "picture",
    "provenance",
    "reconciles",
    "reconciliation_table",
    "status_line",
    "trend_chart",
]
