"""docs/LICENCES.md lists every package of the lock, and none without a licence."""

from tools import licences


def test_page_is_of_the_lock_and_no_licence_is_unknown():
    rows = [line.strip("| ").split(" | ") for line in licences.PAGE.read_text().splitlines() if line.startswith("| ")][
        1:
    ]
    assert [name for name, _ in rows] == licences.names()
    assert [name for name, stated in rows if stated in ("", "not stated", "UNKNOWN")] == []
    copyleft = [name for name, stated in rows if "GPL" in stated and "LGPL" not in stated and "Lesser" not in stated]
    assert copyleft == []
