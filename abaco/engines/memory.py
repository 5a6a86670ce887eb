"""Memory: how much this process may use, and how much of it the engine takes."""

import os
import re
from pathlib import Path

from abaco.core.errors import InputError

CGROUP = Path("/sys/fs/cgroup")
GIB = 1 << 30
# The engine spills beyond this: a tape of any size works, and a larger limit is hardly faster.
MAX_DEFAULT = 2 * GIB
LEAST, MOST = 50 * 1000**2, 1000 * 1000**4  # bytes; with less, the engine cannot even begin


def allowed_bytes(cgroup: Path = CGROUP) -> int:
    """Return how many bytes of memory there are: the machine's, or the container's limit where that is lower.

    Parameters
    ----------
    cgroup
        Where the kernel shows control groups, version 2 (``memory.max``) or 1 (``memory/memory.limit_in_bytes``).
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits)


def default_limit(share: int = 1, cgroup: Path = CGROUP) -> int:
    """Return the engine's memory limit in bytes: half of what is allowed, 2 GiB at most, divided among `share` runs."""
    return min(allowed_bytes(cgroup) // 2, MAX_DEFAULT) // share


def parse_limit(text: str) -> int | None:
    """Return a memory limit in bytes, or None for ``auto``.

    Raises
    ------
    InputError
        When it is neither ``auto`` nor a number with B, KB, MB, GB or TB, or out of bounds.

    Examples
    --------
    >>> parse_limit("1.5GB"), parse_limit("auto")
    (1500000000, None)
    """
    if text == "auto":
        return None
    if not (match := re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)B", text, re.IGNORECASE)) or not float(match[1]):
        raise InputError(f"run.memory_limit: {text} is not a size: write auto, or a number and its unit, such as 2GB")
    limit = float(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " ")
    if not LEAST <= limit <= MOST:
        raise InputError(f"run.memory_limit: {text} is not between 50MB and 1000TB: write auto, or a size between them")
    return int(limit)
