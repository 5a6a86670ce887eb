"""The facilities of the sample a second time, from its files and params/sample_facilities.yml alone.

Like `recomputation`, it imports nothing of abaco.kpis, and counts in whole cents.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

import yaml

from tests.support.projects import ROOT

from .recomputation import RECOMPUTED, balances, cents, export, loans, month, months_to, rounded
from .recomputation import share as part

FACILITIES = yaml.safe_load((ROOT / "params/sample_facilities.yml").read_text(encoding="utf-8"))


@cache
def contracts():
    return {row["loan_id"]: row for row in export("loans")}


@cache
def drawings():
    return {(row["date"], row["facility"]): row for row in export("drawings")}


def pledged(name, day):
    """Return the loans with a balance that are pledged to a facility on a day, those lent first in front."""
    found = []
    for number, row in balances()[day].items():
        contract = contracts().get(number)
        if row.owed and contract and contract["facility"] == name and contract["pledge_date"] <= str(day):
            found.append((loans()[number].lent_on, number, row, contract))
    return [{"number": n, "owed": row.owed, "left": row.owed, "row": row, "contract": c, "over": {}}
            for _, n, row, c in sorted(found, key=lambda one: one[:2])]  # fmt: skip


def value(loan, column, day):
    """Return what a criterion or limit of the sample reads; None where it is not known."""
    contract = loan["contract"]
    return {
        "written_off_usd": Decimal(loan["row"].off) / 100,
        "days_past_due": loan["row"].days,
        "interest_rate": Decimal(contract["interest_rate"]),
        "remaining_days": (date.fromisoformat(contract["maturity_date"]) - day).days,
        "product": contract["product_type"],
        "region": contract["location_state_province"],
        "payer": contract["payer"] or None,
        "borrower": contract["customer_id"],
    }[column]


def fails(loan, criterion, day):
    if "when" in criterion and value(loan, criterion["when"]["column"], day) not in criterion["when"]["one_of"]:
        return False
    found = value(loan, criterion["column"], day)
    return found is None if "present" in criterion else found is None or found > Decimal(str(criterion["at_most"]))


def borrowing_base(name, day):
    """Return the lines of a facility on a day, and its loans."""
    terms, found = FACILITIES[name], pledged(name, day)
    lines = [("pool", sum(loan["owed"] for loan in found))]
    for loan in found:
        loan["reasons"] = [title for title, criterion in terms["eligibility"].items() if fails(loan, criterion, day)]
        loan["left"] = 0 if loan["reasons"] else loan["owed"]
    for title in terms["eligibility"]:
        lines.append((title, sum(loan["owed"] for loan in found if loan["reasons"][:1] == [title])))
    eligible = sum(loan["left"] for loan in found)
    lines.append(("eligible", eligible))
    for title, limit in terms["limits"].items():
        lines.append((title, excess(title, limit, [loan for loan in found if loan["left"]], eligible, day)))
    net = sum(loan["left"] for loan in found)
    lines.append(("net_eligible", net))
    advance = terms["advance_rate"]
    if isinstance(advance, dict):
        for title, rate in advance["rates"].items():
            held = sum(loan["left"] for loan in found if value(loan, advance["column"], day) == title)
            lines.append((title, share(held, rate)))
        advanced = sum(amount for _, amount in lines[-len(advance["rates"]) :])
    else:
        lines.append(("advance", advanced := share(net, advance)))
    reserved = 0
    for title, reserve in terms["reserves"].items():
        amount = share(net, reserve["pct"]) if isinstance(reserve, dict) else reserve * 100
        lines.append((title, amount))
        reserved += amount
    drawing = drawings()[str(day), name]
    cash = share(cents(drawing["cash"]), terms.get("cash_rate", 0))
    base, drawn = advanced - reserved + cash, cents(drawing["drawn"])
    over = max(base - terms["commitment"] * 100, 0)
    lines += [("cash", cash), ("borrowing_base", base), ("over_commitment", over), ("drawn", drawn)]
    return [*lines, ("availability", base - over - drawn)], found


def share(amount, pct):
    """Return a percentage of whole cents, rounded half up."""
    return int(rounded(amount * Fraction(str(pct)) / 100, 0))


def excess(title, limit, found, eligible, day):
    """Take from loans what is above a limit, and return it."""
    if "when" in limit:
        found = [loan for loan in found if value(loan, limit["when"]["column"], day) in limit["when"]["one_of"]]
    groups = defaultdict(list)
    for loan in found:
        groups[value(loan, limit["column"], day)].append(loan)
    if "one_of" in limit:
        groups = {group: groups[group] for group in limit["one_of"]}
    if "largest" in limit:
        first = sorted(groups.values(), key=lambda held: -sum(loan["left"] for loan in held))[: limit["largest"]]
        groups = {"largest": sorted((loan for held in first for loan in held), key=found.index)}
    cap = share(eligible, limit["at_most_pct"]) if "at_most_pct" in limit else limit["at_most"] * 100
    taken = 0
    for held in groups.values():
        room = cap
        for loan in held:
            above = max(loan["left"] - room, 0)
            room = max(room - loan["left"], 0)
            if above:
                loan["left"] -= above
                loan["over"][title] = above
                taken += above
    return taken


# Why availability moved


def rate_of(name, loan):
    """Return the advance rate of a loan in per cent."""
    advance = FACILITIES[name]["advance_rate"]
    return advance["rates"][loan["contract"]["product_type"]] if isinstance(advance, dict) else advance


def moved(name, against, day):
    """Return by how much each cause moved the availability, in cents, and what each loan gave before and gives."""
    (before, was), (after, now) = (borrowing_base(name, end) for end in (against, day))
    was, now = ({loan["number"]: loan for loan in found} for found in (was, now))
    causes, given = defaultdict(int), {}
    for number in sorted({*was, *now}):
        old, new = was.get(number), now.get(number)
        old_rate, rate = rate_of(name, old or new), rate_of(name, new or old)
        owed = new["owed"] if new else 0
        if old and not old["reasons"]:
            end = balances()[day].get(number)
            fall, off = max(old["owed"] - owed, 0), max((end.off if end else 0) - old["row"].off, 0)
            causes["new lending", None] += max(owed - old["owed"], 0) * rate
            causes["repaid", None] -= (fall - min(off, fall)) * rate
            causes["written off", None] -= min(off, fall) * rate
            causes["other advance rate", None] += old["owed"] * (rate - old_rate)
            if new and new["reasons"]:
                causes["fell ineligible", new["reasons"][0]] -= owed * rate
        elif new and not new["reasons"]:
            causes["became eligible" if old else "new lending", None] += owed * rate
        for sign, loan, its_rate in ((1, old, old_rate), (-1, new, rate)):
            for title, above in loan["over"].items() if loan else ():
                causes["excess", title] += sign * above * its_rate
        given[number] = tuple(loan["left"] * one if loan else 0 for loan, one in ((old, old_rate), (new, rate)))
    causes = {key: int(rounded(Fraction(amount, 100), 0)) for key, amount in causes.items()}
    before, after = dict(before), dict(after)
    advance = FACILITIES[name]["advance_rate"]
    titles = advance["rates"] if isinstance(advance, dict) else ["advance"]
    rest = sum(after[title] - before[title] for title in titles) - sum(causes.values())
    causes |= {("reserve", title): before[title] - after[title] for title in FACILITIES[name]["reserves"]}
    causes |= {("rounding", None): rest, ("cash", None): after["cash"] - before["cash"]}
    causes |= {(line, None): before[line] - after[line] for line in ("over_commitment", "drawn")}
    return {key: amount for key, amount in causes.items() if amount}, given


# Covenants


def covenant(name, title, day):
    """Return the value of a covenant on a day as a fraction; None where the files do not tell it."""
    terms = FACILITIES[name]["covenants"][title]
    if "line" in terms:
        lines = dict(borrowing_base(name, day)[0])
        return part(lines[terms["line"]], lines[terms["share_of"]])
    if "cohorts" in terms:
        return at_an_age(name, day, **terms["cohorts"])
    rate = RECOMPUTED[terms["kpi"]] if terms.get("of") == "book" else lambda end: late_of_pool(name, end)
    window = terms.get("window", {"take": "mean", "months": 1})
    ends = months_to(day, window["months"])
    if ends is None or None in (rates := [rate(end) for end in ends]):
        return None
    return sum(rates) / (1 if window["take"] == "sum" else len(rates))


def late_of_pool(name, day):
    """Return PAR30 of the loans that are pledged to a facility."""
    found = pledged(name, day)
    return part(sum(loan["row"].late[1] for loan in found), sum(loan["owed"] for loan in found))


def at_an_age(name, day, months, days):
    """Return what was late by so many days, or written off, of the last quarter whose loans all reached an age."""
    ends = {month(other): other for other in balances()}
    first = (month(day) - months) // 3 * 3 - 2  # months count from 1 in January
    if any(one + months not in ends for one in range(first, first + 3)):
        return None
    seen = {number: end for end in sorted(balances()) for number in balances()[end]}
    own = {
        number: contract["pledge_date"]
        for number, contract in contracts().items()
        if contract["facility"] == name
        and first <= month(loans()[number].lent_on) < first + 3
        # a loan that is repaid before the first date on which it is pledged never is of the pool
        and number in seen
        and contract["pledge_date"] <= str(seen[number])
    }
    late = 0
    for number, pledge_date in own.items():
        end = ends[month(loans()[number].lent_on) + months]
        row = balances()[end].get(number)
        if row and pledge_date <= str(end):
            late += (row.owed if row.days >= days else 0) + row.off
    return part(late, sum(loans()[number].lent for number in own))
