"""The sample that ships with the project, recognised by its content, so that it is not taken for a real book."""

from collections.abc import Iterable, Mapping
from typing import Any

SENTENCE = "Synthetic sample: invented loans, no real book."
PLACES = ("data/sample", "data/sample.csv")
DIGESTS = {  # SHA-256; a file of the same name with other content is not the sample
    "sample.csv": "92cec26f3cb4b3deffd85d85514c0c74d8cd78f7a7619ea5f54b2fb0771e1211",
    "drawings.csv": "bea2773f7737da20447cdbab295f46bc68ab1a25ddb4e05c880122fae1b0c78b",
    "financials.csv": "c2076c5e378291ec7a0074f960dca0179dc762f54df98d7b7ea25faf16f012fb",
    "loan_par_balances.csv": "b0d591689aed8230a588e5eb996a7676632f9dbaeb8bd2b579696eaf2711d018",
    "loans.csv": "f04dcb2ea5caa2fcc2d22c95bb425cfd55fa7cb2bdf58e6d3bb7407b86c4f9df",
    "schedules.csv": "b6de4a4f80d6d4c29920d30c0db2ac12845da7a954069323ae6447b094990b21",
    "transactions.csv": "035274d81833ea261f88a192acefd0c6b506d686084b2e929c268c72a679476f",
}


def is_sample(inputs: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a file of the sample is among input files, given with their ``sha256``."""
    return any(item["sha256"] in DIGESTS.values() for item in inputs)
