"""Words of buckets: the first of the days past due that a value, or the heading of an aging report, says by itself."""

import re
from collections.abc import Iterable

from abaco.ingest.columns import normalise
from abaco.ingest.heading_words import Dictionary

MORE = "over|above|more than|m[aá]s de|mayor a|mais de|plus de|über|mehr als|oltre|meer dan"
AND_MORE = r"(?:and|&) (?:over|above|more|older)|y m[aá]s|ou mais|et plus|und mehr|e oltre|en meer|o m[aá]s|or more"
FIRST_DAY = re.compile(
    rf"(\d+)(?: days?| d[ií]as?)? (?:{AND_MORE})"
    r"|(\d+)\s*(?:-|–|to|a|à|bis)\s*\d+|(\d+)\s*\+"
    rf"|(?:>|{MORE})\s*(?P<more>\d+)"
    r"|(\d+) (?:days|dias|días|jours|tage|giorni|dagen)"
)
UP_TO = re.compile(r"<|\b(?:less|under|below|up to|within|menos|menor|hasta|até|moins|jusqu|weniger|meno|minder|tot)\b")
OTHER_UNIT = re.compile(
    r"\d\s*\+?\s*(?:m|mth|month|mes|mese|w|wk|week|semana|y(?! m[aá]s)|yr|year|año|inst\w*|cuota|emi)s?\b"
)
DAYS = "days?|d[ií]as?|jours|tage|giorni|dagen"
AROUND = (
    rf"dpd|{DAYS}|from|by|of|than|between|late|overdue|past|due|in|arrears|delinquent|delinquency"
    r"|de|del|desde|entre|a|mora|atraso|vencid[oa]s?|que|als|dan|von|en|retard"
)
LATE = rf"par|npl|current|{AROUND}"
# a number by which a bucket, a stage or a grade is called: M4+
NAME = re.compile(
    rf"(?<!\d)(?<!\d\s)\b(?!(?:d|dpd|par)\d|(?:{LATE}|{MORE})\b)[^\W\d_]+[\s_.#-]*"
    rf"\d++(?!\s*(?:-|–|to|a|à|bis)\s*\d|\s*\+?\s*(?:{DAYS}|dpd|d)\b)\s*\+?"
)
BUCKET = re.compile(
    rf"\W*(?:(?:{AROUND}|bucket|ag(?:e|ing))\W+)*(?:{MORE})?\s*\d{{1,3}}\s*(?:(?:-|–|to|a|à|bis)\s*\d{{1,3}})?\s*\+?\s*"
    rf"(?:days?|d[ií]as?|jours|tage|giorni|dagen)?\s*(?:{AND_MORE})?\s*(?:late|past due|overdue|de mora|vencidos?)?\W*",
    re.IGNORECASE,
)
PAR_BEFORE, PAR_RANGE = re.compile(r"(?i)^\W*par\b\W*?(?=[>\d])"), re.compile(r"(?i)\W*par\b\W*\d+\s*[-–]\s*\d")
RANGE = re.compile(r"\d+\s*\D{1,4}\s*(\d+)")
MONTHS = re.compile(
    r"\W*?(?P<less><|less than|under|menos de|moins de|unter)?\W*(?P<from>\d)(?:\s*(?:-|–|to|a)\s*(?P<to>\d))?\W*"
    r"(?:months?|mes(?:es)?|mois|monate?|mes[ei]|maand(?:en)?)\W*",
    re.IGNORECASE,
)


def days_of(word: str, words: Dictionary, heading: str = "") -> int | None:
    """Return the first day of the days past due that a word says by itself; its heading may say that it is of months.

    Examples
    --------
    >>> from abaco.ingest import heading_words
    >>> known = heading_words.load()
    >>> [days_of(word, known) for word in ("31-60", "90+", "Late (16-30 days)", "Current", "SMA-1", "1-3 months")]
    [31, 90, 16, 0, None, None]
    >>> [days_of(word, known) for word in ("> 90", ">= 90 days", "Más de 90 días", "<30 days", "30 days or less")]
    [91, 90, 91, None, None]
    >>> [days_of(word, known) for word in ("M4+", "Bucket 4+", "Stage 2 (31-60 days)", "DPD 90+", "d30+", "31 to 60")]
    [None, None, 31, 90, 30, 31]
    """
    if word.strip().lower() in (*words.words.current, "0"):
        return 0
    if words.unit_of(heading) == "months" or OTHER_UNIT.search(word.lower()):
        return None
    found = None if UP_TO.search(word.lower()) else FIRST_DAY.search(NAME.sub("", word.lower()))
    return int(found[found.lastindex]) + (found.lastgroup == "more") if found else None


def is_bucket(heading: str, words: Dictionary) -> bool:
    """Return whether a heading is a bucket of days past due, of which an aging report has a column each.

    Examples
    --------
    >>> from abaco.ingest import heading_words
    >>> known = heading_words.load()
    >>> [is_bucket(text, known) for text in ("1 - 30", "31-60 days", "> 90", "Current", "Balance 2025-11", "0")]
    [True, True, True, True, False, False]
    >>> [is_bucket(text, known) for text in ("Past Due 1-30", "Overdue Over 90", "de 1 a 30 días", "PAR 30+")]
    [True, True, True, False]
    """
    is_written = BUCKET.fullmatch(heading) or heading.strip().lower() in words.words.current
    return bool(is_written) and not heading.strip().isdigit() and days_of(heading, words) is not None


def first_days(headings: Iterable[str], words: Dictionary) -> dict[str, int]:
    """Return the first day of each heading that is a bucket of an aging report, in days, or in months of 30 days.

    A month is the one that begins then where another one is less than a month; what is older follows the last bucket.

    Examples
    --------
    >>> from abaco.ingest import heading_words
    >>> known = heading_words.load()
    >>> first_days(["Client", "Current", "1-30", "31-90", "90+"], known)
    {'Current': 0, '1-30': 1, '31-90': 31, '90+': 91}
    >>> first_days(["Current", "< 1 Month", "1 Month", "2 Months", "Older"], known)
    {'Current': 0, '< 1 Month': 1, '1 Month': 30, '2 Months': 60, 'Older': 90}
    >>> first_days(["Current", "1 Month", "2 Months", "Older"], known)
    {'Current': 0}
    >>> first_days(["Portfolio", "PAR 1-30", "PAR 31-180", "PAR >180"], known), first_days(["PAR 30", "PAR >90"], known)
    ({'PAR 1-30': 1, 'PAR 31-180': 31, 'PAR >180': 181}, {})
    """
    if any(PAR_RANGE.match(heading) for heading in headings):  # such as PAR 1-30, and PAR >180 after them
        plain = {PAR_BEFORE.sub("", heading): heading for heading in headings}
        return {plain[text]: day for text, day in first_days(plain, words).items()}
    found = {heading: days_of(heading, words) for heading in headings if is_bucket(heading, words)}
    ends = {int(range_[1]) for heading in found if (range_ := RANGE.search(heading))}
    found |= {h: day + 1 for h, day in found.items() if h.strip().endswith("+") and day in ends}
    said = {heading: month for heading in headings if (month := MONTHS.fullmatch(heading))}
    months = {h: 0 if m["less"] else int(m["from"]) for h, m in said.items()}
    if 0 in months.values() and len({*months.values()}) == len(months) and not ends:
        found |= {heading: 30 * month or 1 for heading, month in months.items()}
        ends = {30 * (1 + max(months.values())) - 1}
    older = [heading for heading in headings if normalise(heading) in words.words.older]
    return found | (dict.fromkeys(older, max(ends) + 1) if ends and len(older) == 1 else {})
