"""Masking: personal columns are masked as they are read, and so in every file of a run.

With a key, a value becomes its token. Without one it is redacted, except that borrowers and payers must be told apart
until they are counted: staged rows have a hash of them, under a secret that lasts as long as the first phase.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

import narwhals as nw

from abaco.core.people import HIDDEN
from abaco.engines import Engine
from abaco.engines.base import ERROR_CELL, NO_ID_WORDS
from abaco.ingest import unread_columns, unread_lateness
from abaco.ingest.columns import BORROWER, LOAN_ID
from abaco.ingest.layout import PART
from abaco.ingest.misplaced import DIMENSIONS, Misplaced
from abaco.ingest.total_words import IN_FULL, SURE

TOKEN = "tok_"
REDACTED = "redacted"
PERSONAL = tuple(column.name for column in BORROWER)
BORROWER_ID = "borrower_id"
TOLD_APART = (BORROWER_ID, "payer_name")  # what is counted: in staged rows equal values are equal without a key, too
PERSON = "person"  # a hash of the other personal columns, which tells whether rows differ in them
CALLED = "called_total"  # that a name, a dimension or a status has the label of a total, or else a name like one
BETWEEN = "\x1f"  # the unit separator: no text has it
LABEL, NAME, BESIDE = "label", "name", "beside"  # the last one is of a column that is not read
STATED = ("loan_status", "facility", "documents", "frequency")  # texts beside the dimensions
AS_READ = "as_read"  # a hash of a rejected row as it was read, where only shapes are shown


@dataclass(frozen=True)
class Masking:
    """How personal columns are masked: with a key, or else with a secret for the time of a pass, or else redacted.

    Parameters
    ----------
    key
        The masking key of the installation.
    secret
        What makes the hashes of one pass. It is never written.
    hidden
        Values of other columns that are personal (see `misplaced`).
    of_ids
        The form of the ids of loans that are personal, which become tokens.
    """

    key: bytes | None = None
    secret: bytes | None = None
    hidden: Misplaced = field(default_factory=dict)
    of_ids: str = ""

    @classmethod
    def of_pass(cls, key: bytes | None) -> "Masking":
        """Return the masking of a pass over the input, in which equal values stay equal."""
        return cls(key, secrets.token_bytes(16))  # as text it fits into one block of MD5 with a value

    def mask(self, engine: Engine, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Return a frame without a personal value; see `PERSON` and `CALLED` for the columns that a secret adds."""
        schema = frame.collect_schema()
        unread = unread_columns.among(schema.names())
        present = [name for name in schema.names() if name not in unread]
        personal = [name for name in PERSONAL if name in present]
        names = [*personal, *(name for name in (*DIMENSIONS, *STATED) if name in present)]
        beside = [name for name in unread if schema[name] == nw.String]
        if self.secret and (names or beside):
            called = nw.when(_has(names, SURE)).then(nw.lit(LABEL)).when(_has(beside, SURE)).then(nw.lit(BESIDE))
            called = called.when(_has([*names, *beside], IN_FULL)).then(nw.lit(NAME))
            # most rows have neither form: they are looked at once
            frame = frame.with_columns(nw.when(_has([*names, *beside], f"{SURE}|{IN_FULL}")).then(called).alias(CALLED))
        if late_in := unread_lateness.late_in(unread):
            frame = frame.with_columns(*late_in)
        of_words = [name for name in unread_columns.of_words(unread) if name in beside]
        if ended := unread_columns.words_in({name: int(name.split(PART)[1]) for name in of_words}):
            frame = frame.with_columns(*ended)
        if told := set(unread) - {*unread_columns.of_ends(unread), *unread_lateness.of_days(unread)}:
            frame = frame.drop(told)
        if self.of_ids and LOAN_ID.name in present:
            id_ = nw.col(LOAN_ID.name).cast(nw.String())
            frame = engine.masked(
                frame.with_columns(nw.when(id_.str.contains(self.of_ids)).then(id_).alias(AS_READ)), [AS_READ], self.key
            )
            frame = frame.with_columns(nw.coalesce(AS_READ, id_).alias(LOAN_ID.name)).drop(AS_READ)
        beside = [name for name in (*DIMENSIONS, *STATED) if name in present]
        if personal and beside:
            frame = frame.with_columns(_unless_personal(name, personal) for name in beside)
        if apart := [name for name in TOLD_APART if name in personal]:
            frame = frame.with_columns(map(_unless_a_word, apart))
        if self.key or self.secret is None:
            return engine.masked(frame, personal, self.key)
        if others := [name for name in personal if name != BORROWER_ID]:
            frame = engine.with_digest(frame, others, self.secret, PERSON)
        masked = engine.masked(frame, [name for name in personal if name not in apart], None)
        for name in apart:
            hashed = engine.with_digest(masked, [name], self.secret, "hashed")
            names = masked.collect_schema().names()
            masked = hashed.select(nw.col("hashed").alias(one) if one == name else one for one in names)
        return masked


def _has(names: Iterable[str], form: str) -> nw.Expr:
    """Return whether one of some texts has a form: joined, as compiling a form is what takes long."""
    texts = [nw.col(name).cast(nw.String()) for name in names]
    if not texts:
        return nw.lit(False)
    joined = nw.concat_str(texts, separator=BETWEEN, ignore_nulls=True)
    return joined.str.contains(f"(?i)(?:^|{BETWEEN})(?:{form})(?:{BETWEEN}|$)")


def _unless_a_word(name: str) -> nw.Expr:
    """Return a column of numbers of people without words such as N/A, whose token would be somebody's."""
    value = nw.col(name).cast(nw.String())
    text = value.str.strip_chars()
    is_one = ~text.str.to_lowercase().is_in(NO_ID_WORDS) & ~text.str.contains(ERROR_CELL)
    return nw.when(is_one).then(value).alias(name)


def _unless_personal(name: str, personal: Iterable[str]) -> nw.Expr:
    """Return a column with ``…`` where it has the value of a personal one of its row."""
    value = nw.col(name).cast(nw.String())
    is_same = nw.any_horizontal(*(value == nw.col(one).cast(nw.String()) for one in personal), ignore_nulls=True)
    is_blank = value.str.strip_chars().str.to_lowercase().is_in(["", *NO_ID_WORDS])
    shown = nw.when(is_blank).then(value).otherwise(nw.lit(HIDDEN))
    return nw.when(is_same).then(shown).otherwise(value).alias(name)


REDACTING = Masking()


def policy(key: bytes | None) -> str:
    """Return how personal values are shown: ``token`` (HMAC-SHA256, equal values alike) or ``redacted``."""
    return "token" if key else REDACTED


def published(frame: nw.LazyFrame, columns: Iterable[str], key: bytes | None, engine: Engine) -> nw.LazyFrame:
    """Return rows as a report shows them: tokens stay, and without a key everything personal is redacted."""
    return frame if key else engine.masked(frame, columns, None)


def token(value: str, key: bytes) -> str:
    """Return the token of one value, the same that an engine gives it (see `Engine.masked`)."""
    return TOKEN + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
