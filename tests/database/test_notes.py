"""Notes beside the reports: what is damaged in them is kept."""

import datetime as dt

import pytest

from abaco.database import connection, notes, queries

START = {
    "key": "a", "started_at": dt.datetime(2026, 1, 5, 3, tzinfo=dt.UTC), "date": dt.date(2025, 12, 31),
    "input": "tape.csv", "error": "Input file not found",
}  # fmt: skip


@pytest.mark.parametrize("step", ["add", "take"])
def test_damaged_notes_are_set_aside_and_lose_nothing(tmp_path, step):
    notes.add(tmp_path, failed_starts=[START])
    path = tmp_path / ".runs/notes.json"
    damaged = path.read_text().replace("2025-12-31", "yesterday")
    path.write_text(damaged)
    engine = connection.connect(tmp_path)
    if step == "add":
        notes.add(tmp_path, failed_starts=[START | {"key": "b"}])
    notes.take(engine, tmp_path)
    assert [kept.read_text() for kept in path.parent.glob("notes-*.damaged")] == [damaged]
    assert not path.exists()
    with connection.reading(engine) as opened:
        assert [row["error"] for row in queries.starts_that_failed(opened)] == [START["error"]] * (step == "add")
