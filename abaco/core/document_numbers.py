"""Numbers of people's documents that only a check digit, a date or their letters tell from other numbers."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

VALID = 0.9  # of the numbers of a column: others may be misspelt
MOST_PREFIXES = 20  # of so many numbers nearly each begins with other letters, as names do
_TURNS = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)  # of a digit by its place, of Verhoeff


@dataclass(frozen=True)
class Document:
    """The numbers of a document: their form, what is true of each, and the fewest that cannot be so by chance.

    Of those with letters in front, `letters` of them, which are those of a name, most must differ.
    """

    form: str
    is_valid: Callable[[str], bool]
    least: int = 2
    letters: int = 0


def forms_of(numbers: Iterable[str]) -> list[str]:
    """Return the forms of documents that some different numbers have, and nearly all that have it are valid.

    Examples
    --------
    >>> forms_of(["44051401359", "02070803628"]) == [DOCUMENTS[0].form], forms_of(["44051401358", "10000000001"])
    (True, [])
    """
    numbers, found = [*numbers], []
    for one in DOCUMENTS:
        alike = [number for number in numbers if re.fullmatch(one.form, number)]
        valid = [number for number in alike if one.is_valid(re.sub(r"\W", "", number))]
        prefixes = {number[: one.letters] for number in valid}
        is_varied = not one.letters or len(prefixes) >= VALID * min(len(valid), MOST_PREFIXES)
        if len(valid) >= max(one.least, VALID * len(alike)) and is_varied:
            found.append(one.form)
    return found


def _is_pesel(number: str) -> bool:
    """Poland: the day of birth, of which the month says the century, and a check digit.

    Examples
    --------
    >>> [_is_pesel(number) for number in ("44051401359", "44051401358", "44131401355")]
    [True, False, False]
    """
    is_day = 1 <= int(number[2:4]) % 20 <= 12 and 1 <= int(number[4:6]) <= 31
    return is_day and _sum(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _is_cpf(number: str) -> bool:
    """Brazil: two check digits.

    Examples
    --------
    >>> [_is_cpf(number) for number in ("52998224725", "52998224724", "11111111111")]
    [True, False, False]
    """
    checks = (_sum(number, range(last, 1, -1)) * 10 % 11 % 10 for last in (10, 11))
    return len({*number}) > 1 and list(checks) == [int(digit) for digit in number[9:]]


def _is_aadhaar(number: str) -> bool:
    """India: the check digit of Verhoeff.

    Examples
    --------
    >>> [_is_aadhaar(number) for number in ("234123412346", "234123412347", "134123412340")]
    [True, False, False]
    """
    check = 0
    for place, digit in enumerate(reversed(number)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _TURNS[turned]
        turn = turned if check < 5 else -turned
        check = (check + turn) % 5 + (5 if (check < 5) != (turned < 5) else 0)
    return check == 0 and number[0] not in "01"


def _is_rfc(number: str) -> bool:
    """Mexico: letters of the name, and the day of birth."""
    return 1 <= int(number[6:8]) <= 12 and 1 <= int(number[8:10]) <= 31


def _sum(number: str, weights: Iterable[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))


DOCUMENTS = (
    Document(r"\d{11}", _is_pesel),
    Document(r"\d{11}", _is_cpf),
    Document(r"\d{4}[ -]?\d{4}[ -]?\d{4}", _is_aadhaar, least=3),
    Document(r"[A-Z]{4}\d{6}[A-Z0-9]{3}", _is_rfc, letters=4),
    Document(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d ?){3}[A-D]", bool, letters=2),  # national insurance
)
FORMS = "|".join(dict.fromkeys(one.form for one in DOCUMENTS))
