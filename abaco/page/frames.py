"""The run's small tables as the parts of the page take them: an absent one is an empty list of rows."""

SHOWN = (
    "history", "bridges", "bridge_loans", "roll_rates", "collections", "vintages", "concentration",
    "segments",
)  # fmt: skip


def read_tables(phase) -> dict:
    """Return the tables that the page shows, by name; one that the run did not write is an empty list.

    Parameters
    ----------
    phase
        The `abaco.run.phase.Phase` that reads them.
    """
    kept = {path.stem for path in phase.tables.glob("*.parquet")}
    return {name: phase.read_table(name) if name in kept else [] for name in SHOWN}


def rows_of(table, **wanted) -> list[dict]:
    """Return the rows of a frame, or of a list of dicts, whose columns are as `wanted`; dates may be ISO texts.

    >>> rows_of([{"date": "2025-12-31", "usd": float("nan")}], date="2025-12-31")
    [{'date': '2025-12-31', 'usd': None}]
    """
    rows = table.to_dict("records") if hasattr(table, "to_dict") else table
    known = ({name: None if value != value else value for name, value in row.items()} for row in rows)
    return [row for row in known if all(str(row[name]) == str(value) for name, value in wanted.items())]
