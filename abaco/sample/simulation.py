"""Synthetic loans and their payments, month by month, for `abaco.sample.snapshot`.

A loan's life is a pure function of (seed, loan number): draws come from splitmix64 in 64-bit integers,
amounts are integer cents, and no float, clock or hash order takes part. A loan is therefore the same in a
book of 400 loans and in one of ten million, however the book is cut into chunks.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EPOCH = date(1970, 1, 1)
MONTHS = 13
HISTORY = 17  # months lived before the first snapshot, so that it already holds old loans in every bucket
WRITE_OFF_DPD = 180
# Days since 1970; the first is the day before the history, the last is 2025-12-31.
MONTH_ENDS = [(date(2023 + m // 12, m % 12 + 1, 1) - EPOCH).days - 1 for m in range(6, 7 + HISTORY + MONTHS)]
SNAPSHOTS = np.array(MONTH_ENDS[-MONTHS:], np.int32)

COMPANIES = ("ALF", "ALF", "BET")
BULLET_TERMS = (30, 45, 60, 60, 75, 90, 90, 120, 150, 180)
INSTALMENT_TERMS = (120, 180, 240, 270, 300, 360, 360)
TICKETS_USD = ((300, 1500), (1500, 4000), (1500, 4000), (4000, 9000), (4000, 9000), (9000, 18000))
REGIONS = (
    "San Salvador", "San Salvador", "San Salvador", "La Libertad", "Santa Ana", "San Miguel", "Sonsonate",
    None,
)  # fmt: skip
FIRST_NAMES = (
    "Ana", "Benito", "Carla", "Darío", "Elena", "Fabio",
    "Gilda", "Hugo", "Inés", "Julián", "Karla", "Óscar",
)  # fmt: skip
SURNAMES = (
    "Ejemplar", "Ficticio", "Inventado", "Muestra", "Simulado", "Pruebas", "Imaginario", "Supuesto", "Ensayo",
)  # fmt: skip
FIRST_MAILBOXES = (
    "ana", "benito", "carla", "dario", "elena", "fabio",
    "gilda", "hugo", "ines", "julian", "karla", "oscar",
)  # fmt: skip
SURNAME_MAILBOXES = [name.lower() for name in SURNAMES]
NOTES = (
    "promised to pay on Friday", "no answer; left a message", "invoice disputed by the payer",
    "visited the shop", "asked for two more weeks", "paying in parts",
    "spoke with Gilda Inventado at +503 5550-0142",
    "call Hugo Ensayo (brother) on +503 5550-0187", "new email hugo.ensayo@example.org",
)  # fmt: skip

# Chances per thousand that a loan pays nothing in a month: when it was current, then by its days past due.
MISS_SOUND, MISS_WEAK = 50, 180
STAY_BY_BUCKET = (340, 540, 740, 880)  # 1–29, 30–59, 60–89, 90+ days past due
# Chances per thousand in a month: an early pay-off, one instalment paid of several overdue, the last
# cents paid, a part recovered of what is written off.
PREPAY, PAY_ONE, PAY_OFF_DUST, RECOVER = 30, 300, 350, 60
# Percent by which a snapshot's month worsens the first missed payment; June is a bad month.
STRESS = (100, 90, 80, 100, 110, 100, 210, 120, 90, 80, 90, 100, 80)
# Cash on hand per ten thousand of the balance, by snapshot; two months are short of cash.
CASH_RATE = (310, 285, 260, 330, 295, 140, 240, 275, 320, 345, 130, 250, 300)

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def mix(x):
    """Scramble 64-bit integers (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def draw(key, stream, bits=31):
    """Non-negative integers below 2**bits for each loan key, a new set a stream."""
    drawn = mix(key + np.uint64(stream * _GOLDEN & _MASK))
    return (drawn & np.uint64((1 << bits) - 1)).astype(np.int64)


def pick(table, index):
    """The table's entries at ``index``, modulo its length."""
    return np.asarray(table)[index % len(table)]


@dataclass(frozen=True)
class Lives:
    """Loans and their lives: vectors hold a value a loan, matrices a row a month-end and a column a loan."""

    number: np.ndarray
    key: np.ndarray
    disbursed: np.ndarray  # days since 1970-01-01
    period: np.ndarray  # days between instalments; the whole term for a bullet
    instalments: np.ndarray
    principal: np.ndarray  # cents
    balance: np.ndarray  # cents, write-offs included
    days_past_due: np.ndarray
    is_written_off: np.ndarray

    @property
    def maturity(self):
        """Day of the last instalment."""
        return self.disbursed + self.period * self.instalments

    @property
    def is_reported(self):
        """Whether a loan has a row: a balance, or it was opened and paid within the month."""
        opened = np.array(MONTH_ENDS[:-1])[:, None] < self.disbursed
        alive = self.disbursed <= np.array(MONTH_ENDS[1:])[:, None]
        return ((self.balance > 0) | opened) & alive


def simulate(first, count, seed):
    """Simulate the loans numbered ``first`` to ``first + count - 1``.

    Parameters
    ----------
    first, count : int
        The range of loan numbers.
    seed : int
        Another seed is another book.

    Returns
    -------
    Lives
        Matrices have ``HISTORY + MONTHS`` rows, the last ``MONTHS`` of which are the snapshots.
    """
    number = np.arange(first, first + count, dtype=np.int64)
    key = mix(number.astype(np.uint64) * np.uint64(_GOLDEN) + mix(np.array([seed], dtype=np.uint64)))
    kind, size = draw(key, 1), draw(key, 2)
    bullet = kind % 2 == 0
    term = np.where(bullet, pick(BULLET_TERMS, kind >> 8), pick(INSTALMENT_TERMS, kind >> 8))
    period = np.where(bullet, term, 30)
    # early enough that the book has loans of every age at the first snapshot
    disbursed = MONTH_ENDS[-1] - draw(key, 3) % (365 + WRITE_OFF_DPD + term)
    low, high = (pick(column, size) * 100 for column in zip(*TICKETS_USD, strict=True))
    principal = low + (size >> 4) % (high - low)
    return _live(Lives(number, key, disbursed, period, term // period, principal, *_blank(count)))


def _blank(count):
    """Empty matrices for the balance, the days past due and the write-off flag."""
    shape = HISTORY + MONTHS, count
    return np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)


def _live(lives):
    """Fill the matrices of ``lives``, a month at a time."""
    traits = draw(lives.key, 4)
    miss = np.where(traits % 8 == 0, MISS_WEAK, MISS_SOUND)
    dust = np.where((traits >> 4) % 40 == 0, (traits >> 10) % 99 + 1, 0)
    reversible = (traits >> 20) % 6 == 0
    paid, recovered, overdue, written_months = (np.zeros(len(miss), np.int64) for _ in range(4))
    for month, closing in enumerate(MONTH_ENDS[1:]):
        stress = STRESS[month - HISTORY] if month >= HISTORY else 100
        stay = np.array([0, *STAY_BY_BUCKET])[np.searchsorted((1, 30, 60, 90), overdue, side="right")]
        dice = draw(lives.key, 100 + month, bits=60)
        chance, fork = (dice & 0xFFFFF) % 1000, (dice >> 20 & 0xFFFFF) % 1000
        is_off = lives.is_written_off[month - 1] if month else np.zeros(len(miss), bool)
        pays = (chance >= np.where(overdue > 0, stay, miss * stress // 100)) & ~is_off
        target, is_early = _target(lives, closing, paid, overdue, fork)
        dust = np.where(is_early & pays | (paid == lives.instalments) & (fork < PAY_OFF_DUST), 0, dust)
        paid = np.where(pays, np.maximum(target, paid), paid)
        is_done = paid == lives.instalments
        unpaid = lives.principal - lives.principal * paid // lives.instalments
        recovered = recovered + np.where(is_off & (fork < RECOVER), np.maximum(unpaid - recovered, 0) // 4, 0)
        left = np.where(is_done, dust, np.maximum(unpaid - recovered, 0))
        first_unpaid = lives.disbursed + lives.period * np.minimum(paid + 1, lives.instalments)
        overdue = np.where(left > 0, np.maximum(closing - first_unpaid, 0), 0)
        written_months = written_months + ((overdue >= WRITE_OFF_DPD) | is_off)
        # a reversed write-off is back on the book for good
        lives.is_written_off[month] = (written_months > 0) & (left > 0) & ~(reversible & (written_months > 2))
        lives.balance[month] = np.where(lives.disbursed <= closing, left, 0)
        lives.days_past_due[month] = overdue
    return lives


def _target(lives, closing, paid, overdue, fork):
    """Instalments a loan will have paid if it pays this month, and whether that is an early pay-off."""
    due = np.clip((closing - lives.disbursed) // lives.period, 0, lives.instalments)
    is_partial = (overdue >= 7) & (fork < PAY_ONE)
    wants_out = (overdue == 0) & (fork < PREPAY) & (lives.disbursed < closing)
    target = np.where(is_partial, np.minimum(paid + 1, due), np.where(wants_out, lives.instalments, due))
    return target, wants_out & (due < lives.instalments)


def loan_ids(lives):
    """Loan ids such as ``ALF - 000123``; every bare number of BET's is one of ALF's too."""
    place = lives.number % len(COMPANIES)
    bare = np.where(place < 2, lives.number // 3 * 2 + place, lives.number // 3)
    return join(company_of(lives), digits(bare, 6), " - ")


def company_of(lives):
    """The company that made each loan."""
    return take(COMPANIES, lives.number % len(COMPANIES))


def product_of(lives):
    """Factoring is paid at once, a business loan by instalments."""
    return take(["business_loan", "factoring"], (lives.instalments == 1).astype(np.int8))


def customer_of(lives):
    """Customer numbers: 40 loans in a row share 16 customers, the first of which borrow the most."""
    lot = draw(lives.key, 5)
    return lives.number // 40 * 16 + (lot & 15) * (lot >> 4 & 15) // 16


def borrower_columns(lives):
    """The invented people behind the loans, one value a loan; some have no phone or no region on file."""
    customer = customer_of(lives)
    trait = draw(mix(customer.astype(np.uint64)), 6)
    first = trait % len(FIRST_NAMES)
    last, second = (trait >> 8) % len(SURNAMES), (trait >> 16) % len(SURNAMES)
    mailbox = join(take(FIRST_MAILBOXES, first), take(SURNAME_MAILBOXES, last), digits(customer, 1), ".")
    phone = join("+503 5550", digits(customer % 10000, 4), "-")
    return {
        "customer_id": join("C", digits(customer, 5), "-"),
        "borrower_name": join(take(FIRST_NAMES, first), take(SURNAMES, last), take(SURNAMES, second), " "),
        "borrower_email": join(mailbox, take(["example.com", "example.org"], trait >> 24 & 1), "@"),
        "borrower_phone": pc.if_else(pa.array((trait >> 25 & 15) == 0), pa.scalar(None, pa.string()), phone),
        "region": take(REGIONS, (trait >> 20) % len(REGIONS)),
    }


def join(*parts):
    """Join texts element by element; the last part is the separator."""
    return pc.binary_join_element_wise(*parts)


def digits(numbers, width):
    """Whole numbers as text, padded with zeros."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def take(table, index):
    """Texts of a small table, by index."""
    return pa.array(table, pa.string()).take(pa.array(index))
