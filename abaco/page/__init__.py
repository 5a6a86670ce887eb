"""The page that people read: each part of it, and the report that they make together."""

from abaco.page.aging import aging_table
from abaco.page.bridge import bridge_chart, bridge_loans_table
from abaco.page.collection import collection_chart
from abaco.page.column_names import in_words
from abaco.page.concentration import concentration_table
from abaco.page.facilities import facility_sections
from abaco.page.front import front_page
from abaco.page.glossary import provenance
from abaco.page.history import history_table
from abaco.page.key_figures import kpi_cards, kpi_tables
from abaco.page.kpi_text import FIRST_KPIS
from abaco.page.language import speak
from abaco.page.markup import Html, notebook_style
from abaco.page.masthead import masthead
from abaco.page.quality import data_quality, missing_list, reconciles, reconciliation_table, roll_forward_table
from abaco.page.roll_rates import roll_rate_matrix
from abaco.page.segments import segment_tables
from abaco.page.svg import COLOURS, canvas, picture
from abaco.page.tables import Tables, figures, frame_table
from abaco.page.trend import trend_chart
from abaco.page.vintages import vintage_chart

__all__ = [
    "COLOURS",
    "FIRST_KPIS",
    "Html",
    "Tables",
    "aging_table",
    "bridge_chart",
    "bridge_loans_table",
    "canvas",
    "collection_chart",
    "concentration_table",
    "data_quality",
    "facility_sections",
    "figures",
    "frame_table",
    "front_page",
    "history_table",
    "in_words",
    "kpi_cards",
    "kpi_tables",
    "masthead",
    "missing_list",
    "notebook_style",
    "picture",
    "provenance",
    "reconciles",
    "reconciliation_table",
    "roll_forward_table",
    "roll_rate_matrix",
    "segment_tables",
    "speak",
    "trend_chart",
    "vintage_chart",
]
