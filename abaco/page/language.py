"""The language of the page: English as the code has it, or the translation in `languages/`.

The language is a context variable. The notebook that builds the page sets it once, before its first part.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import yaml

from abaco.core import currencies
from abaco.core.currencies import USD
from abaco.core.errors import InputError
from abaco.core.reasons import ENGLISH

LANGUAGES = ("en", "es")
FOLDER = Path(__file__).parent / "languages"
REASONS = "reasons"  # the part of a file whose keys are codes, not English texts
_language: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str, currency: str | None = USD) -> None:
    """Set the language of all that follows, and the currency of its amounts.

    Raises
    ------
    InputError
        When the page has no such language.
    """
    if language not in LANGUAGES:
        raise InputError(f"report.language is {language!r}: set it to one of {', '.join(LANGUAGES)}")
    _language.set(language)
    currencies.use(currency, language)


def spoken() -> str:
    """Return the language of the page."""
    return _language.get()


@contextmanager
def speaking(language: str, currency: str = USD) -> Iterator[None]:
    """Set the language and the currency for the length of a ``with`` block."""
    before = spoken(), currencies.known()
    speak(language, currency)
    try:
        yield
    finally:
        speak(*before)


@cache
def _parts(language: str) -> dict[str, dict[str, str]]:
    """Return the file of a language, part by part; nothing for English itself."""
    if language == "en":
        return {REASONS: ENGLISH}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / f"{language}.yml").read_text(encoding="utf-8"), loader)


@cache
def dictionary(language: str) -> dict[str, str]:
    """Return the translations by English text."""
    texts = {name: part for name, part in _parts(language).items() if name != REASONS}
    return {english: text for part in texts.values() for english, text in part.items()}


def reasons(language: str) -> Mapping[str, str]:
    """Return what each code of a reason says, with places for its values."""
    return _parts(language)[REASONS]


def phrase(text: str) -> str:
    """Return a text in the page's language and its currency; one without a translation stays as it is."""
    return currencies.in_current(dictionary(spoken()).get(text, text))


def say(text: str, **parts) -> str:
    """Return `text` in the page's language, its named places filled with `parts`.

    >>> say("{count} of them", count=3)
    '3 of them'
    """
    return phrase(text).format(**parts)
