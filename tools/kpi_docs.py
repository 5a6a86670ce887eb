"""docs/KPIS.md: the KPI catalogue, generated from params/kpis.yml."""

from collections.abc import Mapping
from pathlib import Path

from abaco.core import project
from abaco.kpis import catalog
from abaco.kpis.catalog import GROUPS, Definition
from abaco.kpis.measures import MEASURES

PATH = Path("docs") / "KPIS.md"
INTRODUCTION = """\
# KPIs

Made by `make docs` from `params/kpis.yml` and the measures of `abaco/kpis/`; edit those, not this page.

Percentages run from 0 to 100. A measure that the input does not give, and a denominator that is not above 0, make a KPI
not computable, with the reason; it is never 0. A value exactly on a limit is not yet past it. USD stands for the
currency of the report, whichever it is, and so does `_usd` in the name of a measure.
"""
GROUP_TITLES = {"core": "The four of every report"}


def document(definitions: Mapping[str, Definition]) -> str:
    """Return the catalogue in Markdown: KPIs by group with formula and limits, then the measures."""
    parts = [INTRODUCTION]
    for group in GROUPS:
        if chosen := {name: kpi for name, kpi in definitions.items() if kpi.group == group}:
            parts.append(f"## {GROUP_TITLES.get(group, group.capitalize())}\n")
            parts += [_entry(name, kpi) for name, kpi in chosen.items()]
    parts.append("## Measures\n\nWhat KPIs are made of: an amount or a count of one date.\n")
    parts.append("| measure | unit | what it is | what gives it |\n|---|---|---|---|")
    parts += [f"| `{name}` | {m.unit} | {m.title} | {m.add} |" for name, m in MEASURES.items()]
    return "\n".join(parts) + "\n"


def _entry(name: str, kpi: Definition) -> str:
    limits = [f"{level} {limit:g}" for level, limit in (kpi.thresholds or {}).items() if limit is not None]
    better = f"{kpi.direction} is better" if kpi.direction else "neither way is better"
    limits += [] if kpi.decides else ["does not decide the state"]
    facts = "; ".join(["per cent" if kpi.unit == "%" else kpi.unit, better, *limits, kpi.owner])
    convention = f"Convention: {kpi.convention}" if kpi.convention else ""
    parts = (f"**{name}**, {kpi.title}: {facts}.", f"    {kpi.shown_formula}", kpi.note, convention)
    return "\n\n".join(filter(None, parts)) + "\n"


def write() -> Path:
    """Write docs/KPIS.md and return its path."""
    path = project.root() / PATH
    path.write_text(document(catalog.load()), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(project.display_path(write()))
