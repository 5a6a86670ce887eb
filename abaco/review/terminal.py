"""What terminals say in the language of the page: caveats of a report, words of a status, reasons."""

from collections.abc import Mapping
from typing import Any

from abaco.core import settings, text
from abaco.core.currencies import USD
from abaco.core.reasons import Reason
from abaco.ingest import sample_mark
from abaco.page import language
from abaco.page.column_names import in_words, tell
from abaco.page.kpi_text import checked, unsound, verdict
from abaco.page.language import phrase, say, spoken
from abaco.page.words import NBSP, plural


def speak(params: Any = None, currency: str = USD) -> None:
    """Set the language of all that follows to that of the page, by ``report.language``."""
    language.speak(settings.load(params)["report"]["language"], currency)


def worded(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the content of metrics.json with its texts in the language that is set; English ones stay as they are."""
    return in_words(dict(figures)) if spoken() != "en" and "reason_codes" in figures else figures


def reason(found: Reason | str) -> str:
    """Return a reason in the language that is set, in English with the names of the file's own columns."""
    return str(found) if spoken() == "en" or isinstance(found, str) else tell(found.as_dict())


def counted(number: int, singular: str) -> str:
    """Return how many there are of something, in the language that is set, with a blank that breaks."""
    return plural(number, singular).replace(NBSP, " ")


def status(name: str) -> str:
    """Return the word for a status, in the language that is set."""
    return name if spoken() == "en" else phrase(text.STATES.get(name, name)).lower()


def completeness(found: Mapping[str, Any] | None) -> str:
    """Return the state of a report that is not complete, in the language that is set; "" for other reports."""
    return standing(found) if found and text.is_incomplete(found) else ""


def standing(found: Mapping[str, Any]) -> str:
    """Return `text.standing` in the language that is set."""
    told = f"{phrase(text.state(found))}: {checked(found)}"
    if not (past := found.get("past_limits")):
        return told
    names = ", ".join(f"{name} ({status(level)})" for name, level in past.items())
    return say("{told}; past a limit: {names}", told=told, names=names)


def partial(kpi: Mapping[str, Any]) -> str:
    """Return a remark for a figure of a month that is not over, in the language that is set; "" for others."""
    return text.partial(kpi) and say(", month to date, until {date}", date=kpi["partial_through"])


def value_and_status(kpi: Mapping[str, Any]) -> str:
    """Return the value of an entry of metrics.json with its status, in the language that is set."""
    if kpi["value"] is None:
        return phrase("not computable")
    value = text.format_value({**kpi, "unit": phrase(kpi["unit"])})
    return value if kpi["status"] == "none" else f"{value} {status(kpi['status'])}"


def summary(kpis: Mapping[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return id, value and status of the four core KPIs and of those with limits, in the language that is set."""
    return [
        (
            text.par_name(name, kpi),
            phrase("not computable") if kpi["value"] is None else text.format_value(kpi),
            (kpi["reason"] or status(kpi["status"])) + partial(kpi),
        )
        for name, kpi in kpis.items()
        if kpi["group"] == "core" or kpi["thresholds"]
    ]


def caveats(figures: Mapping[str, Any]) -> list[str]:
    """Return the verdict and what makes figures doubtful.

    Parameters
    ----------
    figures
        The content of metrics.json.
    """
    date, as_of, later = figures["date"], figures["as_of"], figures["reconciliation"]["later"]
    # reports of earlier versions lack the key
    sentences = [phrase(sample_mark.SENTENCE)] if figures.get("synthetic") else []
    if found := figures.get("verdict"):
        sentences += [f"{phrase(text.state(found))}: {verdict(figures).replace(NBSP, ' ')}", *found["findings"]]
        sentences += unsound(figures)
        if accepted := text.acceptance(found):
            accept = "If all of this is right, make the report with PARAMS={settings}."
            sentences.append(say(accept, settings=accepted))
    sentences += figures.get("quality", {}).get("headlines", [])
    if as_of is None:
        sentences += [
            say(
                "These are not the figures of {date}: the loans export carries no date, so balances and days past due "
                "are those of the day it was made.",
                date=date,
            )
        ]
        if later:
            told = "That day is later than {date}: the export holds {loans} lent after it, left out here."
            sentences.append(say(told, date=date, loans=counted(later, "loan")))
        return sentences
    if as_of < date:
        sentences.append(
            say(
                "The balances are labelled {date}, but the overdue dates of their loans show that they are those of "
                "{as_of}; the month is counted up to that day.",
                date=date,
                as_of=as_of,
            )
        )
    return sentences
