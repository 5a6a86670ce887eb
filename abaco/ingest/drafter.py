"""The drafting of a mapping: what is proposed of a stranger's file, what is asked, and what the answers give."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from abaco.core import currencies
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.core.text import counted
from abaco.ingest import aging_reports, credit_columns, currency_evidence, proposals, questions
from abaco.ingest.amount_proofs import Proof
from abaco.ingest.answers import ELSEWHERE, Answers
from abaco.ingest.bucket_words import days_of
from abaco.ingest.columns import MEASUREMENT_DATE
from abaco.ingest.drafts import Draft
from abaco.ingest.formats import FORMATS
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.origins import OPEN
from abaco.ingest.proposals import NONE, PERSONAL, Proposal, Proposals
from abaco.ingest.questions import Question
from abaco.ingest.reshaping import MONTH_HEADING, WIDE
from abaco.ingest.scales import factor_of, scale_of, scales_in
from abaco.ingest.unmapped import Table
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import NUMBER

# The format of rows, by what a row is.
FORMAT_OF = {"loan": "loans", "invoice": "loans", "loan and date": "dated_loans", "payment": "payments"}


def draft(
    name: str,
    table: Table,
    found: Sequence[Evidence],
    words: Dictionary,
    answers: Mapping[str, str],
    proof: Proof | None = None,
) -> Draft:
    """Return the draft of a mapping, with the answers that were given.

    Parameters
    ----------
    found
        What the values of each column prove.
    answers
        By key: those of `Draft.questions`, and any of our columns.
    proof
        Which amounts are lent, paid and left, where their sums prove it.

    Raises
    ------
    InputError
        When an answer is not one that its question has, or contradicts what needs no question.
    """
    if table.shape == WIDE:
        answers = {MEASUREMENT_DATE.name: MONTH_HEADING, **answers}
    currency_evidence.check_answer(answers.get("currency", ""), found)
    is_of_column = {MEASUREMENT_DATE.name: lambda answer: not ELSEWHERE.fullmatch(answer),
                    "currency": lambda answer: not currencies.code(answer)}  # fmt: skip
    of_columns = {key: answer for key, answer in answers.items() if is_of_column.get(key, bool)(answer)}
    try:
        proposed = proposals.propose(found, words, of_columns, proof)
    except ValueError as error:
        raise InputError(f"{error}") from error
    return _Drafting(table, proposed, words, answers).draft(name, found)


class _Drafting(Answers):
    """Collects the columns and questions of one draft."""

    def __init__(self, table: Table, proposed: Proposals, words: Dictionary, answers: Mapping[str, str]):
        super().__init__(answers)
        self.table, self.proposed, self.words, self.columns = table, proposed, words, {}

    def draft(self, name: str, found: Sequence[Evidence]) -> Draft:
        aging = aging_reports.of_aging(
            found, self.words, self.proposed.columns.get("outstanding_balance")
        ) or aging_reports.of_par(self.proposed)
        rows, why = ("loan and date", "amounts in buckets of days late") if aging else self._rows()
        format_ = FORMATS["par_balances" if aging else FORMAT_OF.get(rows, "loans")]
        in_format = {column.name for column in format_.columns}
        given = {n: p for n, p in self.proposed.columns.items() if n in in_format} | aging
        open_ = {n: h for n, h in self.proposed.open.items() if n in in_format}
        proposed = Proposals(given, open_, self.proposed.left, self.proposed.known)
        more = ["loan_id"] if aging else ["days_past_due"] if "days_past_due" in in_format else []
        elsewhere = [MEASUREMENT_DATE.name] if self.is_date_elsewhere else []
        needs = [name for name in dict.fromkeys((*format_.needs, *more)) if name not in elsewhere]
        for needed in needs:
            if self.answers.get(needed, "").strip().lower() == NONE:
                means = self.words.columns[needed].means
                raise InputError(f"{needed}=none: {means} is needed: write a heading or a formula, or leave it open")
        by_status = self._days_by_status(given) if "days_past_due" in needs else None
        if by_status:
            given["days_past_due"] = Proposal({"heading": by_status.heading}, "words that say days late")
            proposed = Proposals(given, open_, proposed.left, proposed.known)
        for question in questions.of_columns(proposed, self.words, needs, self.table.unnamed):
            self.questions.append(question)  # also where a needed column was answered by none
            self.columns[question.key] = (OPEN, "not answered")
        self._date(rows, given)
        if rows in ("loan", "invoice") and MEASUREMENT_DATE.name not in self.columns:
            why += questions.UNDATED
        order = [column.name for column in format_.columns]
        for column in order:
            if column in given:
                origin, reason = self._origin(column, given[column]), given[column].reason
                is_made = isinstance(origin, dict) and proposals.COLUMNS[column].kind == "amount"
                scale = scale_of(origin.get("compute", "")) if is_made else None
                self.columns[column] = (origin, f"{reason}; in {scale}" if scale else reason)
        read = [one for one in found if any(one.heading in proposals.headings_of(p.origin) for p in given.values())]
        rate = given["interest_rate"].heading if "interest_rate" in given else ""
        asked = list(questions.of_writing(read, {one.heading: self._sample(one) for one in read}, rate))
        writing = {question.key: self.choice(question) or OPEN for question in asked}
        for key, value, heading in questions.of_proofs(read):
            self.settle(key, value, heading)
        shape, line = self.table.shape, self.table.line
        writing |= ({shape: True} if shape else {}) | ({"header_row": line} if self.table.scales else {})
        writing |= self._rows_without_id(given.get("loan_id")) | self._blank_dates(given.get("days_past_due"))
        currency = self._currency(read)
        about = f"Drafted from {self.table.name}: {counted(found[0].rows, 'row')}, {counted(len(found), 'column')}."
        columns = {column: self.columns[column] for column in (*order, MEASUREMENT_DATE.name) if column in self.columns}
        headings = {heading for p in given.values() for heading in proposals.headings_of(p.origin)}
        others = {p.heading for p in self.proposed.columns.values() if p.heading and p.heading not in headings}
        stay = {heading: why for heading, why in self.proposed.left.items() if heading not in headings}
        left = {**stay, **dict.fromkeys(sorted(others), "not a column of such rows")}
        mentioned = {*in_format, MEASUREMENT_DATE.name}
        behind = [heading for heading in left if not mentioned.isdisjoint(self.words.columns_of(heading))]
        behind = self._credits([self.proposed.known[heading] for heading in left], behind)
        given = (self.questions, left, behind, self.answers, self.unasked())
        return Draft(name, about, (rows, why), currency, writing, columns, *given)

    def _credits(self, left: Sequence[Evidence], behind: Sequence[str]) -> Sequence[str]:
        """Return what is left behind, and a column that says which amounts are credits, or shares, as answered."""
        for one in left:
            if said := credit_columns.said_of_balances(one.heading, self.table.cells(one.place), self.words):
                text = f"{one.heading} says {said[0]}: {said[1]}, or"
                choices = {one.heading: "it says nothing of the balances, and stays behind"}
                return [*behind, one.heading] if self.choice(Question("left_behind", text, choices)) else OPEN
        return behind

    def _rows_without_id(self, loan: Proposal | None) -> dict[str, Any]:
        """Return that rows without a loan's number are left out, as answered; one that is the sum of all is no loan."""
        sums = {(Table.column(one.place), _digits(one.total)) for one in self.proposed.known.values() if one.total}
        rows = [row for row in self.table.without_id if sums.isdisjoint((name, _digits(row[name])) for name in row)]
        asked = [questions.of_rows_without_id(rows, loan.heading)] if rows and loan and loan.heading else []
        said = {"blank": {"loan_id": [""]}, NONE: {}}
        return {question.key: said.get(self.choice(question), OPEN) for question in asked}

    def _blank_dates(self, days: Proposal | None) -> dict[str, Any]:
        """Return that loans without the date that days are counted from are not late, as answered."""
        one = self.proposed.known.get(days.origin.get("since")) if days else None
        answer = self.choice(questions.of_blank_days(one)) if one and not one.is_full else "unknown"
        return {} if answer == "unknown" else {"not_late": "blank" if answer else OPEN}

    def _rows(self) -> tuple[str, str]:
        """Return what a row is, and why."""
        columns = self.proposed.columns
        if answer := self.answers.get("rows"):
            if answer not in FORMAT_OF:
                raise InputError(f"rows is {answer}: write one of {', '.join(FORMAT_OF)}")
            return answer, "as answered"
        if "paid_on" in columns:
            return "payment", "a day and an amount that was paid, and no balance"
        loan = columns.get("loan_id")
        one = self.proposed.known.get(loan.heading) if loan else None
        if "measurement_date" in columns or self.is_date_elsewhere:
            return "loan and date", "there is a date of the balances"
        if one and not one.is_unique:
            self.ask(questions.of_rows(one))
            return OPEN, "not answered"
        if one and "invoice" in self.words.words_of(one.heading):
            return "invoice", f"{one.heading} is there once"
        return "loan", f"{one.heading} is there once" if one else "no date of the balances"

    def _days_by_status(self, given: Mapping[str, Proposal]) -> Evidence | None:
        """Return the column of a status whose words say days late, where no other column says them."""
        status = given.get("loan_status")
        if not status or "days_past_due" in {*given, *self.proposed.open, *self.answers}:
            return None
        one = self.proposed.known[status.heading]
        return one if any(days_of(word, self.words) for word in one.words) else None

    def _date(self, rows: str, given: Mapping[str, Proposal]) -> None:
        """Ask for the date where no column has it: that of a name, of a cell above, or a column of one date."""
        answer, is_needed = self.answers.get("measurement_date"), rows == "loan and date"
        is_dated = "measurement_date" in given or self.table.shape == WIDE
        if self.is_date_elsewhere and (is_dated or not is_needed):
            why = "the file has dates of its rows" if is_needed else f"a row is answered to be a {rows}"
            raise InputError(f"measurement_date={answer}: {why}: leave the answer out")
        if "measurement_date" in given or rows not in ("loan", "loan and date"):
            return
        elsewhere = dict(self.table.dates_elsewhere())
        choices = questions.dates_of_all(self.proposed, self.table)
        choices |= {key: told for key, (_, told) in elsewhere.items()}
        if not (choices or is_needed):
            return
        self.questions = [q for q in self.questions if q.key != "measurement_date"]
        self.columns.pop("measurement_date", None)
        choices = (choices or questions.DAY) | ({} if is_needed else {NONE: "each report is given its DATE"})
        if answer is None:
            way_out = "" if elsewhere or not is_needed else questions.WRITE_DATE
            self.ask(Question("measurement_date", f"no heading says the date of the balances{way_out}", choices))
            self.columns["measurement_date"] = (OPEN, "not answered")
        elif answer in elsewhere:
            self.columns["measurement_date"] = (elsewhere[answer][0], "as answered")
        elif self.is_date_elsewhere:
            day = str(parse_date(answer, "measurement_date"))
            self.columns["measurement_date"] = ({"constant": day}, "as answered; a file of another day needs its own")

    def _origin(self, name: str, proposal: Proposal) -> Any:
        """Return what a column is made of as YAML has it, with what is asked of its values."""
        origin, one = dict(proposal.origin), self.proposed.known.get(proposal.origin.get("heading"))
        if proposals.COLUMNS[name].kind == "amount" and (whole := self._in_whole_units(name, origin, one)):
            return whole
        if one is None or name in PERSONAL:
            return origin if len(origin) > 1 or "heading" not in origin else origin["heading"]
        if name == "outstanding_balance" and one.total is not None and one.total < 0:
            answer = self.choice(questions.of_sign(one))
            origin |= {"sign": answer or OPEN} if answer != "as written" else {}
        if name == "interest_rate":
            question = questions.of_rate(proposal, self.proposed, self.words)
            said = None if question else questions.rate_said(proposal, self.proposed, self.words)
            answer = self.settle("interest_rate.as", said, one.heading) if said else self.choice(question)
            unit, _, span = (answer or OPEN).partition(" ")
            origin |= {"as": unit} | ({"per": "month"} if span else {})
        elif name == "days_past_due":
            origin |= self._words(name, one, list(questions.of_days(one, self.words)))
            origin |= self._unit(name, one) if one.kind == NUMBER else {}
        elif name == "loan_status":
            origin |= self._words(name, one, list(questions.of_status(one, self.words)))
        elif name == "term":
            origin |= self._unit(name, one)
        return origin if len(origin) > 1 else origin["heading"]

    def _in_whole_units(self, name: str, origin: Mapping[str, Any], one: Evidence | None) -> Any:
        """Return an amount in whole units, where its headings or the table say that it is in others."""
        headings = proposals.headings_of(origin)
        formula, named = origin.get("compute", ""), scales_in(headings)
        scales, is_sure = {*named, *self.table.scales}, bool(named) or all(self.table.scales.values())
        key, place = f"{name}.scale", formula or (headings or ("",))[0]
        if not scales or scale_of(formula):
            return None
        is_asked = len(scales) > 1 or not is_sure
        asked = questions.of_scale(key, place, one, scales, is_sure)
        if (scale := self.choice(asked) if is_asked else self.settle(key, *scales, place)) == questions.WHOLE:
            return None
        multiplied = f"({formula})" if formula else f"[{place}]"
        words = {"words": origin["words"]} if "words" in origin else {}
        return {"compute": f"{multiplied} * {factor_of(scale)}"} | words if scale else OPEN

    def _unit(self, name: str, one: Evidence) -> dict[str, str]:
        """Return the unit of a number of days that counts something else: as its heading says, as answered, or open."""
        key, said = f"{name}.unit", self.words.unit_of(one.heading)
        unit = self.settle(key, said, one.heading) if said else self.choice(questions.of_unit(key, one)) or OPEN
        return {} if unit == "days" else {"unit": unit}

    def _words(self, name: str, one: Evidence, asked: Sequence[Question]) -> dict[str, Any]:
        """Return what words mean: by themselves, as answered, or open."""
        is_free = {question.key: name == "days_past_due" and not question.key.endswith(".blank") for question in asked}
        answers = {q.key: self.ask(q) if is_free[q.key] else self.choice(q) for q in asked}
        meanings: dict[str, Any] = {}
        for word, label in questions.labels(one).items():
            key = f"{name}.{label}"
            said = days_of(word, self.words, one.heading) if name == "days_past_due" else None
            if key in answers and answers[key] is None:
                meanings[label] = OPEN
            elif key in answers:
                meanings[word] = questions.meaning(name, answers[key])
            elif said is not None:
                meanings[word] = int(self.settle(key, str(said), word))
        if (key := f"{name}.blank") in answers:
            meanings[""] = OPEN if answers[key] is None else 0 if answers[key] == "0" else ""
        return {"words": meanings} if meanings else {}

    def _sample(self, one: Evidence) -> str:
        """Return a value that may be read in two ways."""
        pattern = r"^\D*[1-9]\d{0,2}[.,]\d{3}\D*$" if one.kind == NUMBER else "."
        return next((cell.strip() for cell in self.table.cells(one.place) if re.search(pattern, cell.strip())), "")

    def _currency(self, read: Sequence[Evidence]) -> tuple[str, str]:
        """Return the currency and why."""
        if "currency" in self.columns:
            return "", ""
        said = currency_evidence.said_of(self.table, read)
        if code := currencies.code(self.answers.get("currency", "")):
            if reason := said.contradicts(code):
                raise InputError(f"currency={code}: {reason}")
            return code, "as answered"
        if said.code:
            return ("", f"{said.code}, {said.why}") if said.is_beside else (said.code, said.why)
        said = said if said.is_said else currency_evidence.said_of(self.table, self.proposed.known.values())
        self.ask(said.question([self.proposed.known[heading] for heading in self.proposed.left]))
        return OPEN, "not answered"


def _digits(number: Any) -> str:
    """Return the digits of a number, without zeros at its end."""
    return re.sub(r"\D", "", str(number)).rstrip("0")
