"""The language of the page: English as the code has it, or the translation that `languages/` gives.

The language belongs to the notebook that builds the page, which sets it once, before the first part is made.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml

from abaco.core.errors import InputError

LANGUAGES = ("en", "es")
FOLDER = Path(__file__).parent / "languages"
_spoken = ["en"]


def speak(language: str) -> None:
    """Make `language` the one that everything is said in from now on.

    Raises
    ------
    InputError
        When the page does not speak it.
    """
    if language not in LANGUAGES:
        raise InputError(f"report.language is {language!r}: set it to one of {', '.join(LANGUAGES)}")
    _spoken[0] = language


def spoken() -> str:
    """Return the language that the page speaks."""
    return _spoken[0]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` for a while."""
    before = spoken()
    speak(language)
    try:
        yield
    finally:
        speak(before)


@cache
def _parts(language) -> dict[str, dict[str, str]]:
    """Return the file of a language, part by part; nothing for English itself."""
    if language == "en":
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / f"{language}.yml").read_text(encoding="utf-8"), loader)


@cache
def dictionary(language: str) -> dict[str, str]:
    """Return the translations by English text."""
    return {english: text for part in _parts(language).values() for english, text in part.items()}


def phrase(text: str) -> str:
    """Return a text of the page itself in the language spoken; what has no translation stays as it is."""
    return dictionary(spoken()).get(text, text)


def say(text: str, **parts) -> str:
    """Return `text` in the language spoken, its named places filled with `parts`.

    >>> say("{count} of them", count=3)
    '3 of them'
    """
    return phrase(text).format(**parts)


def translated(text: str) -> str:
    """Return a text that came with the figures in the language spoken: as a whole, or by a pattern that it fits.

    A key of the part `data` such as ``{what} has no value`` is a pattern; what stands in its places is translated
    in turn, and ``{date}`` stands for ISO dates alone.
    """
    if (known := phrase(text)) != text or spoken() == "en":
        return known
    for pattern, target in _patterns(spoken()):
        if found := pattern.fullmatch(text):
            return target.format(**{name: translated(part) for name, part in found.groupdict().items()})
    return text


@cache
def _patterns(language):
    """Return (pattern, translation) pairs, those with the most fixed text first."""
    found = []
    for english, text in _parts(language)["data"].items():
        if names := re.findall(r"{(\w+)}", english):
            pattern = re.escape(english)
            for name in names:
                shape = r"\d{4}-\d\d-\d\d" if name == "date" else ".+?"
                pattern = pattern.replace(rf"\{{{name}\}}", f"(?P<{name}>{shape})", 1)
            found.append((len(english) - sum(map(len, names)), re.compile(pattern, re.DOTALL), text))
    return [(pattern, text) for _, pattern, text in sorted(found, key=lambda entry: -entry[0])]
