"""docs/KPIS.md: the KPI catalogue, generated from params/kpis.yml."""

from collections.abc import Mapping
from pathlib import Path

from abaco.core import project
from abaco.kpis import catalog
from abaco.kpis.catalog import GROUPS, Definition
from abaco.kpis.facilities.lines import KINDS
from abaco.kpis.measures import MEASURES

PATH = Path("docs") / "KPIS.md"
INTRODUCTION = """\
# KPIs

Made by `make docs` from `params/kpis.yml` and the measures of `abaco/kpis/`; edit those, not this page.

Percentages run from 0 to 100. A measure that the input does not give, and a denominator that is not above 0, make a KPI
not computable, with the reason; it is never 0. A value exactly on a limit is not yet past it. USD stands for the
currency of the report, whichever it is, and so does `_usd` in the name of a measure.
"""
SOURCES = """\
## Sources

What the conventions above name:

- CGAP and the Inter-American Development Bank, Microfinance Consensus Guidelines: Definitions of Selected Financial
  Terms, Ratios and Adjustments for Microfinance (2003), and MIX after it: portfolio at risk, write-off ratio, yield on
  gross portfolio, risk coverage.
- Basel Committee on Banking Supervision, Prudential treatment of problem assets (2017, d403), and European Banking
  Authority, Guidelines on the definition of default (EBA/GL/2016/07): non-performing and default from 90 days on.
- SIFMA, Standard Formulas for the Analysis of Mortgage-Backed Securities and Other Related Securities: SMM, CPR, CDR.
- Regulation Z, 12 CFR 1026.22 (United States) and Directive 2008/48/EC (European Union): the annual percentage rate
  with fees, which APR here is not.
- U.S. Department of Justice and Federal Trade Commission, Merger Guidelines: the Herfindahl–Hirschman index.
- The runbook of the first version: CollectionRate, PortfolioHealth, RDR90 and the limits.
"""
FACILITIES = """\
## Facilities

The borrowing base of each facility in `params/facilities.yml`, which explains every key, line by line in this order.
All amounts are exact to the cent; the pool is the sum of what is ineligible, in excess and net eligible.

{lines}

Agreements differ, and these are the choices where they do:

- **Ineligible**: a loan counts once, by the first criterion in the order of the facility, and keeps all that it
  fails. A loan whose column is empty fails the criterion: what is not shown to be eligible is not.
- **Excess concentration** is only what is above a limit, without counting a dollar twice. A share is of the eligible
  pool before excess, as in most agreements, or with `share_of: net_eligible` of what is left after the excess of the
  limit and those before it. Loans whose borrower or payer is not known count as those of one.
- **Commitment**: no more than the lesser of commitment and borrowing base can be drawn.
- **Drawn amounts and cash** are those of the measurement date. Without them the availability is not known; it is
  never the whole borrowing base.
- **The payer of a loan** is the one in the tape or the loans export, or else the one that all of its payments name.

Why availability moved since the date before is in `availability_bridges`: each cause at the advance rate, and what
rounding leaves as a cause of its own, so that they sum to the change exactly. Every date is computed by the
present terms of the facility, so that a changed advance rate or limit applies to both dates of a bridge.
`availability_loans` has the ten loans that moved it most. `abaco explain SENIOR --date 2025-12-31 --against 2025-06-30`
shows both between any two dates.

### Terms of facilities and covenants

{terms}

A figure exactly on a level is not past it. Years, windows and cohorts reach only as far back as the input.

Sources: OCC, Comptroller's Handbook, Asset-Based Lending (borrowing base certificates, ineligible receivables,
concentrations, advance rates, reserves, dilution); the definitions of Borrowing Base, Excess Concentration Amount,
Availability, Borrowing Base Deficiency and Cure Period in warehouse credit agreements filed with the SEC; SEC,
Regulation AB, 17 CFR 229.1105 (static pools by period of origination) and 229.1113 (performance triggers).
"""
TERMS = (  # of facilities and covenants: the term, what it means, and its keys in params/facilities.yml
    ("facility", "a line of credit that the lender draws from a bank or a fund against its loans", ""),
    ("commitment", "the most that may be drawn, whatever the loans are worth", "`commitment`"),
    ("pledged",
        "a loan that secures the facility, from its pledge date on: it is then of the pool", "`pledged`, `called`"),
    ("eligible", "a pledged loan that meets every criterion of the agreement", "`eligibility`"),
    ("concentration limit",
        "how much of the eligible pool one borrower, payer or kind of loan may make up", "`limits`, `share_of`"),
    ("advance rate", "what is lent against each dollar of net eligible loans, in per cent", "`advance_rate`"),
    ("reserve", "what is kept back, such as for fees or dilution (credits that reduce what payers owe)", "`reserves`"),
    ("deficiency", "more is drawn than may be: the difference is to be paid back or cured with more loans", ""),
    ("covenant", "a figure that has to stay on one side of a level; `better` is the good side", "`covenants`"),
    ("pool, book", "the loans that a covenant is of: those pledged, on each date on which they are in the book, or all "
        "of them", "`of`"),
    ("window", "the mean or the sum of 3, 6 or 12 months, the month of the date included; one unknown month makes it"
        " unknown", "`window`"),
    ("cohort", "the lending of a quarter, each month's loans at the same age: what was so late of it then, or "
        "written off", "`cohorts`"),
    ("warning", "the lender's own mark, before any level of the agreement", "`warning`"),
    ("trigger", "past it the agreement changes, such as that no more may be drawn", "`trigger`"),
    ("default", "past it the bank may call the loan, once the cure period is over", "`default`"),
    ("cure period",
        "the days from the first date past the default level within which meeting it again ends the matter: "
        "`curing`", "`cure_days`"),
    ("headroom", "how far the figure is from the next of trigger and default: in its unit, in dollars of the amount "
        "above the line, and in months at the pace of the last three", ""),
    ("not computable", "the level is not known, which is never taken for met", ""),
)  # fmt: skip
GROUP_TITLES = {"core": "The four of every report"}


def document(definitions: Mapping[str, Definition]) -> str:
    """Return the catalogue in Markdown: KPIs by group with formula and limits, then the measures."""
    parts = [INTRODUCTION]
    for group in GROUPS:
        if chosen := {name: kpi for name, kpi in definitions.items() if kpi.group == group}:
            parts.append(f"## {GROUP_TITLES.get(group, group.capitalize())}\n")
            parts += [_entry(name, kpi) for name, kpi in chosen.items()]
    lines = [f"| `{kind}` | {meaning} |" for kind, meaning in KINDS.items()]
    terms = [f"| {term} | {meaning} | {keys} |" for term, meaning, keys in TERMS]
    tables = {
        "lines": "\n".join(["| line | what it is |\n|---|---|", *lines]),
        "terms": "\n".join(["| term | what it means | key |\n|---|---|---|", *terms]),
    }
    parts += [SOURCES, FACILITIES.format(**tables)]
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
