"""The engine's memory limit follows from what the container allows."""

import pytest

from abaco.core.errors import InputError
from abaco.engines import memory
from abaco.engines.duckdb import DuckDB


def test_machine_without_a_limit(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.allowed_bytes(tmp_path) == memory.allowed_bytes(tmp_path / "nowhere") > memory.GIB // 2


@pytest.mark.parametrize("file", ["memory.max", "memory/memory.limit_in_bytes"])
def test_limit_of_the_container_counts(tmp_path, file):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(f"{512 << 20}\n")
    assert memory.allowed_bytes(tmp_path) == 512 << 20
    assert memory.default_limit(cgroup=tmp_path) == 256 << 20
    assert memory.default_limit(share=2, cgroup=tmp_path) == 128 << 20


def test_limit_above_the_machine_does_not(tmp_path):
    (tmp_path / "memory.max").write_text(str(1 << 60))
    assert memory.allowed_bytes(tmp_path) < 1 << 60
    assert memory.default_limit(cgroup=tmp_path) <= 2 * memory.GIB


@pytest.mark.parametrize(
    ("text", "expected"), [("auto", None), ("2GB", 2_000_000_000), ("64.5 mb", 64_500_000), ("70000000B", 70_000_000)]
)
def test_parse_limit(text, expected):
    assert memory.parse_limit(text) == expected


@pytest.mark.parametrize("text", ["", "2", "GB", "-1GB", "0GB", "2 GiB", "lots"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError, match=r"run\.memory_limit: .* is not a size: write auto, or a number and its unit"):
        memory.parse_limit(text)


@pytest.mark.parametrize("text", ["7B", "49MB", "1001TB", "99999999999TB"])
def test_limit_out_of_bounds_is_refused(text):
    with pytest.raises(InputError, match=r"run\.memory_limit: .* is not between 50MB and 1000TB: write auto"):
        memory.parse_limit(text)


def test_engine_keeps_to_it_and_spills(tmp_path):
    with DuckDB(spill=tmp_path, memory_limit=64 << 20, threads=1) as engine:
        assert engine.connection.execute("SELECT current_setting('threads')").fetchall() == [(1,)]
        wide = "SELECT i, hash(i) AS h, repeat('x', 40) || i AS text FROM range(2000000) t(i)"
        rows = engine.connection.execute(f"SELECT count(*) FROM (SELECT * FROM ({wide}) ORDER BY h)").fetchall()
        assert rows == [(2_000_000,)]
    assert list(tmp_path.iterdir()) == []  # what was spilled is gone
